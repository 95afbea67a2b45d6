"""No process outlives its run: what a run leaves behind, outside its session, is killed.

The agent is a subreaper, so every process below it that loses its parent becomes its child. Those
that carry, in their environment, a run that is over are killed with all below them; those of
runs that go on are left alone. One that has wiped its environment is killed when it is older than
every run that goes on, so that it can be of none of them. It looks soon after runs have ended,
over all of them at once, and now and then.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf

from jober_worker.execution import Execution
from jober_worker.kernel import all_processes, has_children
from jober_worker.kernel.process import Process
from jober_worker.part import Part
from jober_worker.processes import below, run_of, send
from jober_worker.warm import WarmPool

LOOK_S = 0.2
# A look at a host with many processes takes long: after it, it rests for so many times as long.
REST = 40
# A run that goes on may lose children that end by themselves: their zombies are buried this often.
ROUND_S = 10.0
# The kernel tells the start of a process in ticks of 10 ms, rounded down.
_TICK_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The runs that go on: their ids, the first process of each that is known to have one, and,
    in seconds since boot, when the oldest of all began, and the oldest of those that may have
    children of ours that are not known (functions in threads, programs just being started)."""

    runs: frozenset[str]
    roots: frozenset[int]
    oldest_s: float
    oldest_forking_s: float


def running(warm: WarmPool, executions: Iterable[Execution]) -> Running:
    """These, and the processes that wait for runs."""
    runs, roots = warm.names(), warm.pids()
    oldest_s = oldest_forking_s = inf
    for execution in executions:
        runs.add(execution.claim.id)
        oldest_s = min(oldest_s, execution.begun_s)
        # Read once: it may become known while we look.
        pid = execution.pid
        if pid is None:
            oldest_forking_s = min(oldest_forking_s, execution.begun_s)
        else:
            roots.add(pid)
    return Running(
        runs=frozenset(runs),
        roots=frozenset(roots),
        oldest_s=oldest_s,
        oldest_forking_s=oldest_forking_s,
    )


class Sweeper:
    def __init__(self, running: Callable[[], Running]) -> None:
        self._running = running
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._me = os.getpid()
        self._session = os.getsid(0)
        # An agent may itself be started by a run of another agent.
        self._above = run_of(self._me)
        self.part = Part("sweeper", self._run)

    def stop(self) -> None:
        self._stopping.set()
        self._wanted.set()
        self.part.join(5)

    def want(self) -> None:
        """A run has ended."""
        if not self._wanted.is_set():
            self._wanted.set()

    def _run(self) -> None:
        again = False
        while not self._stopping.is_set():
            if not again:
                self._wanted.wait(ROUND_S)
            self._wanted.clear()
            began_s = time.thread_time()
            again = self.sweep()
            self._stopping.wait(max(LOOK_S, REST * (time.thread_time() - began_s)))

    def sweep(self) -> bool:
        """Look once; True where something was found, so that another look is due. Where no process
        is below us, nothing can be left."""
        if not has_children():
            return False
        # The order matters: who is here first, then who is ours, so that ours is never a stranger.
        processes = all_processes()
        running = self._running()
        found = False
        for process in processes.values():
            if process.parent != self._me or process.pid in running.roots:
                continue
            if process.has_ended:
                if self._is_orphan(process, running):
                    _bury(process.pid)
            elif self._is_left_behind(process, running):
                found = True
                send({process.pid, *below([process.pid], processes)}, signal.SIGKILL)
        return found

    def _is_orphan(self, process: Process, running: Running) -> bool:
        """Whether nobody in the agent waits for the exit status of an ended child.

        A thread of ours that has started it does: it is in our session, or leads its own.
        """
        if process.session not in (self._session, process.pid):
            return True
        return process.started_s + _TICK_S < running.oldest_forking_s

    def _is_left_behind(self, process: Process, running: Running) -> bool:
        run = run_of(process.pid)
        if run is not None and run != self._above:
            return run not in running.runs
        if process.session in running.roots:
            return False
        return process.started_s + _TICK_S < running.oldest_s


def _bury(pid: int) -> None:
    """Take the exit status of an orphan."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
