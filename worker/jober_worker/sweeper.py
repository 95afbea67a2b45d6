"""No process outlives its run: what a run leaves behind, outside its session, is killed.

The agent is a subreaper, so every process below it that loses its parent becomes its child. Those
that carry, in their environment, a run that is over are killed with all below them; those of
runs that go on are left alone. One that has wiped its environment is killed when no run with
processes goes on. It looks soon after runs have ended, over all of them at once.
"""

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass

from jober_worker.processes import Process, all_processes, below, run_of, send

LOOK_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The ids of the runs that go on, and the first process of each that has one. While one is
    `starting`, its process may be there before it is known."""

    runs: frozenset[str]
    roots: frozenset[int]
    starting: bool


class Sweeper:
    """`running` tells the runs that go on, and whether one of them is starting a process."""

    def __init__(self, running: Callable[[], Running]) -> None:
        self._running = running
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wanted.set()
        self._thread.join(timeout=5)

    def want(self) -> None:
        """A run with processes has ended."""
        self._wanted.set()

    def _run(self) -> None:
        again = False
        while not self._stopping.is_set():
            if not again:
                self._wanted.wait()
            self._wanted.clear()
            again = self.sweep()
            self._stopping.wait(LOOK_S)

    def sweep(self) -> bool:
        """Look once; True where something was found, so that another look is due."""
        # The order matters: who is here first, then who is ours, so that ours is never a stranger.
        processes = all_processes()
        running = self._running()
        me = os.getpid()
        found = False
        for process in processes.values():
            if process.parent != me or process.pid in running.roots:
                continue
            if process.state == "Z":
                if not running.starting:
                    _bury(process.pid)
            elif _is_left_behind(process, running):
                found = True
                send({process.pid, *below([process.pid], processes)}, signal.SIGKILL)
        return found


def _is_left_behind(process: Process, running: Running) -> bool:
    run = run_of(process.pid)
    if run is not None:
        return run not in running.runs
    return process.session not in running.roots and not running.runs


def _bury(pid: int) -> None:
    """Take the exit status of an orphan, which nobody else waits for."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
