"""Jobs by Python: added by what runs, changed, disabled, removed; declared by the decorator."""

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jober import Jober
from jober.embedded import RedisServer
from jober.errors import (
    DefinitionError,
    JobExistError,
    JobNotFound,
    JobProtected,
    JobRunning,
    ScheduleError,
)
from jober.job import NotImportable
from tests.fleet import Fleet
from tests.waiting import wait_until


@pytest.fixture
def jober(redis_server: RedisServer) -> Iterator[Jober]:
    with Jober(redis_server.url) as jober:
        yield jober


def importable() -> str:
    """A function that any process can import which finds the tests."""
    return "done"


@pytest.mark.parametrize(
    ("what", "name", "spec"),
    [
        (importable, "importable", {"call": f"{__name__}:importable"}),
        ("df -h", "df", {"command": "df -h"}),
        (["/bin/ls", "-l"], "ls", {"command": ["/bin/ls", "-l"]}),
        ("pkg.mod:func", "func", {"call": "pkg.mod:func"}),
        ("./x.py", "x", {"script": "./x.py"}),
        ("./x.py:func", "func", {"script": "./x.py:func"}),
        (Path("/srv/x.py"), "x", {"script": "/srv/x.py"}),
    ],
)
def test_a_job_is_added_by_what_runs_and_has_its_name(
    jober: Jober, what: Any, name: str, spec: dict[str, Any]
) -> None:
    record = jober.add_job(what, every=1)
    assert record.name == name
    assert record.job.spec() == {**spec, "every": 1}


@pytest.mark.parametrize(
    "when",
    [{"every": 1}, {"cron": "0 3 * * *"}, {"date": datetime(2030, 1, 1, 3, tzinfo=UTC)}],
)
def test_a_job_is_added_with_a_schedule_and_a_name_of_its_own(
    jober: Jober, when: dict[str, Any]
) -> None:
    record = jober.add_job("date", name="clock", shell=True, **when)
    assert (record.name, record.job.command, record.job.shell) == ("clock", "date", True)
    assert record.job.schedule is not None


def test_a_job_that_exists_is_not_added_again(jober: Jober) -> None:
    jober.add_job("date", name="clock")
    with pytest.raises(JobExistError, match="'clock' exists already"):
        jober.add_job("date", name="clock")
    with pytest.raises(JobExistError):
        jober.add_job("clock", {"func": "date"})


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda jober: jober.add_job(), "there is nothing to run"),
        (lambda jober: jober.add_job(7), "7 is nothing that can be run"),
        (lambda jober: jober.add_job("a b"), None),
        (lambda jober: jober.add_job("/bin/[ x ]"), "it has no name that a job may have"),
        (lambda jober: jober.add_job("a", {"func": "b"}, name="c"), "two names are given"),
        (lambda jober: jober.add_job("a", {"func": "b"}, every=1), "put them into conf"),
        (lambda jober: jober.add_job("a", {"fnc": "b"}), "did you mean 'func'"),
        (lambda jober: jober.add_job("a", ["b"]), "is not a dict"),
        (lambda jober: jober.add_job("date", evry=1), "did you mean 'every'"),
    ],
)
def test_a_call_that_makes_no_job_says_what_is_wrong(
    jober: Jober, call: Callable[[Jober], object], told: str | None
) -> None:
    if told is None:
        call(jober)
        return
    with pytest.raises(DefinitionError, match=told):
        call(jober)
    assert jober.store.jobs.names() == []


def test_a_function_that_only_this_process_has_is_refused_for_a_fleet(jober: Jober) -> None:
    def local() -> None: ...

    class Named:
        def method(self) -> None: ...

    for function in (local, lambda: None, Named().method):
        with pytest.raises(NotImportable, match="cannot be imported by a worker.*use an embedded"):
            jober.add_job(function, name="local", every=1)
    assert jober.store.jobs.names() == []


def test_a_function_of_a_main_program_is_refused_for_a_fleet(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(f"""
        from jober import Jober
        from jober.errors import JoberError

        def mine(): ...

        with Jober({redis_server.url!r}) as jober:
            try:
                jober.add_job(mine, every=1)
            except JoberError as error:
                print(error)
        """)
    )
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)
    assert "mine of __main__ cannot be imported by a worker" in done.stdout


def test_a_job_is_disabled_and_enabled_as_it_is_paused_and_resumed(jober: Jober) -> None:
    jober.add_job("date", name="clock", every=1)
    assert jober.disable("clock")
    assert not jober.pause("clock")
    assert jober.job("clock").paused
    assert jober.enable("clock")
    assert not jober.resume("clock")
    assert not jober.job("clock").paused


def test_what_people_and_programs_note_of_a_job_is_kept(jober: Jober) -> None:
    told: dict[str, Any] = {
        "title": "Clock",
        "notes": "Look at the tower.",
        "tags": ["time"],
        "extra": {"ticket": "OPS-7", "owners": ["a", "b"]},
    }
    jober.add_job("date", name="clock", **told)
    job = jober.job("clock").job
    assert (job.title, job.notes, job.tags, job.extra) == tuple(told.values())


def test_a_protected_job_is_changed_and_removed_by_force_alone(jober: Jober) -> None:
    jober.add_job("date", name="clock", protected=True)
    with pytest.raises(JobProtected):
        jober.update_job("clock", title="Clock")
    with pytest.raises(JobProtected):
        jober.update_job("clock", title="Clock", protected=False)
    with pytest.raises(JobProtected):
        jober.remove("clock")
    assert jober.update_job("clock", title="Clock", force=True).job.title == "Clock"
    assert not jober.update_job("clock", protected=False).job.protected
    jober.remove("clock")
    with pytest.raises(JobNotFound):
        jober.job("clock")


def test_a_job_is_removed_while_it_runs_by_force_alone(fleet: Fleet) -> None:
    fleet.agent("alpha")
    jober = fleet.jober
    jober.add_job("sleep 600", name="long")
    run = jober.run("long")
    wait_until(lambda: run.state == "running")
    with pytest.raises(JobRunning, match=run.id):
        jober.remove("long")
    jober.remove("long", force=True)
    assert run.state == "running"
    run.cancel()
    assert run.wait(30).state == "cancelled"


def test_a_volatile_job_fires_and_is_gone_with_its_run_kept(fleet: Fleet) -> None:
    fleet.agent("alpha")
    jober = fleet.jober
    soon = datetime.now(UTC) + timedelta(seconds=1)
    jober.add_job("echo done", name="once", date=soon, volatile=True)
    fleet.scheduler()
    wait_until(lambda: not jober.store.jobs.names(), 60)
    [run] = jober.runs("once")
    assert run.state == "success"
    assert jober.handle(run.id).output.bytes() == b"done\n"


def test_a_schedule_that_is_none_is_refused(jober: Jober) -> None:
    with pytest.raises(ScheduleError):
        jober.add_job("date", every=[1, "fortnight"])
