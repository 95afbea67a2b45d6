"""Forgets the oldest runs past the bound, while we lead. What it removes, it removes whole."""

import logging
import threading

from jober.errors import RedisUnavailable
from jober.store import Store
from jober_scheduler.elector import Elector

log = logging.getLogger(__name__)

EVERY_S = 5.0
KEEP_PER_JOB = 1_000
KEEP_IN_ALL = 100_000
BATCH = 200


class Pruner:
    def __init__(self, store: Store, elector: Elector) -> None:
        self._store = store
        self._elector = elector
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pruner", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            if self._elector.token() is None:
                continue
            try:
                self.prune()
            except RedisUnavailable as error:
                log.warning("cannot prune: %s", error)

    def prune(self) -> None:
        """One round: the jobs that have told they are over their bound, then the list of all."""
        for job in self._store.runs.overfull():
            self._prune(KEEP_PER_JOB, job)
        self._prune(KEEP_IN_ALL, None)

    def _prune(self, keep: int, job: str | None) -> None:
        """Go through the oldest until nothing is left to remove."""
        pass_over = 0
        while not self._stop.is_set():
            removed, live = self._store.runs.prune(keep, job, BATCH, pass_over)
            pass_over += live
            if removed + live < BATCH:
                return
