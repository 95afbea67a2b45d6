"""What runs of agents that are gone have left, and what an agent that starts does about it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jober_worker.cgroups import Group, Groups, own_group, remove_leftovers
from jober_worker.leftovers import clear_leftovers, lives, mark
from jober_worker.processes import AGENT_VARIABLE, RUN_VARIABLE
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, agent_of, numbers, start
from tests.worker.test_process import lives as is_there

# Out of the session, twice forked, deaf to TERM; and one in the session.
TREE = (
    "(setsid sh -c 'trap \"\" TERM; echo $$; exec sleep 60' >&1 &) ; sleep 60 & echo $!; "
    "sleep 0.3; echo $$; wait"
)
FORKS = """
import os, time
def fork():
    pid = os.fork()
    if pid == 0:
        os.setsid()
        time.sleep(60)
    print(pid, os.getpid(), sep="\\n", flush=True)
    time.sleep(60)
"""


def test_a_mark_stands_for_one_process_and_not_for_its_number() -> None:
    assert lives(mark())
    pid, _, ticks = mark().partition("-")
    assert not lives(f"{pid}-{int(ticks) - 1}")
    assert not lives(f"4194305-{ticks}") and not lives("none")


def test_what_an_agent_and_its_guardian_killed_at_once_have_left_ends_when_another_starts(
    fleet: Fleet,
) -> None:
    module = fleet.folder / "forks.py"
    module.write_text(FORKS)
    guardian = fleet.agent("web1", ROLE)
    pids = numbers(fleet, start(fleet, "tree", command=TREE, shell=True), 3)
    pids += numbers(fleet, start(fleet, "forks", script=f"{module}:fork", process=True), 2)
    warm = pids[-1]
    agent = agent_of(guardian)
    # Stopped first, so that neither can do anything about the end of the other.
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in (agent, guardian.pid):
            os.kill(pid, number)
    guardian.wait()
    # A warm process does not outlive its agent. For the others nobody is there, unless an agent of
    # another test starts just then.
    wait_until(lambda: not is_there(warm), within=1)
    fleet.agent("web2", ROLE)
    wait_until(lambda: not any(is_there(pid) for pid in pids), within=2)


def test_runs_of_an_agent_that_is_there_and_strangers_are_let_be() -> None:
    gone = f"{os.getpid()}-1"
    environments: list[dict[str, str]] = [
        {RUN_VARIABLE: "a-run", AGENT_VARIABLE: mark()},
        {RUN_VARIABLE: "a-run"},
        {AGENT_VARIABLE: gone},
        {},
    ]
    # Started by way of a shell that ends: what is below this process is its own.
    code = ["sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!"]
    strangers = [
        int(subprocess.run(code, env={"PATH": os.environ["PATH"], **env}, stdout=-1).stdout)
        for env in environments
    ]
    left = int(
        subprocess.run(
            code,
            env={"PATH": os.environ["PATH"], RUN_VARIABLE: "r", AGENT_VARIABLE: gone},
            stdout=-1,
        ).stdout
    )
    try:
        # An agent of another test may do it first.
        clear_leftovers()
        wait_until(lambda: not is_there(left))
        assert all(is_there(pid) for pid in strangers)
    finally:
        for pid in strangers:
            os.kill(pid, signal.SIGKILL)


def writable_group() -> Path | None:
    base = own_group()
    return base if base is not None and os.access(base, os.W_OK) else None


needs_groups = pytest.mark.skipif(writable_group() is None, reason="no cgroup v2 is writable here")


def made(owner: str) -> Group:
    base = writable_group()
    assert base is not None
    path = base / f"jober-run-{owner}-1"
    path.mkdir()
    return Group(path, frozenset())


@needs_groups
def test_a_group_ends_with_all_that_is_in_it_however_it_has_forked() -> None:
    group = made(mark())
    code = "import os, sys, time\nsys.stdin.readline()\n"
    code += "for _ in range(3): os.fork() or os.setsid()\ntime.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    group.add(process.pid)
    assert process.stdin
    process.stdin.write(b"\n")
    process.stdin.close()

    def inside() -> list[int]:
        return [int(one) for one in (group.path / "cgroup.procs").read_text().split()]

    pids = wait_until(lambda: pids if len(pids := inside()) == 8 else None, told="all have forked")
    assert group.end()
    process.wait()
    assert not any(is_there(pid) for pid in pids)
    assert not group.path.exists()


@needs_groups
def test_groups_of_agents_that_are_gone_are_removed_with_what_is_in_them() -> None:
    gone, ours = made(f"{os.getpid()}-1"), made(mark())
    process = subprocess.Popen(["sleep", "60"])
    gone.add(process.pid)
    try:
        remove_leftovers(writable_group(), lives)
        assert process.wait() == -signal.SIGKILL
        assert not gone.path.exists() and ours.path.exists()
    finally:
        ours.end()


def test_a_host_that_can_hold_no_limit_gives_no_group() -> None:
    assert Groups(mark()).make({"no-such-controller": {}}) is None
    assert remove_leftovers(None, lives) == 0
