"""Sends the progress of runs to Redis: the newest of each, of all runs in one round trip.

The first report goes out at once, others four times a second at the most. While Redis is away
nothing piles up, since only the newest counts; the last goes with the report of the run's end.
"""

import logging
import threading
import time
from collections.abc import Sequence

from jober.errors import RedisUnavailable
from jober.store import Store
from jober_worker.live_attempt import LiveAttempt
from jober_worker.part import Part

log = logging.getLogger(__name__)

BETWEEN_S = 0.25


class ProgressSender:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._ready = threading.Condition()
        self._due: dict[str, LiveAttempt] = {}
        self._stopping = threading.Event()
        self.part = Part("progress sender", self._run)

    def notice(self, attempt: LiveAttempt) -> None:
        """There is something new of it."""
        with self._ready:
            self._due[attempt.claim.lease] = attempt
            self._ready.notify()

    def forget(self, attempt: LiveAttempt) -> None:
        """It has ended."""
        with self._ready:
            self._due.pop(attempt.claim.lease, None)

    def stop(self) -> None:
        with self._ready:
            self._stopping.set()
            self._ready.notify()
        self.part.join(1.0)

    def _run(self) -> None:
        away = False
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._due or self._stopping.is_set())
                if self._stopping.is_set():
                    return
                due, self._due = list(self._due.values()), {}
            # A wait, and not a sleep, so that an agent that stops is not held up.
            began = time.monotonic()
            try:
                self._send(due)
                away = False
            except RedisUnavailable as error:
                if not away:
                    log.warning("progress cannot be told: %s", error)
                away = True
                with self._ready:
                    self._due = {attempt.claim.lease: attempt for attempt in due} | self._due
            self._stopping.wait(max(0.0, began + BETWEEN_S - time.monotonic()))

    def _send(self, due: Sequence[LiveAttempt]) -> None:
        newest = [(attempt.claim, progress) for attempt in due if (progress := attempt.newest)]
        self._store.runs.progress(newest)
