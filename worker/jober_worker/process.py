"""A program as a run: started in a session of its own, read to its end, stopped for certain."""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from jober.output import Stream
from jober.run import Outcome, RunState
from jober_worker.call import Function, Options
from jober_worker.functions import Writer
from jober_worker.processes import members, send

READ_BYTES = 64 * 1024
# After the program has ended, its pipes are read for so long at the most.
DRAIN_S = 0.5
# After KILL, a process that the kernel holds is waited for so long, looked at this often.
LOOK_S = 0.1


class ProgramRun:
    """One program. `run` does it all in the calling thread; `stop` may be called by any other."""

    def __init__(
        self,
        run: str,
        argv: Sequence[str],
        options: Options,
        variables: Mapping[str, str],
        write: Writer,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._run = run
        self._argv = argv
        self._options = options
        self._variables = variables
        self._write = write
        self._pass_fds = tuple(pass_fds)
        self._wake = threading.Lock()
        self._wake_read, self._wake_write = os.pipe()
        self._stop_reason: str | None = None
        self._over = False
        self.pid: int | None = None

    def stop(self, reason: str) -> None:
        """Ask it to stop: TERM to all its processes, and KILL after the grace."""
        with self._wake:
            if self._stop_reason is None and not self._over:
                self._stop_reason = reason
                os.write(self._wake_write, b"!")

    def run(self, on_started: Callable[[int], None], on_ended: Callable[[int], None]) -> Outcome:
        """Start it, pass on what it writes, and tell how it ended."""
        try:
            return self._start_and_follow(on_started, on_ended)
        finally:
            with self._wake:
                self._over = True
                os.close(self._wake_read)
                os.close(self._wake_write)

    def _start_and_follow(
        self, on_started: Callable[[int], None], on_ended: Callable[[int], None]
    ) -> Outcome:
        try:
            process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd=self._options.cwd,
                env={**os.environ, **self._options.env, **self._variables},
                start_new_session=True,
                pass_fds=self._pass_fds,
            )
        except (OSError, ValueError) as error:
            return self._not_started(error)
        self.pid = process.pid
        on_started(process.pid)
        try:
            timed_out = self._follow(process)
        finally:
            on_ended(process.pid)
        return self._outcome(process.returncode, timed_out)

    def _not_started(self, error: OSError | ValueError) -> Outcome:
        program, code = self._argv[0], 126
        reason = f"cannot start {program}: {error}"
        if isinstance(error, FileNotFoundError):
            if self._options.cwd and error.filename == self._options.cwd:
                reason = f"the directory {self._options.cwd} (cwd) is not there on this host"
            else:
                code, reason = 127, f"{program} is not there on this host"
        elif isinstance(error, PermissionError):
            reason = f"{error.filename} may not be used by this agent: permission denied"
        return Outcome(state=RunState.FAILED, exit_code=code, reason=reason)

    def _follow(self, process: "subprocess.Popen[bytes]") -> bool:
        """Pass on its output until it has ended and its pipes are empty; True if it timed out."""
        timeout = self._options.timeout_s
        deadline = time.monotonic() + timeout if timeout else None
        kill_at: float | None = None
        timed_out = False
        ended = os.pidfd_open(process.pid)
        assert process.stdout and process.stderr
        streams = {process.stdout: Stream.STDOUT, process.stderr: Stream.STDERR}
        with selectors.DefaultSelector() as selector:
            for pipe, stream in streams.items():
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe, selectors.EVENT_READ, stream)
            selector.register(ended, selectors.EVENT_READ, None)
            selector.register(self._wake_read, selectors.EVENT_READ, None)
            running, open_pipes, drain_until = True, len(streams), 0.0
            while running or open_pipes:
                now = time.monotonic()
                limits = [at for at in (deadline, kill_at) if at is not None]
                if not running:
                    if now >= drain_until:
                        break
                    limits.append(drain_until)
                wait = max(0.0, min(limits) - now) if limits else None
                for key, _ in selector.select(wait):
                    if key.data is not None:
                        if not self._read(key.fd, key.data):
                            selector.unregister(key.fileobj)
                            open_pipes -= 1
                    elif key.fd == ended:
                        process.wait()
                        running = False
                        selector.unregister(ended)
                        # What it left in its session ends with it; that closes the pipes.
                        self._signal_session(process.pid)
                        deadline = kill_at = None
                        drain_until = time.monotonic() + DRAIN_S
                    elif running:
                        selector.unregister(self._wake_read)
                        kill_at = self._terminate(process.pid)
                now = time.monotonic()
                if deadline is not None and now >= deadline:
                    deadline, timed_out = None, True
                    kill_at = self._terminate(process.pid)
                if kill_at is not None and now >= kill_at:
                    send(members(self._run, process.pid), signal.SIGKILL)
                    kill_at = now + LOOK_S
        os.close(ended)
        for pipe in streams:
            pipe.close()
        if timed_out or self._stop_reason or open_pipes:
            # The whole tree was to be stopped, or something outside the session holds the pipes.
            send(members(self._run, process.pid), signal.SIGKILL)
        return timed_out

    def _read(self, descriptor: int, stream: Stream) -> bool:
        """Pass on what is there; False at the end of the pipe."""
        try:
            data = os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            return True
        self._write(stream, data)
        return bool(data)

    def _terminate(self, pid: int) -> float:
        """TERM to all of it; when to KILL (monotonic)."""
        send(members(self._run, pid), signal.SIGTERM)
        return time.monotonic() + self._options.grace_s

    def _signal_session(self, pid: int) -> None:
        try:
            os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    def _outcome(self, status: int, timed_out: bool) -> Outcome:
        # As a shell tells it: 128 + the number of the signal.
        code = status if status >= 0 else 128 - status
        if timed_out:
            reason = f"stopped after its timeout of {self._options.timeout_s:g} s"
            return Outcome(state=RunState.TIMEOUT, exit_code=code, reason=reason)
        if self._stop_reason is not None:
            return Outcome(state=RunState.CANCELLED, exit_code=code, reason=self._stop_reason)
        if status == 0:
            return Outcome(state=RunState.SUCCESS, exit_code=0)
        reason = f"exit code {status}" if status > 0 else f"killed by {_signal_name(-status)}"
        return Outcome(state=RunState.FAILED, exit_code=code, reason=reason)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class FunctionRun(ProgramRun):
    """A function in a process of its own: a program that answers with the outcome."""

    def __init__(
        self,
        run: str,
        function: Function,
        options: Options,
        variables: Mapping[str, str],
        write: Writer,
    ) -> None:
        asked = {"target": function.target, "args": function.args, "kwargs": function.kwargs}
        self._request: IO[str] = tempfile.TemporaryFile("w+")
        json.dump(asked, self._request)
        self._request.flush()
        self._request.seek(0)
        self._answer: IO[str] = tempfile.TemporaryFile("w+")
        fds = (self._request.fileno(), self._answer.fileno())
        argv = (sys.executable, "-u", "-m", "jober_worker.child", *map(str, fds))
        super().__init__(run, argv, options, variables, write, fds)

    def run(self, on_started: Callable[[int], None], on_ended: Callable[[int], None]) -> Outcome:
        with self._request, self._answer:
            ended = super().run(on_started, on_ended)
            if ended.state is not RunState.SUCCESS:
                return ended
            # The child has the same open file, so it has moved our place in it too.
            self._answer.seek(0)
            told: dict[str, Any] = json.load(self._answer)
            return Outcome(**{**told, "state": RunState(told["state"])})
