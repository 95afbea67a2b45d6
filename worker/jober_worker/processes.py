"""The processes of this host as the kernel tells of them, and those that belong to a run."""

import os
import signal
import time
from collections.abc import Iterable, Mapping

from jober_worker.kernel import all_processes, may_be_orphans, variables_of
from jober_worker.kernel.process import Process

RUN_VARIABLE = "JOBER_RUN_ID"
# The agent that has started it (`leftovers.mark`).
AGENT_VARIABLE = "JOBER_AGENT_PROCESS"


def below(roots: Iterable[int], processes: Mapping[int, Process]) -> set[int]:
    """The processes that descend from `roots`, without them."""
    children: dict[int, list[int]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process.pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found


def run_of(pid: int) -> str | None:
    """The run that a process was started for, as its environment tells; None where it does not."""
    return variables_of(pid, RUN_VARIABLE).get(RUN_VARIABLE)


def members(run: str, root: int) -> list[int]:
    """Every live process of a run whose first process is or was `root`: its descendants, its
    session, and what was orphaned and carries the run in its environment. Its exit status
    has not been taken yet, so that the session is no other's.

    The oldest first: a parent that is killed first does not go on when its children end.
    """
    processes = all_processes()
    ours = below([os.getpid()], processes)
    session = {pid for pid, process in processes.items() if process.session == root}
    named = {pid for pid in may_be_orphans(processes) if run_of(pid) == run}
    found = ({root} & ours) | session | named
    live = [pid for pid in found | below(found, processes) if not processes[pid].has_ended]
    return sorted(live, key=lambda pid: (processes[pid].started_s, pid))


def kill_descendants(give_up_s: float = 2.0) -> bool:
    """Kill all below this process, which must be a subreaper, until none lives, or what lives is
    in the hands of the kernel; False where there was none that lived. Buries none of them."""
    found = False
    deadline = time.monotonic() + give_up_s
    while time.monotonic() < deadline:
        processes = all_processes()
        left = [pid for pid in below([os.getpid()], processes) if not processes[pid].has_ended]
        if not left:
            break
        found = True
        send(left, signal.SIGKILL)
        time.sleep(0.001)
    return found


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each that is still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue
