"""No process outlives its run, and no run loses one to the clearing up after another."""

import subprocess
import sys

import pytest

from jober.run import RunState
from tests.fleet import ROOT, Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, ended, numbers, output, start, zombies_below
from tests.worker.orphan_rounds import ENDS, Rounds
from tests.worker.test_process import lives

# Two forks and a session of its own: the daemon of the textbooks.
DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        {what}
        time.sleep(60)
    os._exit(0)
os.wait()
time.sleep({stay})
"""
CLOSED = "null = os.open(os.devnull, os.O_RDWR); [os.dup2(null, fd) for fd in (0, 1, 2)]"
WIPED = CLOSED + "; os.execve('/bin/sleep', ['sleep', '60'], {{}})".format()


def daemon(what: str = "", stay: float = 0.1) -> list[str]:
    return [sys.executable, "-c", DAEMON.format(what=what, stay=stay)]


@pytest.fixture
def agent(fleet: Fleet) -> "subprocess.Popen[bytes]":
    return fleet.agent("web1", ROLE)


@pytest.mark.parametrize(
    ("what", "command"),
    [
        ("a child in the session", ["sh", "-c", "sleep 60 & echo $!"]),
        (
            "a child in a session of its own",
            ["sh", "-c", "setsid sh -c 'echo $$; sleep 60' & sleep 0.2"],
        ),
        ("a daemon that holds the pipes", daemon()),
        ("a daemon that has closed the pipes", daemon(CLOSED)),
        ("a daemon that has wiped its environment", daemon(WIPED)),
        ("a daemon that ignores TERM", daemon("import signal; signal.signal(15, signal.SIG_IGN)")),
    ],
)
def test_nothing_that_a_run_has_started_is_left_soon_after_it(
    fleet: Fleet, agent: "subprocess.Popen[bytes]", what: str, command: list[str]
) -> None:
    run = ended(fleet, "forks", command=command)
    assert run.state is RunState.SUCCESS, what
    pid = int(output(fleet, run.id).split()[0])
    wait_until(lambda: not lives(pid), within=1.5, told=what)
    wait_until(lambda: not zombies_below(agent.pid), within=1.5)


def test_a_run_that_goes_on_keeps_its_daemon_when_its_neighbour_ends(
    fleet: Fleet, agent: "subprocess.Popen[bytes]"
) -> None:
    staying = start(fleet, "stays", command=daemon(CLOSED, stay=60))
    wiped = start(fleet, "wiped", command=daemon(WIPED, stay=60))
    [kept], [strange] = numbers(fleet, staying), numbers(fleet, wiped)
    fleet.jober.add_job("quick", command=daemon(CLOSED), roles=[ROLE])
    for _ in range(2):
        run = fleet.jober.run("quick").wait(45)
        left = int(output(fleet, run.id))
        wait_until(lambda left=left: not lives(left), within=1.5)  # type: ignore[misc]
    assert lives(kept) and lives(strange)
    staying.cancel()
    assert staying.wait(45).state is RunState.CANCELLED
    wait_until(lambda: not lives(kept), within=1.5)
    wiped.cancel()
    wiped.wait(45)
    wait_until(lambda: not lives(strange), within=1.5)


def test_a_program_that_a_function_waits_for_keeps_its_exit_status(
    fleet: Fleet,
    agent: "subprocess.Popen[bytes]",
) -> None:
    """The sweeper buries orphans; what a function in a thread has started is none."""
    module = fleet.folder / "calls.py"
    module.write_text(
        "import subprocess\n"
        "def codes(n):\n"
        "    return [subprocess.call(['sh', '-c', 'exit 3']) for _ in range(n)]\n"
        "def late():\n"
        "    import time\n"
        "    started = [subprocess.Popen(['sh', '-c', 'exit 4'], start_new_session=own)\n"
        "               for own in (True, False)]\n"
        "    time.sleep(1)\n"
        "    return [one.wait() for one in started]\n"
    )
    late = start(fleet, "late", script=f"{module}:late")
    codes = start(fleet, "codes", script=f"{module}:codes", args=[50])
    fleet.jober.add_job("sweeps", command=["true"], roles=[ROLE], concurrency=5)
    sweeps = [fleet.jober.run("sweeps") for _ in range(5)]
    assert codes.wait(45).state is RunState.SUCCESS
    assert codes.result() == [3] * 50
    for handle in sweeps:
        handle.wait(45)
    late.wait(45)
    assert late.result() == [4, 4]


def test_a_program_that_a_function_has_left_behind_is_gone_soon_after_it(
    fleet: Fleet, agent: "subprocess.Popen[bytes]"
) -> None:
    module = fleet.folder / "leaves.py"
    module.write_text(
        "import subprocess\n"
        "def leave(own):\n"
        "    return subprocess.Popen(['sleep', '60'], start_new_session=own).pid\n"
    )
    for own in (True, False):
        handle = start(fleet, f"leaves-{own}", script=f"{module}:leave", args=[own])
        handle.wait(45)
        left = handle.result()
        wait_until(lambda left=left: not lives(left), within=1.5)  # type: ignore[misc]
    wait_until(lambda: not zombies_below(agent.pid), within=1.5)


@pytest.mark.parametrize("end", ENDS)
def test_whatever_a_program_and_a_warm_function_fork_is_gone_whatever_ends(
    fleet: Fleet, end: str
) -> None:
    """A share of `make orphans`."""
    rounds = Rounds(fleet)
    for _ in range(2):
        rounds.round(end)
        rounds.make_ready()


def test_warm_processes_that_wait_are_no_leftovers_and_end_with_their_agent(
    fleet: Fleet, agent: "subprocess.Popen[bytes]"
) -> None:
    module = fleet.folder / "warm.py"
    module.write_text("import os\ndef pid(): return os.getpid()\n")
    fleet.jober.add_job("warm", script=f"{module}:pid", process=True, roles=[ROLE])
    fleet.jober.add_job("leaves", command=daemon(CLOSED), roles=[ROLE])

    def warm() -> int:
        handle = fleet.jober.run("warm")
        handle.wait(45)
        pid: int = handle.result()
        return pid

    pid = warm()
    for _ in range(2):
        # The sweeper looks, and finds that one is left behind and the other is not.
        left = int(output(fleet, fleet.jober.run("leaves").wait(45).id))
        wait_until(lambda left=left: not lives(left), within=1.5)  # type: ignore[misc]
        assert warm() == pid
    agent.terminate()
    agent.wait(45)
    assert not lives(pid)


STRESS = """
import sys, threading
from math import inf
from pathlib import Path
sys.path[:0] = ["."]
from jober_worker.call import Options
from jober_worker.kernel import adopt_orphans
from jober_worker.sweeper import Running, Sweeper
from jober_worker.agent import Agent
from jober_worker.begun import Begun
from jober_worker.execution import Execution
from jober_worker.settings import Settings
from jober.run import Claim, Work
from jober.store import Store
adopt_orphans()
settings = Settings(redis="", host="h", roles=frozenset(), slots=8, drain_s=1, log_level="info",
                    log_dir=Path("/nowhere"), log_keep_s=1, log_bytes=1,
                    journal_dir=Path("/nowhere"))
