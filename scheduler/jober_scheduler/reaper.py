"""Runs whose agent has fallen silent are given up, silent agents struck off, and runs that wait
though a slot is free put back into their queues. What waits for a host that takes no runs goes
elsewhere if it may, and is missed in the end if not.

Every scheduler does this, leader or not: the scripts are idempotent. After a restart or a failover
of Redis, after any time that it could not be reached, and where its clock was set, leases are held
to be good for one full lease more, since their agents could not renew them.
"""

import logging

from jober.errors import RedisUnavailable
from jober.failpoint import failpoint
from jober.pace import paced_s
from jober.store import Store
from jober.store.agents import LEASE_MS
from jober.store.leases import Reclaimed
from jober_scheduler.chore import Chore

log = logging.getLogger(__name__)

EVERY_S = paced_s(1.0)


class Reaper:
    def __init__(self, store: Store) -> None:
        self._store = store
        # Which Redis this was for, by which setting of its clock.
        self._server: tuple[str, int] = ("", 0)
        self._hold_until = 0.0
        self.chore = Chore("reaper", EVERY_S, self._look)

    def _look(self) -> None:
        try:
            self._reap()
        except RedisUnavailable:
            self._server = ("", 0)
            raise

    def _reap(self) -> None:
        self._store.observe_time()
        now = self._store.clock.monotonic()
        server, clock = self._store.leases.server(), self._store.clock.leaps()
        if (server, clock) != self._server:
            self._server = (server, clock)
            self._hold_until = now + LEASE_MS / 1000
        if now < self._hold_until:
            return
        failpoint("scheduler.before_reclaim")
        # Redis may come back as another in between: a call is sent again where its reply is lost.
        while (reclaimed := self._store.leases.reclaim(server=server)) != Reclaimed():
            for ids, what in (
                (reclaimed.lost, "lost"),
                (reclaimed.again, "to be tried again"),
                (reclaimed.poisoned, "poisoned, and not tried again"),
            ):
                if ids:
                    told, extra = ", ".join(ids), {"runs": list(ids)}
                    log.warning("%s, their agents fell silent: %s", what, told, extra=extra)
        failpoint("scheduler.reclaimed")
        self._unpark()
        for agent in self._store.agents.bury(server=server):
            told = "agent %s is lost: silent for longer than its lease"
            log.warning(told, agent, extra={"agent": agent})
        moved, missed = self._store.leases.stray(server=server)
        if moved:
            told, extra = ", ".join(moved), {"runs": list(moved)}
            log.info("their hosts do not take them, others may: %s", told, extra=extra)
        if missed:
            told, extra = ", ".join(missed), {"runs": list(missed)}
            log.warning("missed, their hosts are gone: %s", told, extra=extra)

    def _unpark(self) -> None:
        """Have the runs look again that wait though a slot is free."""
        cursor = 0
        while True:
            cursor, moved = self._store.limits.unpark(cursor)
            if moved:
                log.info("%d runs had a slot and waited", moved)
            if not cursor or self.chore.is_stopping:
                return
