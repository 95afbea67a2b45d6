"""Results outlive the agent, the guardian and the host while Redis is away: the journal."""

import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jober.client import RunHandle
from jober.embedded import RedisServer
from jober.run import RunState
from tests.faults.proxy import Proxy
from tests.fleet import Fleet
from tests.mounted import fill, mounted
from tests.waiting import wait_until
from tests.worker.agents import ROLE, agent_of, joined, output, patched_agent, start
from tests.worker.test_process import lives
from tests.worker.test_reports import finishes


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that keeps all that it was told over a crash."""
    with RedisServer(tmp_path / "redis", durable=True) as server:
        yield server


@pytest.fixture
def lasting(server: RedisServer, tmp_path: Path) -> Iterator[Fleet]:
    """A fleet on that Redis."""
    fleet = Fleet(server.url, tmp_path)
    # A crash is not to take what this test has done: that is another matter.
    fleet.jober.store.connection.command("CONFIG", "SET", "appendfsync", "always")
    try:
        yield fleet
    finally:
        fleet.stop()
        print(fleet.logs())  # noqa: T201 - shown by pytest where the test fails


def journals(fleet: Fleet) -> list[Path]:
    """The files of the journal that hold something."""
    files = (fleet.folder / "logs-journal").glob("*.journal")
    return [file for file in files if file.stat().st_size > 8]


def waiting(fleet: Fleet, name: str, then: str, **fields: object) -> RunHandle:
    """A run that has begun, and goes on with `then` once there is a file `go`."""
    wait = f"echo up; while [ ! -e {fleet.folder}/go ]; do sleep 0.02; done; "
    handle = start(fleet, name, command=wait + then, shell=True, **fields)
    wait_until(lambda: output(fleet, handle.id) == "up\n")
    return handle


def go(fleet: Fleet, runs: int) -> None:
    """Let them go on, and wait until the journal has the ends of so many."""
    (fleet.folder / "go").touch()
    wait_until(lambda: sum(file.read_bytes().count(b"outcome") for file in journals(fleet)) == runs)


def kill_all(fleet: Fleet, guardian: "subprocess.Popen[bytes]") -> None:
    """As when the power goes: the agent, its guardian, and what they run."""
    agent = agent_of(guardian)
    guardian.send_signal(signal.SIGSTOP)
    os.kill(agent, signal.SIGKILL)
    guardian.kill()
    guardian.wait()


def test_what_ended_while_redis_was_away_is_reported_though_the_agent_was_killed(
    lasting: Fleet, server: RedisServer
) -> None:
    guardian = lasting.agent("web1", ROLE)
    good = waiting(lasting, "good", "echo down")
    bad = waiting(lasting, "bad", "echo worse >&2; exit 7")
    server.kill()
    go(lasting, 2)
    os.kill(agent_of(guardian), signal.SIGKILL)
    wait_until(lambda: "waiting for Redis" in lasting.logs())
    server.start()
    runs = [handle.wait(20) for handle in (good, bad)]
    assert [(run.state, run.exit_code, run.host) for run in runs] == [
        (RunState.SUCCESS, 0, "web1"),
        (RunState.FAILED, 7, "web1"),
    ]
    # In time: nobody has taken them for lost.
    assert [run.reason for run in runs] == [None, "exit code 7"]
    assert [output(lasting, run.id) for run in runs] == ["up\ndown\n", "up\nworse\n"]
    assert finishes(lasting) == {good.id: 1, bad.id: 1}
    wait_until(lambda: not journals(lasting))
    connection = lasting.jober.store.connection
    for key in ("jober:leases", "jober:slots:good", "jober:active:good", "rq:wip:web"):
        assert connection.command("EXISTS", key) == 0


def test_they_are_reported_after_the_host_has_gone_down_and_come_up_again(
    lasting: Fleet, server: RedisServer
) -> None:
    guardian = lasting.agent("web1", ROLE)
    handle = waiting(lasting, "good", "echo down")
    server.kill()
    go(lasting, 1)
    kill_all(lasting, guardian)
    server.start()
    assert handle.state is RunState.RUNNING
    lasting.agent("web1", ROLE)
    run = handle.wait(45)
    assert (run.state, output(lasting, run.id)) == (RunState.SUCCESS, "up\ndown\n")


def test_an_agent_that_is_told_to_end_while_redis_is_away_leaves_its_results_to_the_next(
    lasting: Fleet, server: RedisServer
) -> None:
    guardian = lasting.agent("web1", ROLE, drain=0)
    handle = waiting(lasting, "stopped", "sleep 60")
    server.kill()
    guardian.terminate()
    guardian.wait(30)
    assert "1 results are kept for the next agent of this host" in lasting.logs()
    server.start()
    lasting.agent("web1", ROLE)
    run = handle.wait(45)
    assert (run.state, run.reason) == (RunState.CANCELLED, "its agent was stopped")


def test_the_truth_replaces_the_loss_that_others_have_concluded(
    lasting: Fleet, server: RedisServer
) -> None:
    guardian = lasting.agent("web1", ROLE)
    handle = waiting(lasting, "good", "echo down; exit 5")
    server.kill()
    go(lasting, 1)
    kill_all(lasting, guardian)
    server.start()
    store = lasting.jober.store
    [lease] = store.connection.command("ZRANGE", "jober:leases", 0, -1)
    store.connection.command("ZADD", "jober:leases", 1, lease)
    assert store.leases.reclaim().lost == (handle.id,)
    lasting.agent("web1", ROLE)
    wait_until(lambda: handle.state is RunState.FAILED)
    assert (handle.run.exit_code, handle.run.reason) == (5, "exit code 5; reported late")


def test_a_result_that_is_told_again_changes_nothing(lasting: Fleet, server: RedisServer) -> None:
    """As where the agent had it acknowledged, and died before it could remove its journal."""
    guardian = lasting.agent("web1", ROLE)
    handle = waiting(lasting, "good", "echo down")
    server.kill()
    go(lasting, 1)
    [journal] = journals(lasting)
    kept = journal.read_bytes()
    server.start()
    handle.wait(45)
    wait_until(lambda: not journals(lasting))
    guardian.terminate()
    guardian.wait(20)
    (journal.parent / "jober-1-1-0.journal").write_bytes(kept + kept[8:])
    before = lasting.jober.store.connection.command("HGETALL", f"rq:job:{handle.id}")
    lasting.agent("web1", ROLE)
    wait_until(lambda: not journals(lasting))
    assert lasting.jober.store.connection.command("HGETALL", f"rq:job:{handle.id}") == before
    assert output(lasting, handle.id) == "up\ndown\n"
    assert finishes(lasting) == {handle.id: 1}


def test_a_failed_attempt_is_tried_again_as_its_job_says(
    lasting: Fleet, server: RedisServer
) -> None:
    guardian = lasting.agent("web1", ROLE)
    handle = waiting(lasting, "flaky", "[ $JOBER_ATTEMPT = 2 ]", retries=1, retry_delay=0)
    server.kill()
    go(lasting, 1)
    kill_all(lasting, guardian)
    server.start()
    lasting.agent("web1", ROLE)
    wait_until(lambda: handle.state is RunState.DELAYED)
    wait_until(lambda: lasting.jober.store.leases.promote()[0] == 1)
    assert handle.wait(45).attempt == 2
    assert [one.state for one in lasting.jober.store.runs.attempts(handle.id)] == [
        RunState.FAILED,
        RunState.SUCCESS,
    ]


def test_where_redis_is_there_nothing_is_written(lasting: Fleet) -> None:
    # A busy machine is not to make a moment of it.
    patched_agent(lasting, "import jober_worker.journal as j; j.LATE_S = 60")
    joined(lasting)
    folder = lasting.folder / "logs-journal"
    wait_until(folder.exists)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    changed = folder.stat().st_mtime_ns
    handles = [start(lasting, f"job{number}", command="true") for number in range(20)]
    assert {handle.wait(45).state for handle in handles} == {RunState.SUCCESS}
    assert folder.stat().st_mtime_ns == changed


def test_a_long_output_that_waited_for_redis_is_marked_where_it_was_cut(
    lasting: Fleet, server: RedisServer
) -> None:
    guardian = lasting.agent("web1", ROLE)
    handle = waiting(lasting, "long", "seq 1 100000; echo the end")
    server.kill()
    go(lasting, 1)
    kill_all(lasting, guardian)
    server.start()
    lasting.agent("web1", ROLE)
    handle.wait(45)
    followed = list(handle.output.frames())
    told = b"".join(getattr(piece, "data", b"") for piece in followed)
    assert told.startswith(b"up\n") and told.endswith(b"100000\nthe end\n")
    [dropped] = [piece.dropped for piece in followed if hasattr(piece, "dropped")]
    size = len("up\nthe end\n") + sum(len(str(number)) + 1 for number in range(1, 100_001))
    assert len(told) + dropped == size


def test_an_agent_that_was_cut_off_for_longer_than_its_lease_reports_what_ended_then(
    lasting: Fleet, server: RedisServer
) -> None:
    with Proxy(server.socket) as relay:
        cut_off = Fleet(relay.url, lasting.folder)
        guardian = cut_off.start(
            "jober-worker", "--host", "web1", "--roles", ROLE, "--log-dir", f"{cut_off.folder}/logs"
        )
        lasting.processes.append(guardian)
        handle = waiting(lasting, "good", "echo down")
        relay.cut()
        go(lasting, 1)
        store = lasting.jober.store
        [lease] = store.connection.command("ZRANGE", "jober:leases", 0, -1)
        store.connection.command("ZADD", "jober:leases", 1, lease)
        assert store.leases.reclaim().lost == (handle.id,)
        relay.heal()
        wait_until(lambda: handle.state is RunState.SUCCESS, 30)
        assert handle.run.reason == "reported late"
        wait_until(lambda: output(lasting, handle.id) == "up\ndown\n")
        wait_until(lambda: not journals(lasting))
        guardian.terminate()
        guardian.wait(20)
        cut_off.jober.close()


def test_the_journal_of_another_fleet_is_left_to_that_fleet(
    lasting: Fleet, server: RedisServer, fleet: Fleet
) -> None:
    guardian = lasting.agent("web1", ROLE)
    handle = waiting(lasting, "good", "echo down")
    server.kill()
    go(lasting, 1)
    kill_all(lasting, guardian)
    fleet.agent("web1", ROLE, log_dir=lasting.folder / "logs")
    wait_until(lambda: f"is left to the agents at {server.url}" in fleet.logs())
    assert len(journals(lasting)) == 1
    assert fleet.jober.store.connection.command("EXISTS", f"rq:job:{handle.id}") == 0
    server.start()
    lasting.agent("web1", ROLE)
    assert handle.wait(45).state is RunState.SUCCESS


def test_runs_that_this_redis_knows_nothing_of_are_passed_over(
    lasting: Fleet, server: RedisServer
) -> None:
    guardian = lasting.agent("web1", ROLE)
    waiting(lasting, "good", "echo down")
    server.kill()
    go(lasting, 1)
    kill_all(lasting, guardian)
    server.start()
    connection = lasting.jober.store.connection
    connection.command("FLUSHALL")
    lasting.agent("web1", ROLE)
    wait_until(lambda: not journals(lasting))
    assert "reported 0 results" in lasting.logs()
    assert [key for key in connection.command("KEYS", "*") if b"good" in key] == []


def test_what_a_crash_has_torn_is_told_and_keeps_nobody_from_the_rest(
    lasting: Fleet, server: RedisServer
) -> None:
    guardian = lasting.agent("web1", ROLE)
    handle = waiting(lasting, "good", "echo down")
    server.kill()
    go(lasting, 1)
    kill_all(lasting, guardian)
    [journal] = journals(lasting)
    with journal.open("ab") as file:
        file.write(journal.read_bytes()[8:-3])
    (journal.parent / "jober-1-1-0.journal").write_bytes(b"no journal at all")
    server.start()
    lasting.agent("web1", ROLE)
    assert handle.wait(45).state is RunState.SUCCESS
    wait_until(lambda: not journals(lasting))
    assert f"of the journal {journal} are torn" in lasting.logs()


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 64 KiB."""
    with mounted(tmp_path / "small", "size=64k") as folder:
        yield folder


