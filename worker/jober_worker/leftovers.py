"""What runs of agents that are gone have left on this host: killed when another agent starts.

A guardian lets nothing survive its agent; where both were killed at once, nobody was left to see
to it. Every process of a run carries the run and its agent in its environment. One whose agent is
gone belongs to nobody, and may do what is being done again elsewhere.
"""

import logging
import os
import signal
from functools import cache

from jober_worker.cgroups import own_group, remove_leftovers
from jober_worker.kernel import all_processes, read_process, sees_our_numbers, variables_of
from jober_worker.kernel.process import Process
from jober_worker.processes import AGENT_VARIABLE, RUN_VARIABLE, below, send

log = logging.getLogger(__name__)


def mark() -> str:
    """What stands for this process as long as the host is up, though its number be given again."""
    return _mark(os.getpid())


@cache
def _mark(pid: int) -> str:
    process = read_process(pid)
    assert process is not None, "it is there"
    return f"{process.pid}-{process.started_ticks}"


def lives(marked: str) -> bool:
    """Whether the process of a mark is there."""
    pid, _, ticks = marked.partition("-")
    process = read_process(int(pid)) if pid.isdecimal() else None
    return process is not None and not process.has_ended and str(process.started_ticks) == ticks


def clear_leftovers() -> int:
    """Kill the processes that runs of agents that are gone have left; tells how many."""
    processes = all_processes()
    ours = _line_of(os.getpid(), processes) | below([os.getpid()], processes)
    found = {}
    for pid in processes.keys() - ours:
        variables = variables_of(pid, RUN_VARIABLE, AGENT_VARIABLE)
        agent = variables.get(AGENT_VARIABLE)
        # A container's numbers are not ours, and its agent may well be there.
        if agent and RUN_VARIABLE in variables and sees_our_numbers(pid) and not lives(agent):
            found[pid] = variables[RUN_VARIABLE]
    left = [pid for pid in (found.keys() | below(found, processes)) - ours]
    send(left, signal.SIGKILL)
    remove_leftovers(own_group(), lives)
    if left:
        log.warning(
            "killed %d processes that runs of an agent that is gone had left: %s",
            len(left),
            ", ".join(sorted(set(found.values()))),
        )
    return len(left)


def _line_of(pid: int, processes: dict[int, Process]) -> set[int]:
    """A process and those above it."""
    line = set()
    while pid in processes and pid not in line:
        line.add(pid)
        pid = processes[pid].parent
    return line
