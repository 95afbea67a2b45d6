"""A program as a run: started in a session of its own, read to its end, stopped for certain.

Its exit status is taken last: until then the kernel gives its pid, which is the number of its
session too, to nobody else. Nothing but `_reap` may take it; where something did, the run has
failed, since an unknown end is no success.
"""

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence

from jober.run import Outcome, RunState
from jober_worker.call import Options
from jober_worker.functions import Writer
from jober_worker.pipes import Pipes
from jober_worker.processes import members, send

# After a program has ended, what it piped its output through may pass on the rest for so long.
DRAIN_S = 0.5
# How often it is looked whether the rest of a tree that was told to stop has gone.
LOOK_S = 0.1
# So long after KILL, what the kernel or another user still holds is let be.
GIVE_UP_S = 2.0


class ProgramRun:
    """One program. `run` does it all in the calling thread; `stop` may be called by any other."""

    def __init__(
        self,
        run: str,
        argv: Sequence[str],
        options: Options,
        variables: Mapping[str, str],
        write: Writer,
    ) -> None:
        self.options = options
        self.pid: int | None = None
        self._run = run
        self._argv = argv
        self._variables = variables
        self._write = write
        self._pass_fds: tuple[int, ...] = ()
        self._lock = threading.Lock()
        self._wake: int | None = None
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
                try:
                    os.write(self._wake, b"!")
                except BlockingIOError:
                    pass  # it has more than enough to wake up for

    def run(self) -> Outcome:
        """Start it, pass on what it writes, and tell how it ended."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        try:
            with self._lock:
                if self._stop_reason is not None:
                    return Outcome(state=RunState.CANCELLED, reason=self._stop_reason)
                self._wake = wake_write
            return self._start_and_follow(wake_read)
        finally:
            with self._lock:
                self._wake = None
            os.close(wake_read)
            os.close(wake_write)

    @property
    def asked(self) -> tuple[str, bool] | None:
        """Why it is to stop, and whether at once; None where it is not."""
        with self._lock:
            return None if self._stop_reason is None else (self._stop_reason, self._at_once)

    def _start_and_follow(self, wake: int) -> Outcome:
        pipes = Pipes(
            self._write,
            merged=self.options.stderr == "merge",
            thrown=self.options.output == "none",
        )
        try:
            process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=pipes.stdout,
                stderr=pipes.stderr,
                bufsize=0,
                cwd=self.options.cwd,
                env={
                    **_environment(),
                    "PYTHONUNBUFFERED": "1",
                    **self.options.env,
                    **self._variables,
                },
                start_new_session=True,
                pass_fds=self._pass_fds,
            )
        except (OSError, ValueError) as error:
            pipes.close()
            return _not_started(self._argv[0], self.options.cwd, error)
        pipes.after_start()
        self.pid = process.pid
        following = _Following(self, self._run, process, wake, pipes)
        try:
            following.follow()
        finally:
            status = following.end()
        return self._outcome(status, following)

    def _outcome(self, status: int | None, following: "_Following") -> Outcome:
        if status is None:
            return Outcome(
                state=RunState.FAILED,
                reason="how it ended is not known: something else in the agent took its exit "
                "status (a function that calls os.wait?)",
            )
        # As a shell tells it: 128 + the number of the signal.
        code = status if status >= 0 else 128 - status
        if following.timed_out:
            reason = f"stopped after its timeout of {self.options.timeout_s:g} s"
            return Outcome(state=RunState.TIMEOUT, exit_code=code, reason=reason)
        if following.stopped_for is not None:
            return Outcome(state=RunState.CANCELLED, exit_code=code, reason=following.stopped_for)
        if status == 0:
            return Outcome(state=RunState.SUCCESS, exit_code=0)
        reason = f"exit code {status}" if status > 0 else f"killed by {_signal_name(-status)}"
        return Outcome(state=RunState.FAILED, exit_code=code, reason=reason)


class _Following:
    """The way of a started program to its end. `follow` waits for it, `end` clears up."""

    def __init__(
        self,
        program: ProgramRun,
        run: str,
        process: "subprocess.Popen[bytes]",
        wake: int,
        pipes: Pipes,
    ) -> None:
        self.timed_out = False
        self.stopped_for: str | None = None
        self._program = program
        self._run = run
        self._process = process
        self._wake = wake
        self._pipes = pipes
        self._ended = False
        timeout_s = program.options.timeout_s
        self._timeout_at = time.monotonic() + timeout_s if timeout_s else None
        self._kill_at: float | None = None
        self._give_up_at: float | None = None
        self._drain_until: float | None = None
        self._pidfd: int | None = None

    def follow(self) -> None:
        """Pass on its output until it has ended, its pipes are at their end or the time for that
        is over, and, where it was told to stop, all its processes are gone."""
        self._pidfd = os.pidfd_open(self._process.pid)
        with selectors.DefaultSelector() as selector:
            for pipe in self._pipes.streams:
                selector.register(pipe, selectors.EVENT_READ)
            selector.register(self._pidfd, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._is_over():
                for key, _ in selector.select(self._wait_s()):
                    if key.fd in self._pipes.streams:
                        if not self._pipes.pass_on(key.fd):
                            selector.unregister(key.fd)
                    elif key.fd == self._pidfd:
                        selector.unregister(self._pidfd)
                        self._ended = True
                        self._timeout_at = None
                        self._drain_until = time.monotonic() + DRAIN_S
                    else:
                        os.read(self._wake, 4096)
                        self._obey()
                self._act(time.monotonic())

    def _is_over(self) -> bool:
        if not self._ended:
            return False
        if self._pipes.streams and self._drain_until and time.monotonic() < self._drain_until:
            return False
        if self._give_up_at is not None and time.monotonic() >= self._give_up_at:
            return True
        return self._kill_at is None or not self._members()

    def _wait_s(self) -> float | None:
        at = [at for at in (self._timeout_at, self._kill_at) if at is not None]
        if self._ended:
            if self._pipes.streams and self._drain_until is not None:
                at.append(self._drain_until)
            if self._kill_at is not None:
                at.append(time.monotonic() + LOOK_S)
        return max(0.0, min(at) - time.monotonic()) if at else None

    def _act(self, now: float) -> None:
        """Do what is due by now."""
        if self._timeout_at is not None and now >= self._timeout_at:
            self.timed_out = True
            self._terminate(now)
        if self._kill_at is not None and now >= self._kill_at:
            # Again and again: one may fork while the others are killed.
            send(self._members(), signal.SIGKILL)
            self._kill_at = now + LOOK_S
            self._give_up_at = self._give_up_at or now + GIVE_UP_S

    def _obey(self) -> None:
        asked = self._program.asked
        if asked is None or (self._ended and self._kill_at is None):
            return
        reason, at_once = asked
        now = time.monotonic()
        if self._kill_at is None:
            self.stopped_for = reason
            self._terminate(now)
        if at_once:
            self._kill_at = now

    def _terminate(self, now: float) -> None:
        self._timeout_at = None
        self._kill_at = now + self._program.options.grace_s
        send(self._members(), signal.SIGTERM)

    def _members(self) -> list[int]:
        return members(self._run, self._process.pid)

    def end(self) -> int | None:
        """Leave nothing behind; its exit status (negative for a signal), None if unknown."""
        # What it left in its session ends with it. It is not reaped yet, so the number is its own.
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        if self._pipes.streams or not self._ended:
            # Something outside the session holds the pipes.
            send(self._members(), signal.SIGKILL)
        self._pipes.pass_on_rest()
        self._pipes.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
        return self._reap()

    def _reap(self) -> int | None:
        # Popen.wait() would tell 0 where the status is gone.
        try:
            found = os.waitid(os.P_PID, self._process.pid, os.WEXITED)
        except ChildProcessError:
            self._process.returncode = 0
            return None
        assert found is not None
        status = found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
        self._process.returncode = status
        return status


def _not_started(program: str, cwd: str | None, error: OSError | ValueError) -> Outcome:
    """As a shell tells it: 127 where there is no such program, 126 where it cannot be run."""
    code, reason = 126, f"cannot start {program}: {error}"
    if isinstance(error, OSError):
        reason = f"cannot start {program}: {error.strerror}"
        if cwd is not None and error.filename == cwd:
            reason = f"cannot start in the directory {cwd} (cwd) on this host: {error.strerror}"
        elif isinstance(error, FileNotFoundError):
            code, reason = 127, f"{program} is not there on this host"
            if os.path.exists(os.path.join(cwd or "", program)):
                reason = f"what the first line of {program} names (#!) is not there on this host"
    return Outcome(state=RunState.FAILED, exit_code=code, reason=reason)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _environment() -> dict[str, str]:
    """The agent's environment, without what opens Redis: a run has no business there."""
    return {name: value for name, value in os.environ.items() if name != "JOBER_REDIS_URL"}
