"""The guardian: whatever becomes of the agent or of itself, nothing of a run is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jober.embedded import RedisServer
from jober.pace import VARIABLE as PACE
from jober.run import RunState
from tests.fleet import BIN, Fleet
from tests.waiting import wait_until
from tests.worker.agents import (
    ROLE,
    agent_of,
    joined,
    lease_of,
    numbers,
    output,
    patched_agent,
    start,
)
from tests.worker.test_process import lives

# A tree of every kind: in the session, out of it, twice forked, deaf to TERM.
TREE = (
    "trap '' TERM; sleep 60 & echo $!; setsid sh -c 'trap \"\" TERM; echo $$; sleep 60' & "
    "(setsid sh -c 'echo $$; exec sleep 60' >&1 &) ; echo $$; wait"
)


SLEEP_WHEN_FORKED = "import os, time\nos.register_at_fork(after_in_child=lambda: time.sleep({}))"


def test_when_the_agent_is_killed_its_runs_are_gone_in_a_second_and_another_joins(
    fleet: Fleet,
) -> None:
    guardian = fleet.agent("web1", ROLE)
    first = joined(fleet)
    pids = numbers(fleet, start(fleet, "tree", command=TREE, shell=True), 4)
    os.kill(agent_of(guardian), signal.SIGKILL)
    wait_until(lambda: not any(lives(pid) for pid in pids), within=1)
    wait_until(lambda: {agent.id for agent in fleet.jober.agents()} - {first}, within=30)
    assert guardian.poll() is None


def test_when_an_agent_that_drains_is_killed_its_runs_are_gone_before_the_guardian(
    fleet: Fleet,
) -> None:
    """No other agent comes after it, that would see to what is left."""
    guardian = fleet.agent("web1", ROLE, drain=60)
    agent = agent_of(guardian)
    pids = numbers(fleet, start(fleet, "tree", command=TREE, shell=True), 4)
    guardian.send_signal(signal.SIGTERM)
    wait_until(lambda: [one.state for one in fleet.jober.agents()] == ["draining"])
    os.kill(agent, signal.SIGKILL)
    guardian.wait(45)
    assert [pid for pid in pids if lives(pid)] == []


def test_a_paused_agent_is_killed_before_its_leases_are_over(fleet: Fleet) -> None:
    guardian = fleet.agent("web1", ROLE)
    handle = start(fleet, "tree", command=TREE, shell=True)
    pids = numbers(fleet, handle, 4)
    agent = agent_of(guardian)
    os.kill(agent, signal.SIGSTOP)
    _, ends_ms = lease_of(fleet, handle.id)
    wait_until(lambda: not any(lives(pid) for pid in [agent, *pids]), within=10)
    seconds, micros = fleet.jober.store.connection.client.time()
    assert seconds * 1000 + micros / 1000 < ends_ms


def test_an_agent_that_is_slow_to_start_is_waited_for(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PACE, "0.2")
    # Longer than an agent that has started may be silent, at that pace.
    guardian = patched_agent(fleet, SLEEP_WHEN_FORKED.format(3))
    joined(fleet)
    assert agent_of(guardian)
    assert "no sign of life" not in fleet.logs()


def test_an_agent_that_never_starts_is_killed_and_another_started(fleet: Fleet) -> None:
    # How long that takes has nothing to do with leases, so no pace makes it shorter.
    impatient = "from jober_worker import guardian\nguardian.FIRST_SIGN_S = 3.0\n"
    patched_agent(fleet, impatient + SLEEP_WHEN_FORKED.format(600))
    told = "no sign of life from the agent for 3 s; killing it"
    wait_until(lambda: told in fleet.logs() and "starting another" in fleet.logs(), 30, told)


def test_when_the_guardian_is_killed_the_agent_and_all_its_runs_are_gone_at_once(
    fleet: Fleet,
) -> None:
    guardian = fleet.agent("web1", ROLE)
    handle = start(fleet, "tree", command=TREE, shell=True)
    pids = numbers(fleet, handle, 4)
    agent = agent_of(guardian)
    guardian.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(lives(pid) for pid in [agent, *pids]), within=1.5)
    run = handle.run
    assert (run.state, run.reason) == (RunState.CANCELLED, "its agent was stopped")
    assert fleet.jober.agents() == []


def test_an_agent_that_is_told_to_stop_lets_its_run_end_and_leaves_in_order(fleet: Fleet) -> None:
    guardian = fleet.agent("web1", ROLE, drain=30)
    handle = start(fleet, "slow", command="echo up; read x < $FIFO; echo $x", shell=True,
                   env={"FIFO": str(_fifo(fleet))})  # fmt: skip
    wait_until(lambda: output(fleet, handle.id) == "up\n")
    fleet.jober.add_job("late", command="true", roles=[ROLE])
    guardian.send_signal(signal.SIGTERM)
    wait_until(lambda: [agent.state for agent in fleet.jober.agents()] == ["draining"])
    late = fleet.jober.run("late")
    (fleet.folder / "fifo").write_text("done\n")
    assert guardian.wait(45) == 0
    assert handle.run.state is RunState.SUCCESS
    assert output(fleet, handle.id) == "up\ndone\n"
    assert late.state is RunState.QUEUED
    assert fleet.jober.agents() == []
    assert fleet.jober.store.connection.command("SCARD", "rq:workers") == 0


def _fifo(fleet: Fleet) -> Path:
    os.mkfifo(fleet.folder / "fifo")
    return fleet.folder / "fifo"


def test_a_second_signal_hurries_and_a_third_kills(fleet: Fleet) -> None:
    guardian = fleet.agent("web1", ROLE, drain=60)
    wait = "echo up; while :; do sleep 0.05; done"
    polite = start(fleet, "polite", command=f"trap 'exit 9' TERM; {wait}", shell=True)
    deaf = start(fleet, "deaf", command=f"trap '' TERM; {wait}", shell=True)
    wait_until(lambda: output(fleet, polite.id) == output(fleet, deaf.id) == "up\n")
    guardian.send_signal(signal.SIGTERM)
    wait_until(lambda: [agent.state for agent in fleet.jober.agents()] == ["draining"])
    guardian.send_signal(signal.SIGTERM)
    assert polite.wait(45).exit_code == 9
    assert deaf.state is RunState.RUNNING
    guardian.send_signal(signal.SIGTERM)
    assert guardian.wait(3) == 0
    assert [handle.run.state for handle in (polite, deaf)] == [RunState.CANCELLED] * 2
    assert deaf.run.exit_code == 137


def test_a_function_that_never_ends_does_not_keep_its_agent_and_is_told_as_cancelled(
    fleet: Fleet,
) -> None:
    guardian = patched_agent(fleet, "import jober_worker.leaving as a; a.KILL_S = 0.2", drain=0)
    handle = start(fleet, "hangs", call="time:sleep", args=[3600])
    wait_until(lambda: handle.state is RunState.RUNNING)
    for _ in range(2):
        # The drain is none, so one would do; another ends the time for stopping.
        guardian.send_signal(signal.SIGTERM)
        wait_until(lambda: "stopping hangs" in fleet.logs())
    assert guardian.wait(6) == 0
    assert (handle.run.state, handle.run.reason) == (RunState.CANCELLED, "its agent was stopped")


def test_ctrl_c_drains_too_and_is_not_ignored_by_programs(fleet: Fleet) -> None:
    guardian = fleet.agent("web1", ROLE)
    code = "import signal; print(signal.getsignal(signal.SIGINT).__name__)"
    run = start(fleet, "signals", command=[sys.executable, "-c", code]).wait(45)
    assert output(fleet, run.id) == "default_int_handler\n"
    for pid in (agent_of(guardian), guardian.pid):  # as the terminal does
        os.kill(pid, signal.SIGINT)
    assert guardian.wait(45) == 0
    assert fleet.jober.agents() == []


def test_an_agent_told_to_stop_while_redis_is_away_ends_in_bounded_time(tmp_path: Path) -> None:
    with RedisServer() as server:
        fleet = Fleet(server.url, tmp_path)
        try:
            guardian = patched_agent(
                fleet, "import jober_worker.leaving as a; a.REPORT_S = 1.0", drain=0
            )
            joined(fleet)
            pids = numbers(fleet, start(fleet, "tree", command=TREE, shell=True), 4)
            server.kill()
            began = time.monotonic()
            guardian.send_signal(signal.SIGTERM)
            wait_until(lambda: "stopping" in fleet.logs())
            # The grace of the deaf is cut short.
            guardian.send_signal(signal.SIGTERM)
            assert guardian.wait(45) == 0
            assert time.monotonic() - began < 8
            assert not any(lives(pid) for pid in pids)
            assert "1 results could not be reported" in fleet.logs()
        finally:
            fleet.stop()


def test_a_signal_at_the_very_start_is_not_lost(tmp_path: Path) -> None:
    with RedisServer() as server:
        command = [str(BIN / "jober-worker"), "--redis", server.url, "--host", "web1"]
        # From before the interpreter is up to some time after the agent is.
        for n in range(8):
            process = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
            wait_until(lambda pid=process.pid: b"jober" in _command(pid))  # type: ignore[misc]
            time.sleep(0.05 * n)
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=60)
            early = process.returncode == -signal.SIGTERM and told == b""
            assert process.returncode == 0 or early, told
            assert not _in_session(process.pid)


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _in_session(session: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            stat = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat[3]) == session and stat[0] != "Z":
            found.append(int(path.parent.name))
    return found


def test_an_agent_that_dies_at_its_start_is_tried_again_ever_more_slowly(fleet: Fleet) -> None:
    guardian = patched_agent(
        fleet,
        "import jober_worker.guardian as g, jober_worker.serve as s\n"
        "g.RESTART_S = 0.2\n"
        "def die(*_): raise RuntimeError('at the start')\n"
        "s.serve = die",
    )
    wait_until(lambda: "starting another in 0.8 s" in fleet.logs())
    told = [line for line in fleet.logs().splitlines() if "starting another" in line]
    assert [line.split(" in ")[1] for line in told] == ["0.2 s", "0.4 s", "0.8 s"]
    guardian.send_signal(signal.SIGTERM)
    assert guardian.wait(2) == 0


def test_settings_that_can_never_work_end_the_guardian_with_the_reason(tmp_path: Path) -> None:
    ended = subprocess.run(
        [str(BIN / "jober-worker"), "--redis", "http://here", "--host", "web1"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 78
    assert "'http://here' is not an address of Redis" in ended.stderr


def test_the_guardian_stays_small() -> None:
    code = (
        "import sys, jober_worker.main\n"
        "print(*sorted(set(m.split('.')[0] for m in sys.modules)))\n"
        "print(open('/proc/self/statm').read().split()[1])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    modules, pages = told.splitlines()
    large = {"redis", "rq", "pydantic", "msgpack", "asyncio", "subprocess", "hashlib", "socket"}
    # Each of these is half a megabyte.
    large |= {"datetime", "pathlib", "tomllib", "urllib"}
    assert not large & set(modules.split())
    assert int(pages) * os.sysconf("SC_PAGESIZE") < 18_000_000
