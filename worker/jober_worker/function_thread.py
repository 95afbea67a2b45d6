"""A function in a thread of the agent: its prints and records told apart, asked to stop, never
made to: Python has no way to end a thread.
"""

import logging
import threading
import time
from dataclasses import replace

from jober.current import entered
from jober.log_line import LogLine
from jober.output import Stream
from jober.run import Outcome, RunState
from jober_worker.call import Function, Options
from jober_worker.functions import Writer, call
from jober_worker.live_attempt import LiveAttempt
from jober_worker.prints import captured

log = logging.getLogger(__name__)


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
        began_s = time.thread_time()
        with captured(self._write), entered(self._attempt.current()):
            outcome = call(
                function.name,
                function.args,
                function.kwargs,
                file=function.file,
                with_locals=self._options.locals,
            )
        outcome = replace(outcome, cpu_s=round(time.thread_time() - began_s, 6))
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
        log.warning("%s: %s", self._attempt.claim.id, message)
        self._attempt.log(
            LogLine(at_ms=self._attempt.now_ms(), level="WARNING", logger="jober", message=message)
        )
