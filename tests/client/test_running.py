"""Running something now, on a real fleet, and the handle of what runs."""

import operator
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jober import Jober
from jober.embedded import RedisServer
from jober.errors import (
    DefinitionError,
    JobNotFound,
    RunExists,
    RunFailed,
    RunNotFound,
    WaitTimeout,
)
from jober.run import RunState
from tests.fleet import Fleet


@pytest.fixture(scope="module")
def one_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A scheduler and an agent for all tests of this module, which do not get in each other's
    way."""
    with RedisServer() as server:
        fleet = Fleet(server.url, tmp_path_factory.mktemp("fleet"))
        try:
            fleet.scheduler()
            fleet.agent("alpha", "default,web", slots=20)
            yield fleet
        finally:
            fleet.stop()
            print(fleet.logs())  # noqa: T201 - shown by pytest where a test fails


@pytest.fixture
def jober(one_fleet: Fleet) -> Jober:
    return one_fleet.jober


def test_a_text_runs_in_a_shell_and_a_list_as_it_is(jober: Jober) -> None:
    run = jober.run("echo one; echo two >&2; exit 3", shell=True)
    assert run.wait(30).state is RunState.FAILED
    assert run.exit_code == 3
    assert (run.stdout.bytes(), run.stderr.bytes()) == (b"one\n", b"two\n")
    run = jober.run(["echo", "a  b", "$HOME"])
    assert run.wait(30).state is RunState.SUCCESS
    assert run.output.lines() == ["a  b $HOME"]


def test_a_function_runs_by_itself_or_by_its_name(jober: Jober) -> None:
    assert jober.run(operator.add, args=(20, 22)).result(30) == 42
    assert jober.run("operator:add", args=(20, 22)).result(30) == 42
    assert jober.run("os:getpid", process=True).result(30) != jober.run("os:getpid").result(30)


def test_a_script_runs_where_it_is_told(jober: Jober, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(
        "import os, sys\nprint(os.getcwd(), sys.argv[1:])\ndef double(n):\n    return 2 * n\n"
    )
    run = jober.run("./x.py", args=["in.csv"], cwd=tmp_path)
    assert run.wait(30).state is RunState.SUCCESS
    assert run.output.lines() == [f"{tmp_path} ['in.csv']"]
    assert jober.run(f"{tmp_path / 'x.py'}:double", args=[21]).result(30) == 42


def test_a_run_without_a_job_has_none_and_is_listed(jober: Jober) -> None:
    run = jober.run(["true"])
    ended = run.wait(30)
    assert (ended.job, ended.trigger, ended.description) == (None, "manual", "true")
    assert run.id.startswith("true-m")
    assert run.id in [one.id for one in jober.runs()]
    assert [event.facts.get("job") for event in jober.recent_events() if "run" in event.facts]
    assert {
        event.facts.get("job")
        for event in jober.recent_events()
        if event.facts.get("run") == run.id
    } == {None}


def test_a_run_is_stopped_after_its_timeout_and_tried_again(jober: Jober) -> None:
    run = jober.run(["sleep", "600"], timeout=0.2, retries=1, retry_delay=0)
    assert run.wait(60).state is RunState.TIMEOUT
    assert [attempt.state for attempt in run.attempts] == [RunState.TIMEOUT, RunState.TIMEOUT]


def test_a_run_has_its_environment_and_its_id(jober: Jober) -> None:
    run = jober.run(
        "echo $NAME in $JOBER_RUN_ID of job $JOBER_JOB.",
        shell=True,
        env={"NAME": "here"},
        id="my-run",
    )
    assert run.id == "my-run"
    run.wait(30)
    assert run.output.lines() == ["here in my-run of job ."]
    with pytest.raises(RunExists) as caught:
        jober.run(["true"], id="my-run")
    assert "a run with the id 'my-run' is there already" in str(caught.value)
    with pytest.raises(DefinitionError):
        jober.run(["true"], id="my run")


def test_of_a_job_the_call_takes_the_place_of_the_definition(jober: Jober) -> None:
    jober.add_job("greet", command="echo hello $NAME", shell=True, env={"NAME": "you"})
    run = jober.run("greet", env={"NAME": "me"}, id="greet-me")
    run.wait(30)
    assert run.output.lines() == ["hello me"]
    with pytest.raises(RunExists):
        jober.run("greet", id="greet-me")
    assert jober.job("greet").job.env == {"NAME": "you"}


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ({"what": ["true"], "cron": "0 3 * * *"}, "cron: it is said of a job, and not of one run"),
        ({"what": ["true"], "timeot": 3}, "unknown field 'timeot', did you mean 'timeout'?"),
        ({"what": operator.add, "timeout": 3}, "set process = true beside timeout"),
        ({"what": ["true"], "detach": False}, "the runs of a fleet go on"),
        ({"what": lambda: 1}, "cannot be imported by a worker: it is local to this process"),
    ],
)
def test_what_cannot_be_run_so_is_refused_and_nothing_is_made(
    jober: Jober, call: dict[str, object], told: str
) -> None:
    before = [run.id for run in jober.runs()]
    with pytest.raises(DefinitionError) as caught:
        jober.run(**call)  # type: ignore[arg-type]
    assert told in str(caught.value)
    assert [run.id for run in jober.runs()] == before


def test_a_word_that_is_no_job_is_told_how_a_program_is_run(jober: Jober) -> None:
    with pytest.raises(JobNotFound) as caught:
        jober.run("date")
    assert "a program is run by run(['date']), or run('date', shell=True)" in str(caught.value)


def test_a_handle_waits_for_the_end_or_until_a_state(jober: Jober, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run = jober.run(f"until [ -e {gate} ]; do sleep 0.02; done; echo done", shell=True)
    assert run.wait(30, until="running").state is RunState.RUNNING
    with pytest.raises(WaitTimeout):
        run.wait(0.1)
    with pytest.raises(WaitTimeout):
        run.wait(0.1, until=["parked", "delayed"])
    with pytest.raises(DefinitionError):
        run.wait(0.1, until="runing")
    assert run.state == "running"
    gate.touch()
    # What it has ended as is the end of any wait.
    assert run.wait(30, until="parked").state is RunState.SUCCESS
    assert run.wait(30).exit_code == 0


def test_a_handle_waits_until_its_record_is_as_one_asks(jober: Jober) -> None:
    steps = (
        "import time, jober\n"
        "for n in range(1, 1000):\n"
        "    jober.current_run().progress(n, 1000)\n"
        "    time.sleep(0.02)\n"
    )
    run = jober.run([sys.executable, "-c", steps])
    seen = run.wait(
        30, until=lambda run: run.progress is not None and (run.progress.whole.done or 0) > 3
    )
    assert seen.state is RunState.RUNNING
    assert run.progress is not None and run.progress.whole.total == 1000
    run.cancel()
    assert run.wait(30).state is RunState.CANCELLED


def test_a_handle_tells_why_a_run_did_not_succeed(jober: Jober) -> None:
    run = jober.run("operator:truediv", args=[1, 0])
    error = run.exception(30)
    assert isinstance(error, RunFailed)
    assert (error.state, error.reason) == ("failed", "ZeroDivisionError: division by zero")
    assert error.traceback and "ZeroDivisionError" in error.traceback
    with pytest.raises(RunFailed):
        run.result(30)
    assert jober.run("operator:truediv", args=[1, 1]).exception(30) is None


def test_output_is_read_by_lines_and_as_bytes(jober: Jober) -> None:
    run = jober.run("seq 100; printf end", shell=True)
    run.wait(30)
    assert run.output.head(2) == "1\n2\n"
    assert run.output.tail(2) == "100\nend\n"
    assert run.output.tail(0) == run.output.head(0) == ""
    assert run.output.tail(1000) == "".join(f"{line}\n" for line in run.output.lines())
    assert run.output.lines() == [*map(str, range(1, 101)), "end"]
    assert run.output.bytes().endswith(b"100\nend")
    assert list(run.output.follow()) == run.output.lines()
    with pytest.raises(DefinitionError):
        run.output.head(-1)


def test_output_is_followed_line_by_line_while_it_is_written(jober: Jober, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run = jober.run(
        f"echo first; echo half >&2; until [ -e {gate} ]; do sleep 0.02; done; echo last",
        shell=True,
    )
    lines = run.stdout.follow(60)
    assert next(lines) == "first"
    assert run.state == "running"
    gate.touch()
    assert list(lines) == ["last"]
    assert list(run.stderr.follow()) == ["half"]


def test_a_line_without_an_end_is_followed_in_pieces(
    jober: Jober, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jober.client.output.LINE_AT_MOST", 1000)
    run = jober.run("printf 'one\\n%2500s' x", shell=True)
    assert list(map(len, run.output.follow(60))) == [3, 1000, 1000, 500]
    assert run.output.tail(1) == " " * 2499 + "x\n"


def test_log_records_are_told_apart(jober: Jober) -> None:
    run = jober.run(
        [sys.executable, "-m", "jober.cli", "log", "disk is full", "--level", "warning"]
    )
    run.wait(30)
    [line] = run.logs
    assert (line.level, line.message) == ("WARNING", "disk is full")


def test_a_run_is_run_again_with_its_own_with_other_and_with_more_arguments(jober: Jober) -> None:
    run = jober.run(["echo", "a"], args=["b"], env={"X": "1"})
    run.wait(30)

    def said(*args: str, append: bool = False) -> list[str]:
        again = run.rerun(args or None, append=append)
        assert again.id != run.id
        assert again.wait(30).state is RunState.SUCCESS
        return again.output.lines()

    assert said() == ["a b"]
    assert said("c") == ["a c"]
    assert said("c", append=True) == ["a b c"]


def test_a_run_of_a_job_is_run_again_as_it_was_defined_then(jober: Jober) -> None:
    jober.add_job("sum", call="builtins:sum", args=[[1, 2]])
    run = jober.run("sum", args=[[3, 4]])
    assert run.result(30) == 7
    assert run.rerun().result(30) == 7
    assert run.rerun(args=[10], append=True).result(30) == 17
    again = run.rerun(args=[[5]])
    assert again.result(30) == 5
    assert again.run.job == "sum"
    assert again.rerun(args=[1], append=True).result(30) == 6
    jober.remove_job("sum")
    with pytest.raises(JobNotFound):
        run.rerun()


def test_a_run_that_nobody_knows_is_told_so(jober: Jober) -> None:
    with pytest.raises(RunNotFound):
        jober.handle("nope-m1").rerun()


def test_a_run_without_a_job_outlives_the_agent_that_is_lost(jober: Jober, fleet: Fleet) -> None:
    fleet.scheduler()
    first = fleet.agent("one")
    run = fleet.jober.run(["sleep", "600"], retries=1, retry_delay=0, retry_on=["lost"])
    run.wait(30, until="running")
    # As when the power goes: the agent, and its guardian before it can start another.
    os.kill(fleet.jober.agents()[0].pid, signal.SIGKILL)
    first.kill()
    fleet.agent("two")
    again = run.wait(60, until=lambda told: told.attempt == 2 and told.state == "running")
    assert (again.host, again.state) == ("two", RunState.RUNNING), again
    run.cancel()
    assert run.wait(30).state is RunState.CANCELLED
