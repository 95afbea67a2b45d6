"""What an attempt says while it runs, and is asked: progress, log records, to stop.

In the agent's own process it is the link of the `CurrentRun`; from other processes the `listener`
passes on what they say.
"""

import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from jober.current import CurrentRun, Link
from jober.current.here import moment, whole
from jober.log_line import LogLine
from jober.output import Stream
from jober.progress import Progress, Step
from jober.run import Claim
from jober_worker.functions import Writer


class LiveAttempt(Link):
    """`on_progress` is told that there is something new, `on_cancel` that it is asked to stop.

    `token` is what a process must know to speak for it.
    """

    def __init__(
        self,
        claim: Claim,
        host: str,
        now_ms: Callable[[], int],
        on_progress: Callable[["LiveAttempt"], None],
        on_cancel: Callable[["LiveAttempt"], None],
    ) -> None:
        self.claim = claim
        self.newest: Progress | None = None
        self.host = host
        self._write: Writer | None = None
        self._mask: Callable[[str], str] = str
        self.now_ms = now_ms
        self._on_progress = on_progress
        self._on_cancel = on_cancel
        self._lock = threading.Lock()
        self._current: CurrentRun | None = None
        self._cancelled = False
        self._cancel: threading.Event | None = None  # there once somebody waits for it
        self._over = False

    @cached_property
    def token(self) -> str:
        return secrets.token_urlsafe(24)

    def record(self, write: Writer, mask: Callable[[str], str]) -> None:
        """From now on, its log records go to `write`; `mask` hides secrets in what it says."""
        self._write, self._mask = write, mask

    def current(self) -> CurrentRun:
        """What its own code gets to see, in this process: the same each time."""
        if self._current is None:
            self._current = self._run()
        return self._current

    def _run(self) -> CurrentRun:
        return CurrentRun(
            id=self.claim.id,
            job=self.claim.job,
            attempt=self.claim.attempt,
            host=self.host,
            fire_at=moment(self.claim.fire_at),
            term=whole(self.claim.term),
            _link=self,
        )

    def variables(self) -> dict[str, str]:
        """What its processes find in their environment."""
        claim = self.claim
        return {
            "JOBER_RUN_ID": claim.id,
            "JOBER_JOB": claim.job or "",
            "JOBER_ATTEMPT": str(claim.attempt),
            "JOBER_TERM": claim.term or "",
            "JOBER_FIRE_AT": claim.fire_at or "",
            "JOBER_HOST": self.host,
            "JOBER_TOKEN": self.token,
        }

    def progress(self, step: Step) -> None:
        message = None if step.message is None else self._mask(step.message)
        step = replace(step, message=message, group=self._mask(step.group))
        with self._lock:
            if self._over:
                return
            now_ms = self.now_ms()
            self.newest = (self.newest or Progress(at_ms=now_ms)).after(step, now_ms)
        self._on_progress(self)

    def log(self, line: LogLine) -> bool:
        # In the order in which `end` does not forget one without the other.
        mask, write = self._mask, self._write
        if self._over or write is None:
            return False
        # Masked before it is JSON, which might write a secret in other letters.
        masked = replace(line, logger=mask(line.logger), message=mask(line.message))
        write(Stream.LOG, masked.to_bytes())
        return True

    def is_over(self) -> bool:
        return self._over

    def cancelled(self) -> bool:
        return self._cancelled

    def wait_cancelled(self, timeout_s: float | None) -> bool:
        with self._lock:
            if self._cancelled:
                return True
            cancel = self._cancel = self._cancel or threading.Event()
        return cancel.wait(timeout_s)

    def cancel(self) -> None:
        """Ask it to stop."""
        with self._lock:
            if self._cancelled:
                return
            self._cancelled = True
            cancel = self._cancel
        if cancel:
            cancel.set()
        self._on_cancel(self)

    def end(self) -> Progress | None:
        """It says no more; the last that it said of its progress."""
        with self._lock:
            self._over = True
            # They know who has us: what is known in a circle is garbage that has to be sought.
            self._write, self._mask = None, str
            return self.newest