def problems(fleet: Fleet) -> list[str]:
    """What agents have told of their journals."""
    return [
        event.facts["reason"]
        for event in fleet.jober.store.events.newest()
        if event.type == "agent.problem"
    ]


def test_a_full_disk_costs_no_result_while_the_agent_lives_and_is_told_once_and_loudly(
    lasting: Fleet, server: RedisServer, full: Path
) -> None:
    lasting.agent("web1", ROLE, "--journal-dir", str(full))
    handles = [waiting(lasting, f"job{n}", f"echo down; exit {n}") for n in (1, 2)]
    fill(full)
    server.kill()
    (lasting.folder / "go").touch()
    wait_until(lambda: "No space left on device. What ends while Redis" in lasting.logs())
    server.start()
    runs = [handle.wait(20) for handle in handles]
    assert [run.exit_code for run in runs] == [1, 2]
    assert [output(lasting, run.id) for run in runs] == ["up\ndown\n"] * 2
    wait_until(lambda: problems(lasting) == [f"{full}: No space left on device"])
    assert lasting.logs().count("CRITICAL") == 1


def test_a_disk_that_takes_no_more_than_the_beginning_of_a_result_is_as_a_full_one(
    lasting: Fleet, server: RedisServer
) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))"
    guardian = patched_agent(lasting, limit)
    handle = waiting(lasting, "good", "seq 1 30000")
    server.kill()
    (lasting.folder / "go").touch()
    wait_until(lambda: "File too large. What ends while Redis is away" in lasting.logs())
    assert journals(lasting) == []
    server.start()
    assert handle.wait(20).state is RunState.SUCCESS
    assert guardian.poll() is None


def test_a_folder_that_cannot_be_made_is_told_at_the_start_and_stops_no_run(fleet: Fleet) -> None:
    (fleet.folder / "file").touch()
    fleet.agent("web1", ROLE, "--journal-dir", str(fleet.folder / "file" / "journal"))
    wait_until(lambda: "file/journal cannot be written: Not a directory" in fleet.logs())
    assert start(fleet, "good", command="true").wait(45).state is RunState.SUCCESS
    wait_until(lambda: problems(fleet))


def test_a_guardian_that_is_killed_while_redis_is_away_leaves_the_results_of_its_agent(
    lasting: Fleet, server: RedisServer
) -> None:
    guardian = lasting.agent("web1", ROLE)
    handle = waiting(lasting, "long", "sleep 60")
    server.kill()
    agent = agent_of(guardian)
    guardian.kill()
    guardian.wait()
    wait_until(lambda: not lives(agent), 40)
    assert len(journals(lasting)) == 1
    server.start()
    lasting.agent("web1", ROLE)
    run = handle.wait(45)
    assert (run.state, run.reason) == (RunState.CANCELLED, "its agent was stopped")
