"""Forgets the oldest runs past the bound, runs that are cleaned up after once their time is over,
and volatile jobs that are over, while we lead. What it removes, it removes whole."""

import logging

from jober.failpoint import failpoint
from jober.run import KEEP_RUNS, NO_JOB
from jober.store import Store
from jober_scheduler.chore import Chore
from jober_scheduler.elector import Elector

log = logging.getLogger(__name__)

EVERY_S = 5.0
KEEP_IN_ALL = 100_000
BATCH = 200


class Pruner:
    def __init__(self, store: Store, elector: Elector) -> None:
        self._store = store
        self._elector = elector
        self.chore = Chore("pruner", EVERY_S, self._look)

    def _look(self) -> None:
        if self._elector.token() is not None:
            self.prune()

    def prune(self) -> None:
        """One round: the jobs that have told they are over their bound, then the list of all, then
        those whose time is over, then the volatile jobs."""
        failpoint("leader.before_prune")
        for job in self._store.runs.overfull():
            if job != NO_JOB:  # what has no job is in the list of all alone
                self._prune(KEEP_RUNS, job)
        self._prune(KEEP_IN_ALL, None)
        while not self.chore.is_stopping and self._store.runs.lapse(BATCH) == BATCH:
            pass
        if over := self._store.jobs.prune():
            log.info("volatile, and over: %s", ", ".join(over))

    def _prune(self, keep: int, job: str | None) -> None:
        """Go through the oldest until nothing is left to remove."""
        pass_over = 0
        while not self.chore.is_stopping:
            removed, live = self._store.runs.prune(keep, job, BATCH, pass_over)
            pass_over += live
            if removed + live < BATCH:
                return
