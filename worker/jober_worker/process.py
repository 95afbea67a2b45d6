"""A program as a run: started in a session of its own, read to its end, stopped for certain.

Its exit status is taken last: until then the kernel gives its pid, which is the number of its
session too, to nobody else. Nothing but `reap` may take it; where something did, the run has
failed, since an unknown end is no success.
"""

import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from resource import struct_rusage

from jober.failpoint import failpoint
from jober.output import Stream
from jober.run import Outcome, RunState
from jober_worker.call import Options
from jober_worker.cgroups import Groups
from jober_worker.following import Following
from jober_worker.functions import Writer
from jober_worker.limits import Limits
from jober_worker.pipes import Pipes
from jober_worker.spawn import CannotStart, Setting, Started, read_setting, start
from jober_worker.usage import Usage
from jober_worker.wake import Wake, Wakes

_wakes = Wakes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process has ended: its exit status, negative for a signal, None where it is not
    known; and what it and those it has waited for have used, as the kernel tells."""

    status: int | None
    used: struct_rusage | None = None
    out_of_memory: bool = False


class ProgramRun:
    """One program. `run` does it all in the calling thread; `stop` may be called by any other."""

    def __init__(
        self,
        run: str,
        argv: Sequence[str],
        options: Options,
        variables: Mapping[str, str],
        write: Writer,
        groups: Groups,
    ) -> None:
        self.options = options
        self.pid: int | None = None
        # Called where its time is over, before it is stopped.
        self.on_timeout: Callable[[], None] = lambda: None
        self._run = run
        self._argv = argv
        self._variables = variables
        self._write = write
        self._groups = groups
        self._lock = threading.Lock()
        self._wake: Wake | None = None
        self._stop_reason: str | None = None
        self._at_once = False

    def stop(self, reason: str, *, at_once: bool = False) -> None:
        """Ask it to stop: TERM to all its processes, and KILL after the grace, or at once.

        Harmless when it is over; before `run`, it is never started.
        """
        with self._lock:
            self._stop_reason = self._stop_reason or reason
            self._at_once = self._at_once or at_once
            if self._wake is not None:
                self._wake.ring()

    def run(self) -> Outcome:
        """Start it, pass on what it writes, and tell how it ended."""
        wake = _wakes.take()
        try:
            with self._lock:
                if self._stop_reason is not None:
                    return Outcome(state=RunState.CANCELLED, reason=self._stop_reason)
                self._wake = wake
            return self._start_and_follow(read_setting(self.options), wake)
        except CannotStart as error:
            return Outcome(state=RunState.FAILED, exit_code=error.exit_code, reason=str(error))
        finally:
            with self._lock:
                self._wake = None
            _wakes.give_back(wake)

    def _asked(self) -> tuple[str, bool] | None:
        with self._lock:
            return None if self._stop_reason is None else (self._stop_reason, self._at_once)

    def _start_and_follow(self, setting: Setting, wake: Wake) -> Outcome:
        """Raises CannotStart."""
        pipes = self._pipes()
        try:
            started = start(
                self._argv,
                setting,
                self._variables,
                self._groups,
                stdout=pipes.stdout,
                stderr=pipes.stderr,
            )
            pipes.after_start()
            self.pid = started.pid
            failpoint("agent.started")
            self._tell(started.notes)
            following = Following(
                self._run,
                self.pid,
                pipes,
                self.options,
                wake,
                self._asked,
                on_timeout=self.on_timeout,
            )
            try:
                following.follow()
            finally:
                kill_session(self.pid)
                following.kill_holders()
                pipes.pass_on_rest()
                ended = reap(started)
        finally:
            pipes.close()
        usage = following.memory.usage(ended.used)
        return self._outcome(ended, following, setting.limits, usage)

    def _pipes(self) -> Pipes:
        return Pipes(
            self._write,
            merged=self.options.stderr == "merge",
            thrown=self.options.output == "none",
        )

    def _tell(self, notes: Sequence[str]) -> None:
        for note in notes:
            self._write(Stream.STDERR, f"jober: {note}\n".encode())

    def _outcome(self, ended: Ended, following: Following, limits: Limits, usage: Usage) -> Outcome:
        state, code, reason = self._end(ended, following, limits)
        return Outcome(
            state=state,
            exit_code=code,
            reason=reason,
            cpu_s=usage.cpu_s,
            peak_memory_bytes=usage.peak_memory_bytes,
        )

    def _end(
        self, ended: Ended, following: Following, limits: Limits
    ) -> tuple[RunState, int | None, str | None]:
        """The state, the exit code and the reason."""
        status = ended.status
        if status is None:
            reason = (
                "how it ended is not known: something else in the agent took its exit status (a "
                "function that calls os.wait?)"
            )
            return RunState.FAILED, None, reason
        # As a shell tells it: 128 + the number of the signal.
        code = status if status >= 0 else 128 - status
        if following.timed_out:
            reason = f"stopped after its timeout of {self.options.timeout_s:g} s"
            return RunState.TIMEOUT, code, reason
        if following.stopped_for is not None:
            return RunState.CANCELLED, code, following.stopped_for
        asked = self._asked()
        if asked is not None and asked[1] and status == -signal.SIGKILL:
            # The agent has killed all below it before the follower heard of the stop.
            return RunState.CANCELLED, code, asked[0]
        if status == 0:
            return RunState.SUCCESS, 0, None
        reason = f"exit code {status}" if status > 0 else f"killed by {_signal_name(-status)}"
        # A shell tells of the end of its child by its own exit code.
        number = -status if status < 0 else max(0, status - 128)
        cpu_s = ended.used.ru_utime + ended.used.ru_stime if ended.used else 0.0
        if why := limits.why_killed(number, cpu_s, ended.out_of_memory):
            reason = f"{reason}: {why}"
        return RunState.FAILED, code, reason


def kill_session(pid: int) -> None:
    """Kill what is left in the session of a process that has not been reaped, itself included."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def reap(started: Started) -> Ended:
    """Take the exit status of a process that ends, and remove its cgroup with all in it."""
    group = started.group
    try:
        _, status, used = os.wait4(started.pid, 0)
        ended = Ended(status=os.waitstatus_to_exitcode(status), used=used)
    except ChildProcessError:
        ended = Ended(status=None)
    if group:
        ended = replace(ended, out_of_memory=group.kills_for_memory() > 0)
        group.end()
    return ended


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
