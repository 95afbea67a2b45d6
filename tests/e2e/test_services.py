"""Services on a real fleet: kept alive, moved, and never two at once."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from jober.run import RunState
from jober.service import ServicePlace
from tests.fleet import BIN, Fleet
from tests.waiting import wait_until
from tests.worker.agents import agent_of

ROLE = "web"

# Says in a file when it begins, and that it goes on, for each to be seen after any kind of end.
BEAT = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in sys.argv else signal.SIG_DFL)
file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
while True:
    words = (time.monotonic(), os.environ["JOBER_HOST"], os.environ["JOBER_RUN_ID"], os.getpid())
    os.write(file, (" ".join(map(str, words)) + "\\n").encode())
    os.fsync(file)
    time.sleep(0.02)
"""


@pytest.fixture
def beats(fleet: Fleet) -> Path:
    (fleet.folder / "beat.py").write_text(BEAT)
    return fleet.folder / "beats"


def serve(fleet: Fleet, beats: Path, *arguments: str, **fields: Any) -> None:
    """A service that beats."""
    script = str(fleet.folder / "beat.py")
    given = {"script": script, "args": [str(beats), *arguments], "roles": [ROLE], **fields}
    fleet.jober.add_job("svc", service=True, restart_delay=0.2, **given)


def places(fleet: Fleet, name: str = "svc") -> dict[str, ServicePlace]:
    service = fleet.jober.service(name)
    return {place.name: place for place in service.places} if service else {}


def running(fleet: Fleet, n: int = 1, name: str = "svc", within: float = 30) -> dict[str, str]:
    """The runs that go on and have written something, by host, as soon as there are so many."""

    def found() -> dict[str, str] | None:
        live = [one.run for one in places(fleet, name).values() if one.run]
        going = {run.host or "": run.id for run in live if run.state is RunState.RUNNING}
        return going if len(going) == n else None

    return wait_until(found, within, f"{n} runs of {name}")


def beaten(beats: Path) -> list[tuple[float, str, str, int]]:
    """Each beat: when, on which host, of which run, and by which process."""
    found = [line.split() for line in beats.read_text().splitlines()] if beats.exists() else []
    return [(float(at), host, run, int(pid)) for at, host, run, pid in found if pid]


def wait_for_beat(beats: Path, run: str) -> int:
    """Wait until a run has beaten; its process."""
    return wait_until(lambda: [b[3] for b in beaten(beats) if b[2] == run], 20, f"{run} beats")[0]


def check_no_overlap(beats: Path) -> list[str]:
    """The processes in order, of which each had ended before the next began."""
    spans: dict[int, tuple[float, float]] = {}
    for at, _, _, pid in beaten(beats):
        spans[pid] = (spans.get(pid, (at, at))[0], at)
    in_turn = sorted(spans.values())
    assert all(a[1] < b[0] for a, b in zip(in_turn, in_turn[1:], strict=False)), in_turn
    hosts = {pid: host for _, host, _, pid in beaten(beats)}
    return [hosts[pid] for pid in sorted(spans, key=lambda pid: spans[pid])]


def others(fleet: Fleet, host: str) -> str:
    return "web2" if host == "web1" else "web1"


def another(fleet: Fleet, run: str, within: float = 30) -> str:
    """The run that follows a run."""
    return wait_until(lambda: set(running(fleet).values()) - {run}, within, f"after {run}").pop()


def test_one_whose_host_dies_is_moved_and_never_runs_twice(fleet: Fleet, beats: Path) -> None:
    guardians = {host: fleet.agent(host, ROLE) for host in ("web1", "web2")}
    fleet.scheduler()
    serve(fleet, beats)
    [(host, run)] = running(fleet).items()
    pid = wait_for_beat(beats, run)
    # The agent dies, and there is to be no other: nobody tells of what it ran.
    os.kill(agent_of(guardians[host]), signal.SIGKILL)
    guardians[host].send_signal(signal.SIGTERM)
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), told="the old process is gone")
    moved = wait_until(lambda: running(fleet).get(others(fleet, host)), 20, "moved")
    wait_for_beat(beats, moved)
    assert check_no_overlap(beats) == [host, others(fleet, host)]
    assert fleet.jober.handle(run).state is RunState.LOST