agent = Agent(Store("unix:///nowhere"), settings, Begun())
told = []
agent.ended = lambda execution, outcome: told.append((outcome.state.value, outcome.exit_code))
stop = threading.Event()
sweeps = 0
def sweep():
    global sweeps
    while not stop.is_set():
        agent.sweeper.sweep()
        sweeps += 1
sweepers = [threading.Thread(target=sweep) for _ in range(2)]
agent.pump.part.start()
agent.listener.open()
agent.listener.part.start()
for sweeper in sweepers: sweeper.start()
data = b'["jober_worker.functions.shell", null, ["setsid sleep 60 >/dev/null 2>&1 & exit 3"], {}]'
def many(n):
    for i in range(75):
        work = Work(job="j", queue="q", data=data, options="{}", trigger="manual", timeout=None)
        claim = Claim(id=f"r{n}-{i}", attempt=1, work=work)
        execution = Execution(claim, agent._means)
        agent.held.take([execution])
        agent._execute(execution)
threads = [threading.Thread(target=many, args=(n,)) for n in range(4)]
for t in threads: t.start()
for t in threads: t.join()
stop.set()
for sweeper in sweepers: sweeper.join()
import time
while agent.sweeper.sweep(): time.sleep(0.01)
while len(told) < 300: time.sleep(0.01)
from collections import Counter
print(Counter(told), sweeps > 10, flush=True)
import os
os._exit(0)
"""


def test_a_sweeper_never_takes_the_exit_status_of_a_program_that_a_run_waits_for() -> None:
    stressed = subprocess.run(
        [sys.executable, "-c", STRESS], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert stressed.stdout == "Counter({('failed', 3): 300}) True\n", stressed.stderr
