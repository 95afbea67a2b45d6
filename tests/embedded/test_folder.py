"""jober with no server at hand: a private Redis in a temporary folder, or in one that programs
share, as real processes; and of all that nothing is left."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jober import Jober
from jober.errors import JoberError, RedisUnavailable
from jober.run import RunState
from tests.embedded.programs import (
    WITHIN_S,
    left_in,
    program,
    said,
    started_for,
    tell,
    wait_until_gone,
)
from tests.waiting import wait_until

OPEN = "j = Jober(*sys.argv[1:2]); print(j.url, flush=True)\n"
HOLD = OPEN + "input()\n"


@pytest.fixture(autouse=True)
def _of_no_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOBER_REDIS_URL", raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    for name in ("keeper.log", "agent.log", "scheduler.log", "redis.log"):
        if (log := tmp_path / "state" / name).exists():
            print(f"== {name}\n{log.read_text()}")  # noqa: T201 - shown where the test fails


def folder_of(url: str) -> Path:
    return Path(url.removeprefix("unix://")).parent


@pytest.mark.parametrize("end", ["in order", "at its end", "killed"])
def test_a_private_redis_goes_with_its_program_and_leaves_nothing(end: str) -> None:
    body = "j.close(); print('closed', flush=True); input()" if end == "in order" else "input()"
    with program(OPEN + "print(j.run(['echo', 'hi']).wait(60).state, flush=True)\n" + body) as one:
        url = said(one)
        assert said(one) == "success"
        family = started_for(url) if end != "in order" else []
        if end == "in order":
            assert said(one) == "closed"
        elif end == "killed":
            one.kill()
        else:
            tell(one)
        wait_until(lambda: not folder_of(url).exists(), WITHIN_S)
        wait_until_gone(family)


def test_what_is_in_a_folder_is_kept(folder: Path) -> None:
    with Jober(folder) as jober:
        run = jober.run(["echo", "kept"])
        assert run.wait(WITHIN_S).state is RunState.SUCCESS
        family = started_for(jober.url)
    # Who opens it again at once waits until the ones before have ended.
    with Jober(folder) as jober:
        assert jober.handle(run.id).output.lines() == ["kept"]
        family += started_for(jober.url)
    wait_until_gone(family)
    assert left_in(folder) == set()


def test_programs_that_open_a_folder_at_once_share_one_redis_and_one_agent(folder: Path) -> None:
    with (
        program(HOLD, folder) as one,
        program(HOLD, folder) as two,
        program(HOLD, folder) as three,
    ):
        urls = {said(each) for each in (one, two, three)}
        assert len(urls) == 1
        family = started_for(urls.pop())
        names = [process.name() for process in family]
        assert len([name for name in names if "redis-server" in name or "valkey" in name]) == 1
        with Jober(folder) as jober:
            wait_until(lambda: jober.agents() and jober.leader(), WITHIN_S)
            assert len(jober.agents()) == 1
        for each in (one, two, three):
            assert all(process.is_running() for process in family[:2])
            tell(each)
            each.wait(WITHIN_S)
    wait_until_gone(family)
    assert left_in(folder) == set()


def test_runs_of_one_program_are_seen_by_others_and_end_with_it(folder: Path) -> None:
    makes = OPEN + (
        "print(j.run(['sleep', '600']).id, flush=True)\n"
        "print(j.run('sleep 600', shell=True, detach=True).id, flush=True)\n"
        "input()\n"
    )
    with Jober(folder) as jober:
        with program(makes, folder) as other:
            said(other)
            own, detached = jober.handle(said(other)), jober.handle(said(other))
            for run in (own, detached):
                assert run.wait(WITHIN_S, until="running").state is RunState.RUNNING
            tell(other)
            other.wait(WITHIN_S)
        ended = own.wait(WITHIN_S)
        assert (ended.state, ended.reason) == (
            RunState.CANCELLED,
            "the program that it was run for has ended",
        )
        assert detached.state == "running"
        detached.cancel()
        assert detached.wait(WITHIN_S).state is RunState.CANCELLED


def test_a_detached_run_goes_on_to_its_end_though_nobody_is_there(
    folder: Path, tmp_path: Path
) -> None:
    gate, done = tmp_path / "gate", tmp_path / "done"
    waits = f"until [ -e {gate} ]; do sleep 0.02; done; touch {done}"
    with program(
        OPEN + "print(j.run(sys.argv[2], shell=True, detach=True).id)", folder, waits
    ) as one:
        url, id = said(one), said(one)
        family = started_for(url)
        assert one.wait(WITHIN_S) == 0
    assert family[0].is_running()
    gate.touch()
    wait_until(done.exists, WITHIN_S)
    wait_until_gone(family)
    with Jober(folder) as jober:
        assert jober.handle(id).state == "success"


def test_where_one_of_two_programs_is_killed_the_other_goes_on_and_nothing_is_lost(
    folder: Path,
) -> None:
    makes = OPEN + (
        "for n in range(20): print(j.run(['sleep', '0.2']).id, flush=True)\n"
        "print(j.run(['sleep', '600']).id, flush=True)\n"
        "input()\n"
    )
    with program(HOLD, folder) as first:
        url = said(first)
        with program(makes, folder) as second, Jober(folder) as jober:
            assert said(second) == jober.url == url
            theirs = [jober.handle(said(second)) for _ in range(21)]
            ours = [jober.run(["sleep", "0.2"]) for _ in range(20)]
            family = started_for(url)
            # The one that had started it all, and one that has runs there.
            first.kill()
            second.kill()
            assert {run.wait(WITHIN_S).state for run in ours} == {RunState.SUCCESS}
            ended = [run.wait(WITHIN_S).state for run in theirs]
            assert set(ended) <= {RunState.SUCCESS, RunState.CANCELLED}
            assert ended[-1] is RunState.CANCELLED
            assert jober.run(["echo", "on"]).wait(WITHIN_S).state is RunState.SUCCESS
            assert {process.pid for process in family[:2]} <= {
                process.pid for process in started_for(url)
            }
            wait_until(lambda: len(jober.store.owners.all()) <= 1, WITHIN_S)
    wait_until_gone(family)
    with Jober(folder) as jober:
        assert {jober.handle(run.id).state for run in ours} == {RunState.SUCCESS}


def test_a_child_that_a_killed_program_has_forked_is_no_member_in_its_place(folder: Path) -> None:
    forks = OPEN + (
        "import os, time\n"
        "child = os.fork()\n"
        "if child == 0: time.sleep(600)\n"
        "print(child, flush=True)\n"
        "input()\n"
    )
    with program(forks, folder) as one:
        url, child = said(one), int(said(one))
        try:
            family = started_for(url)
            one.kill()
            wait_until_gone(family)
        finally:
            os.kill(child, signal.SIGKILL)


def test_where_the_keeper_is_killed_its_members_start_another_and_nothing_is_lost(
    folder: Path,
) -> None:
    with Jober(folder) as jober:
        done = jober.run(["true"])
        assert done.wait(WITHIN_S).state is RunState.SUCCESS
        family = started_for(jober.url)
        family[0].kill()
        wait_until_gone(family)

        def is_back() -> bool:
            try:
                return bool(jober.agents())
            except RedisUnavailable:
                return False

        wait_until(is_back, WITHIN_S)
        # Redis was told to end, and has written all that it had.
        assert done.state == "success"
        assert jober.run(["echo", "again"]).wait(WITHIN_S).state is RunState.SUCCESS
        family = started_for(jober.url)
    wait_until_gone(family)


def test_a_folder_with_a_long_path_has_its_sockets_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 20) / ("deep" * 20)
    with Jober(folder) as jober:
        assert jober.run(["true"]).wait(WITHIN_S).state is RunState.SUCCESS
        sockets = folder_of(jober.url)
        assert sockets != folder
        family = started_for(jober.url)
    wait_until_gone(family)
    assert not sockets.exists()


def test_a_folder_that_cannot_be_had_is_told_and_nothing_is_started(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    with pytest.raises(JoberError) as caught:
        Jober(tmp_path / "file" / "state")
    assert "cannot be used: Not a directory (name another)" in str(caught.value)
    assert {process.pid for process in psutil.Process().children(recursive=True)} == before


def test_what_runs_in_a_folder_runs_where_its_program_is(folder: Path, tmp_path: Path) -> None:
    with Jober(folder) as jober:
        run = jober.run(["pwd"], cwd=tmp_path)
        run.wait(WITHIN_S)
        assert run.output.lines() == [str(tmp_path)]
        run = jober.run(["pwd"])
        run.wait(WITHIN_S)
        assert run.output.lines() == [os.getcwd()]


def test_a_program_that_runs_in_a_folder_is_told_the_redis_of_its_run(folder: Path) -> None:
    """It makes up none of its own."""
    asks = [sys.executable, "-c", "from jober import Jober; print(Jober().url)"]
    with Jober(folder) as jober:
        run = jober.run(asks)
        assert run.wait(WITHIN_S).state is RunState.FAILED
        assert "this is inside a run, and nothing says which Redis" in run.stderr.lines()[-1]
        run = jober.run(asks, env={"JOBER_REDIS_URL": jober.url})
        run.wait(WITHIN_S)
        assert run.output.lines() == [jober.url]
