"""Runs whose moment has come: another attempt is due, or the time to start is over.

Every scheduler does this, leader or not: the scripts are idempotent, and only one of several finds
anything to do.
"""

import logging

from jober.failpoint import failpoint
from jober.store import Store
from jober_scheduler.chore import Chore

log = logging.getLogger(__name__)

# At the latest; sooner where an attempt is due sooner.
EVERY_S = 0.5
SOONEST_S = 0.01
BATCH = 200


class Promoter:
    def __init__(self, store: Store) -> None:
        self._store = store
        self.chore = Chore("promoter", EVERY_S, self._look)

    def _look(self) -> float:
        """Do what is due; in how many seconds to look again."""
        failpoint("scheduler.before_promote")
        while missed := self._store.leases.miss(BATCH):
            told, extra = ", ".join(missed), {"runs": list(missed)}
            log.warning("missed, not started in time: %s", told, extra=extra)
        moved, next_s = self._store.leases.promote(BATCH)
        if moved:
            log.info("%d runs are tried again", moved)
        return EVERY_S if next_s is None else min(max(next_s, SOONEST_S), EVERY_S)
