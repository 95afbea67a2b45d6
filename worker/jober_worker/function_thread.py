"""A function in a thread of the agent: its prints and records told apart, asked to stop, never
made to: Python has no way to end a thread.
"""

import logging
import threading
import time

from jober.current import entered
from jober.log_line import LogLine
from jober.output import Stream
from jober.run import Outcome, RunState
from jober_worker.call import Function, Options
from jober_worker.functions import Writer, call
from jober_worker.live_attempt import LiveAttempt
from jober_worker.prints import captured
from jober_worker.records import about

log = logging.getLogger(__name__)


_of_threads = threading.local()


def _cpu_of_thread() -> "Cpu":
    try:
        cpu: Cpu = _of_threads.cpu
    except AttributeError:
        cpu = _of_threads.cpu = Cpu()
    return cpu


class Cpu:
    """The CPU time that calls in a thread have taken, to a millisecond: to ask the kernel costs as
    much as many a call, so it is asked once for all calls of the same millisecond."""

    EXACT_S = 0.001

    def __init__(self) -> None:
        self._read_s = time.thread_time()
        self._read_at = self._began_at = time.monotonic()

    def begin(self) -> None:
        """A call begins."""
        self._began_at = time.monotonic()
        if self._began_at - self._read_at > self.EXACT_S:
            self._read_s, self._read_at = time.thread_time(), self._began_at

    def spent_s(self) -> float:
        """What it has taken by its end; of a short one no more is known than that it was short."""
        now = time.monotonic()
        took_s = now - self._began_at
        if took_s <= self.EXACT_S:
            return took_s
        before_s, self._read_s, self._read_at = self._read_s, time.thread_time(), now
        return min(took_s, self._read_s - before_s)


class ThreadRun:
    """`run` calls the function in the calling thread; `stop` may be called by any other."""

    pid: int | None = None  # it has no process

    def __init__(
        self, function: Function, options: Options, attempt: LiveAttempt, write: Writer
    ) -> None:
        self._function = function
        self._options = options
        self._attempt = attempt
        self._write = write
        self._lock = threading.Lock()
        self._stop_reason: str | None = None
        self._overdue: threading.Timer | None = None
        self._ended = False

    def stop(self, reason: str, *, at_once: bool = False) -> None:
        """It may look whether it is `cancelled`. Where it goes on past the grace, that is told."""
        with self._lock:
            if self._stop_reason is None and not self._ended:
                self._stop_reason = reason
                self._overdue = threading.Timer(self._options.grace_s, self._tell_overdue)
                self._overdue.daemon = True
                self._overdue.start()

    def run(self) -> Outcome:
        """Call it, and tell how it ended, whether or not it was asked to stop meanwhile."""
        function = self._function
        with self._lock:
            if self._stop_reason is not None:
                return Outcome(state=RunState.CANCELLED, reason=self._stop_reason)
        cpu = _cpu_of_thread()
        with captured(self._write), entered(self._attempt.current):
            cpu.begin()
            outcome = call(
                function.name,
                function.args,
                function.kwargs,
                file=function.file,
                with_locals=self._options.locals,
                spent_s=cpu.spent_s,
            )
        if outcome.traceback:
            self._write(Stream.STDERR, outcome.traceback.encode())
        with self._lock:
            self._ended = True
            if self._overdue is not None:
                self._overdue.cancel()
        return outcome

    def _tell_overdue(self) -> None:
        with self._lock:
            if self._ended:
                return
        message = (
            f"asked to stop, and still running in a thread {self._options.grace_s:g} s later: a "
            f"thread cannot be killed (let it look at current_run().cancelled, or give the job "
            f"process = true)"
        )
        claim = self._attempt.claim
        log.warning("%s: %s", claim.id, message, extra=about(claim))
        self._attempt.log(
            LogLine(at_ms=self._attempt.now_ms(), level="WARNING", logger="jober", message=message)
        )
