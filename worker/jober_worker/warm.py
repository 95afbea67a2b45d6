"""The processes that functions run in: started fresh, used again for run after run.

To start an interpreter and import what a function needs takes a hundred times as long as to call
it. So a process that has served a run, and has come out of it clean, waits for another that wants
the very same setting: directory, environment, user, limits. It is never a fork of the agent. What
it cannot come out of clean (stopped, crashed, threads or processes left behind) it does not
outlive.
"""

import itertools
import socket
import sys
import threading
import time
from collections.abc import Sequence

from jober_worker.cgroups import Groups
from jober_worker.kernel import has_ended
from jober_worker.leftovers import mark
from jober_worker.part import Part
from jober_worker.process import Ended, kill_session, reap
from jober_worker.processes import RUN_VARIABLE
from jober_worker.spawn import Setting, Started, start

# One that has waited for so long in vain ends.
IDLE_S = 300.0
# What a process is asked for: one run, or a batch of plain RQ jobs (see `rq_batch`).
RUN, BATCH = b"?", b"b"
# What a process says when it is up, and is about to begin with the first that it is asked for.
UP = b"^"
# How often it is looked for those.
ROUND_S = 10.0


class WarmProcess:
    """One process, and its end of the socket that it is asked through; see `child`."""

    def __init__(self, name: str, setting: Setting, started: Started, ours: socket.socket) -> None:
        self.name = name
        self.setting = setting
        self.started = started
        self.socket = ours
        self.is_up = False
        self.runs = 0
        self.started_s = time.monotonic()
        self.cpu_s = 0.0  # what its runs have told of so far
        self.idle_since_s = 0.0

    @property
    def pid(self) -> int:
        return self.started.pid

    def ask(self, descriptors: Sequence[int], what: bytes = RUN) -> bool:
        """Have it serve a run, or what else is asked for; False where it has ended."""
        self.runs += 1
        try:
            socket.send_fds(self.socket, [what], descriptors)
        except OSError:
            return False
        return True

    def fileno(self) -> int:
        return self.socket.fileno()

    def hear(self) -> bytes | None:
        """What it says of what it was asked for; empty where it has hung up, and None where it
        says no more than that it is up."""
        try:
            said = self.socket.recv(1)
        except OSError:
            return b""
        if said != UP:
            return said
        self.is_up = True
        return None

    def has_served(self, runs: int, least_s: float) -> bool:
        """Whether it has had so many, and is no younger than that."""
        return self.runs >= runs and time.monotonic() - self.started_s >= least_s

    @property
    def has_ended(self) -> bool:
        return has_ended(self.pid)


class WarmPool:
    """The warm processes of one agent, of which at most `idle_at_most` wait.

    Each has a name, which stands for a run in its environment: what is forked off it without an
    exec carries nothing else.
    """

    def __init__(self, groups: Groups, idle_at_most: int) -> None:
        self._groups = groups
        self._idle_at_most = idle_at_most
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._numbers = itertools.count(1)
        self._names: set[str] = set()
        self._pids: set[int] = set()
        self._idle: list[WarmProcess] = []  # the one that has waited longest first
        self.part = Part("keeper", self._keep)

    def names(self) -> set[str]:
        """The names of all that are there, or are just being started."""
        with self._lock:
            return set(self._names)

    def pids(self) -> set[int]:
        with self._lock:
            return set(self._pids)

    def take(self, setting: Setting, stdout: int, stderr: int) -> WarmProcess:
        """One that waits with this setting, or a new one, which writes there until it is asked.

        Raises CannotStart.
        """
        while (warm := self._waiting(setting)) is not None:
            if not warm.has_ended:
                return warm
            self.end(warm)
        return self._start(setting, stdout, stderr)

    def _waiting(self, setting: Setting) -> WarmProcess | None:
        with self._lock:
            for place in reversed(range(len(self._idle))):
                if self._idle[place].setting == setting:
                    return self._idle.pop(place)
        return None

    def _start(self, setting: Setting, stdout: int, stderr: int) -> WarmProcess:
        name = f"jober-process-{mark()}-{next(self._numbers)}"
        ours, its = socket.socketpair()
        with self._lock:
            # Before it is there: else a look at all processes would find one of no run.
            self._names.add(name)
        try:
            with its:
                started = start(
                    [sys.executable, "-m", "jober_worker.child", str(its.fileno())],
                    setting,
                    {RUN_VARIABLE: name},
                    self._groups,
                    stdout=stdout,
                    stderr=stderr,
                    pass_fds=[its.fileno()],
                )
        except BaseException:
            ours.close()
            with self._lock:
                self._names.discard(name)
            raise
        with self._lock:
            self._pids.add(started.pid)
        return WarmProcess(name, setting, started, ours)

    def give_back(self, warm: WarmProcess) -> None:
        """It is clean, and may serve others."""
        warm.idle_since_s = time.monotonic()
        with self._lock:
            self._idle.append(warm)
            surplus = len(self._idle) - (0 if self._closing.is_set() else self._idle_at_most)
            ending = [self._idle.pop(0) for _ in range(surplus)]
        for one in ending:
            self.end(one)

    def end(self, warm: WarmProcess) -> Ended:
        """Kill it and its session; how it ended."""
        warm.socket.close()
        kill_session(warm.pid)
        ended = reap(warm.started)
        with self._lock:
            self._names.discard(warm.name)
            self._pids.discard(warm.pid)
        return ended

    def close(self) -> None:
        """End those that wait, now and from now on."""
        self._closing.set()
        with self._lock:
            ending, self._idle = self._idle, []
        for one in ending:
            self.end(one)

    def _keep(self) -> None:
        while not self._closing.wait(ROUND_S):
            self.end_idle(time.monotonic() - IDLE_S)

    def end_idle(self, since_s: float) -> None:
        """End those that have waited since a moment (monotonic), or have ended by themselves."""
        with self._lock:
            ending = [one for one in self._idle if one.idle_since_s <= since_s or one.has_ended]
            self._idle = [one for one in self._idle if one not in ending]
        for one in ending:
            self.end(one)