def test_an_agent_that_hangs_has_let_go_before_another_host_begins(
    fleet: Fleet, beats: Path
) -> None:
    guardians = {host: fleet.agent(host, ROLE) for host in ("web1", "web2")}
    fleet.scheduler()
    serve(fleet, beats, "deaf")
    [(host, run)] = running(fleet).items()
    wait_for_beat(beats, run)
    os.kill(agent_of(guardians[host]), signal.SIGSTOP)
    following = another(fleet, run)
    wait_for_beat(beats, following)
    check_no_overlap(beats)


def test_an_agent_that_cannot_reach_redis_lets_go_of_what_may_run_elsewhere(
    fleet: Fleet, beats: Path
) -> None:
    fleet.agent("web1", ROLE)
    fleet.scheduler()
    serve(fleet, beats, "deaf", grace=600)
    fleet.jober.add_job("each", command="sleep 600", service=True, on="every", roles=[ROLE])
    [run] = running(fleet).values()
    [each] = running(fleet, name="each").values()
    pid = wait_for_beat(beats, run)
    info = fleet.jober.store.connection.command("INFO", "server")
    server = int(info["process_id"] if isinstance(info, dict) else _pid_in(info))
    os.kill(server, signal.SIGSTOP)
    try:
        stopped = time.monotonic()
        wait_until(lambda: not Path(f"/proc/{pid}").exists(), 20, "it has let go")
        assert time.monotonic() - stopped < 10, "before its lease was over"
        assert "sleep 600" in subprocess.run(["ps", "ax"], capture_output=True, text=True).stdout
    finally:
        os.kill(server, signal.SIGCONT)
    following = another(fleet, run, 40)
    wait_for_beat(beats, following)
    check_no_overlap(beats)
    assert each


def _pid_in(info: bytes) -> int:
    found = re.search(rb"process_id:(\d+)", info)
    assert found
    return int(found[1])


def test_one_that_crashes_is_started_with_a_growing_delay(fleet: Fleet) -> None:
    fleet.agent("web1", ROLE)
    fleet.scheduler()
    fleet.jober.add_job(
        "svc", command="exit 3", shell=True, service=True, roles=[ROLE], restart_delay=0.2
    )
    wait_until(lambda: sum(run.state.is_final for run in fleet.jober.runs("svc")) >= 5, 30, "five")
    runs = fleet.jober.runs("svc")[::-1][:5]
    gaps = [
        (after.started_at_ms or 0) - (before.ended_at_ms or 0)
        for before, after in zip(runs, runs[1:], strict=False)
    ]
    for gap, delay in zip(gaps, (200, 400, 800, 1600), strict=True):
        assert gap >= delay, gaps
    [place] = places(fleet).values()
    assert (place.state.restarts, place.state.failures) >= (4, 4)
    told = [event for event in fleet.jober.recent_events() if event.type == "service.restarting"]
    assert told[-1].facts["reason"] == "exit code 3"


def test_one_that_was_healthy_begins_its_delays_anew(fleet: Fleet, beats: Path) -> None:
    fleet.agent("web1", ROLE)
    fleet.scheduler()
    serve(fleet, beats, healthy_after=1)
    [run] = running(fleet).values()
    for _ in range(2):
        os.kill(wait_for_beat(beats, run), signal.SIGKILL)
        run = another(fleet, run)
    wait_until(lambda: places(fleet)["*"].word == "healthy", 20, "it is healthy")
    assert places(fleet)["*"].state.failures == 0
    assert places(fleet)["*"].state.restarts == 2
    healthy = [e for e in fleet.jober.recent_events() if e.type == "service.healthy"]
    assert healthy[0].facts["run"] == run
    shown = subprocess.run(
        [str(BIN / "jober"), "show", "svc", "--redis", fleet.url], capture_output=True, text=True
    ).stdout
    assert "healthy on web1 for" in shown and "2 restarts" in shown


