"""Cleaning up after runs that are deleted: a real scheduler, and real agents."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from jober.run import Run, RunState
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, agent_of, lease_of, start

TASKS = """
import json, os, time
from pathlib import Path

def work(text, *, copies=1):
    path = Path(os.environ["WORK"], "report")
    path.write_text(text * copies)
    return str(path)

def clean_up(run):
    if run["result"]:
        Path(run["result"]).unlink()
    Path(os.environ["WORK"], "told").write_text(json.dumps(run))

def clean_slowly(run):
    work = Path(os.environ["WORK"])
    with work.joinpath("calls").open("a") as calls:
        calls.write(run["run"] + "\\n")
    while not work.joinpath("go").exists():
        time.sleep(0.02)
    return os.environ["JOBER_HOST"]

def clean_badly(run):
    raise OSError("the disk is gone")
"""


@pytest.fixture
def work(fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what can be called, where a scheduler and one host are."""
    (tmp_path / "shop.py").write_text(TASKS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("WORK", str(tmp_path))
    fleet.scheduler()
    fleet.agent("web1", ROLE)
    return tmp_path


def cleaned(fleet: Fleet, *states: RunState) -> list[Run]:
    """The runs that clean up, those in one of the states."""
    found = [run for run in fleet.jober.runs() if run.trigger == "cleanup"]
    return [run for run in found if run.state in states]


def ended_and_deleted(fleet: Fleet, **fields: Any) -> Run:
    """A run that has ended, and is deleted by now."""
    run = start(fleet, "works", keep_for=1, **fields).wait(45)
    wait_until(lambda: not fleet.jober.store.runs.found([run.id]), 30, "it is deleted")
    return run


def test_a_function_is_called_with_what_is_known_of_the_run(fleet: Fleet, work: Path) -> None:
    run = ended_and_deleted(
        fleet,
        call="shop:work",
        args=["x"],
        kwargs={"copies": 3},
        cleanup="shop:clean_up",
    )
    [cleaner] = wait_until(lambda: cleaned(fleet, RunState.SUCCESS), 30)
    told = json.loads((work / "told").read_text())
    assert told.pop("started_at") <= told.pop("ended_at")
    assert told == {
        "run": run.id,
        "job": "works",
        "state": "success",
        "host": "web1",
        "args": ["x"],
        "kwargs": {"copies": 3},
        "result": str(work / "report"),
        "exit_code": 0,
        "reason": None,
        "folder": None,
        "fire_at": None,
    }
    assert not (work / "report").exists()
    assert (cleaner.after, cleaner.host, cleaner.job) == (run.id, "web1", None)


def test_of_a_program_it_is_told_the_command_line_and_the_folder(fleet: Fleet, work: Path) -> None:
    ended_and_deleted(fleet, command=["sh", "-c", "exit 3"], cwd=str(work), cleanup="shop:clean_up")
    wait_until(lambda: cleaned(fleet, RunState.SUCCESS), 30)
    told = json.loads((work / "told").read_text())
    assert (told["args"], told["kwargs"]) == (["sh", "-c", "exit 3"], {})
    assert (told["folder"], told["exit_code"]) == (str(work), 3)
    assert (told["state"], told["reason"]) == ("failed", "exit code 3")


def test_where_the_host_dies_that_cleans_up_another_does(fleet: Fleet, work: Path) -> None:
    run = ended_and_deleted(fleet, command="true", cleanup="shop:clean_slowly")
    calls = work / "calls"
    wait_until(calls.exists, 30)
    [cleaner] = cleaned(fleet, RunState.RUNNING)
    fleet.agent("web2", ROLE)
    guardian = fleet.processes[1]
    # As when the power goes.
    for pid in (agent_of(guardian), guardian.pid):
        os.kill(pid, signal.SIGKILL)
    store = fleet.jober.store
    store.connection.command("ZADD", "jober:leases", "1", lease_of(fleet, cleaner.id)[0])
    store.leases.reclaim()
    wait_until(lambda: fleet.jober.handle(cleaner.id).state is RunState.DELAYED)
    (work / "go").touch()
    # As if the time until the next attempt was over.
    store.connection.command("ZADD", "jober:delayed", "1", cleaner.id)
    ended = fleet.jober.handle(cleaner.id).wait(30)
    assert (ended.state, json.loads(ended.return_value or "")) == (RunState.SUCCESS, "web2")
    assert calls.read_text().split() == [run.id] * 2


def test_a_cleanup_that_fails_is_tried_again_and_holds_nothing_up(fleet: Fleet, work: Path) -> None:
    ended_and_deleted(fleet, command="true", cleanup="shop:clean_badly")
    [cleaner] = wait_until(lambda: cleaned(fleet, RunState.DELAYED), 30)
    [attempt] = fleet.jober.handle(cleaner.id).attempts
    assert attempt.reason == "OSError: the disk is gone"


def test_it_may_be_run_again_by_hand(fleet: Fleet, work: Path) -> None:
    run = ended_and_deleted(fleet, command="true", cleanup="shop:clean_up")
    [cleaner] = wait_until(lambda: cleaned(fleet, RunState.SUCCESS), 30)
    (work / "told").unlink()
    again = fleet.jober.handle(cleaner.id).rerun()
    assert again.wait(45).state is RunState.SUCCESS
    assert json.loads((work / "told").read_text())["run"] == run.id


def test_a_host_that_allows_a_job_allows_what_cleans_up_after_it_if_the_function_is_allowed(
    fleet: Fleet, work: Path
) -> None:
    file = work / "worker.toml"
    lists = 'jobs = ["works"]\ncommands = ["true"]\ncallables = ["shop.clean_up"]\n'
    file.write_text(f"[allow]\n{lists}")
    fleet.agent("web2", "strict", "--config", str(file))
    for function, state in (("clean_up", RunState.SUCCESS), ("clean_badly", RunState.FAILED)):
        fleet.jober.add_job(
            "works", command="true", keep_for=1, cleanup=f"shop:{function}", roles=["strict"]
        )
        run = fleet.jober.run("works").wait(45)

        def cleaner(after: str = run.id) -> Run | None:
            found = cleaned(fleet, RunState.SUCCESS, RunState.FAILED)
            return next((one for one in found if one.after == after), None)

        ended = wait_until(cleaner, 30)
        assert (ended.state, ended.host) == (state, "web2")
        fleet.jober.remove_job("works")
