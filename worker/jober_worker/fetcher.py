"""Claims runs while there is room, and waits at the bells of its queues where there are none."""

import logging
import threading
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from jober.errors import RedisUnavailable
from jober.failpoint import failpoint
from jober.pace import paced_s
from jober.store.agents import LEASE_MS
from jober.store.leases import CLAIM_AT_MOST
from jober_worker.kernel import now_s
from jober_worker.part import Part

if TYPE_CHECKING:
    from jober_worker.agent import Agent

log = logging.getLogger(__name__)

# A lost ring, or an RQ job that an application put in, is found after this at the latest.
POLL_S = paced_s(1.0)
RETRY_S = 0.5
REFRESH_S = 2.0
# There are more queues than hosts. They are read one and all where their number is another than
# before; and now and then, since one may have gone as another came.
READ_ALL_S = 20.0
# How long an agent that is all but full lets others go first, which may have less to do.
GIVE_WAY_S = 0.025


class Fetcher:
    def __init__(self, agent: "Agent") -> None:
        self._agent = agent
        self._stopping = threading.Event()
        self._stale = threading.Event()
        self._come: deque[str] = deque()
        self._queues: list[str] = []
        self._looked_at = self._read_at = 0.0
        self._number = 0
        self._away = False
        self._held_back = False
        self.part = Part("fetcher", self._run)

    def stop(self, wait_s: float) -> bool:
        """Claim nothing more; True where no claim is under way on return."""
        self._stopping.set()
        self._agent.slots.call_off()
        self._wake()
        return self.part.join(wait_s)

    def refresh(self, come: Iterable[str] = ()) -> None:
        """These queues of ours have come up: serve them at once. Where none is named, look which
        are ours."""
        if named := list(come):
            self._come.extend(named)
        else:
            self._stale.set()
        self._wake()

    def _wake(self) -> None:
        """End our own wait at the bells; where Redis is away, there is none."""
        if self._queues and not self._away:
            try:
                self._agent.store.leases.ring(self._queues[0])
            except RedisUnavailable:
                pass

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._fetch()
                self._away = False
            except RedisUnavailable as error:
                if not self._away:
                    log.warning("cannot claim: %s", error)
                self._away = True
                self._stopping.wait(RETRY_S)

    def _fetch(self) -> None:
        agent = self._agent
        # A cordoned host must not take the rings that are for others.
        if not agent.open.wait(POLL_S):
            return
        if not agent.reporter.catch_up(POLL_S):
            return
        ahead, ahead_once = agent.ahead.runs, agent.ahead.runs_once
        room = agent.slots.room(ahead, ahead_once)
        if room.free <= 0 and room.ahead <= ahead // 2:
            # Where much may be reserved, much is asked for at once.
            agent.slots.wait(agent.settings.slots - 1 + ahead // 2, POLL_S)
            return
        self._look_for_queues()
        failpoint("agent.before_claim")
        asked_s = now_s()
        claimed = agent.store.leases.claim(
            agent.id,
            agent.settings.host,
            self._queues,
            room.free,
            agent.settings.slots,
            room.ahead,
            room.ahead_once,
        )
        if claimed.runs:
            failpoint("agent.claimed")
        if now_s() - asked_s >= LEASE_MS / 1000:
            # We stood still meanwhile, and others may have them; RENEW puts back what nobody has.
            log.warning("%d runs were claimed too long ago to be begun", len(claimed.runs))
            return
        if agent.trust is not None:
            agent.trust.note(claimed.runs)
        self._held_back = claimed.held_back
        agent.start_runs(claimed.runs)
        if self._stopping.is_set() or len(claimed.runs) >= CLAIM_AT_MOST:
            return
        if sum(claim.work.weight for claim in claimed.runs) >= room.free + room.ahead:
            return
        if claimed.runs and claimed.runs[-1].reserved:
            # There may be more of what is reserved sparingly.
            agent.slots.wait(agent.settings.slots - 1 + ahead_once // 2, POLL_S)
            return
        agent.reporter.rush.end()
        if room.free <= 0:
            # What waits may be what cannot be reserved, and keeps its bell ringing.
            agent.slots.wait(agent.settings.slots - 1, POLL_S)
            return
        if self._wait() and not self._stopping.is_set():
            self._give_way()
            agent.reporter.rush.begin()

    def _wait(self) -> bool:
        """Wait until something is in a queue, or the host is cordoned. True where a bell told."""
        leases = self._agent.store.leases
        while self._agent.open.is_set() and not self._stopping.is_set():
            if leases.wait(self._queues, POLL_S):
                return True
            self._look_for_queues()
            # Much less for Redis than a claim that finds nothing, of each of a thousand agents.
            if leases.any_waits(self._queues):
                break
        return False

    def _look_for_queues(self) -> None:
        agent = self._agent
        now = agent.store.clock.monotonic()
        while self._come:
            # The whole of them is not read for it: a thousand agents are told at once.
            self._number += 1
            self._serve(agent.served([*self._queues, self._come.popleft()]))
        if not self._stale.is_set() and now - self._looked_at <= REFRESH_S:
            return
        number = agent.store.agents.queue_number()
        is_due = self._stale.is_set() or now - self._read_at > READ_ALL_S
        self._stale.clear()
        if is_due or number != self._number:
            self._serve(agent.queues())
            self._number, self._read_at = number, now
        self._looked_at = now

    def _serve(self, queues: list[str]) -> None:
        agent = self._agent
        if queues != self._queues:
            agent.store.agents.serves(agent.id, queues)
        self._queues = queues

    def _give_way(self) -> None:
        """The less an agent has to do, the sooner it claims what has just come: the least loaded of
        those that wait is the first. Only where others wait: a queue that was not empty is nobody's
        to wait for, and neither is one that no other agent serves."""
        agent = self._agent
        busy = agent.slots.busy
        if busy > 0 and agent.store.leases.pass_on(self._queues):
            self._stopping.wait(GIVE_WAY_S * busy)

    def slot_freed(self) -> None:
        """A run has ended: one that takes several slots may wait for its."""
        if self._held_back:
            self._wake()