def test_pausing_stops_it_and_resuming_starts_it(fleet: Fleet, beats: Path) -> None:
    fleet.agent("web1", ROLE)
    fleet.scheduler()
    serve(fleet, beats)
    [first] = running(fleet).values()
    fleet.jober.pause("svc")
    assert fleet.jober.handle(first).wait(45).reason == "its job was paused"
    assert places(fleet) == {}
    fleet.jober.resume("svc")
    [second] = running(fleet).values()
    assert fleet.jober.handle(second).cancel() == "asked"
    third = another(fleet, second)
    fleet.jober.remove_job("svc", force=True)
    assert fleet.jober.handle(third).wait(45).reason == "its job was removed"
    check_no_overlap(beats)


def test_a_changed_definition_is_followed_and_a_new_title_is_not(fleet: Fleet, beats: Path) -> None:
    fleet.agent("web1", ROLE)
    fleet.scheduler()
    serve(fleet, beats)
    [first] = running(fleet).values()
    fleet.jober.update_job("svc", title="A service")
    fleet.jober.update_job("svc", env={"COLOUR": "blue"})
    second = another(fleet, first)
    assert fleet.jober.handle(first).run.reason == "its definition was changed"
    assert fleet.jober.handle(second).run.revision == 3
    assert len(fleet.jober.runs("svc")) == 2
    fleet.jober.update_job("svc", on="every")
    third = another(fleet, second)
    assert list(places(fleet)) == ["web1"] and third
    check_no_overlap(beats)


def test_on_every_host_one_runs_and_on_those_that_come_too(fleet: Fleet, beats: Path) -> None:
    fleet.agent("web1", ROLE)
    fleet.scheduler()
    serve(fleet, beats, on="every")
    assert list(running(fleet, 1)) == ["web1"]
    leaving = fleet.agent("web2", ROLE)
    assert set(running(fleet, 2)) == {"web1", "web2"}
    leaving.send_signal(signal.SIGTERM)
    leaving.wait(45)
    wait_until(lambda: list(places(fleet)) == ["web1"], 20, "one place")
    assert len(fleet.jober.runs("svc")) == 2


def test_a_cordoned_host_passes_it_on(fleet: Fleet, beats: Path) -> None:
    for host in ("web1", "web2"):
        fleet.agent(host, ROLE)
    fleet.scheduler()
    serve(fleet, beats)
    [(host, run)] = running(fleet).items()
    wait_for_beat(beats, run)
    fleet.jober.cordon(host)
    wait_until(lambda: running(fleet).get(others(fleet, host)), 20, "moved")
    assert fleet.jober.handle(run).run.reason == f"{host} takes no runs of it any more"
    check_no_overlap(beats)


def test_leaders_that_die_while_it_crashes_make_no_second_one(fleet: Fleet, beats: Path) -> None:
    for host in ("web1", "web2"):
        fleet.agent(host, ROLE)
    for _ in range(3):
        fleet.scheduler()
    serve(fleet, beats, restart_max_delay=0.2)
    for _ in range(2):
        leader = fleet.leading()
        for _ in range(3):
            [run] = running(fleet).values()
            os.kill(wait_for_beat(beats, run), signal.SIGKILL)
            another(fleet, run)
        [run] = running(fleet).values()
        os.kill(wait_for_beat(beats, run), signal.SIGKILL)
        leader.send_signal(signal.SIGKILL)
        leader.wait()
        another(fleet, run)
    [run] = running(fleet).values()
    wait_for_beat(beats, run)
    check_no_overlap(beats)
    live = [run for run in fleet.jober.runs("svc", limit=100) if not run.state.is_final]
    assert len(live) == 1
