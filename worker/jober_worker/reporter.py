"""Reports ended attempts, many in one round trip, until Redis has taken them."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from jober.errors import RedisRefused, RedisUnavailable
from jober.failpoint import failpoint
from jober.store import Store
from jober.store.report import Finish
from jober_worker.journal import untellable
from jober_worker.part import Part
from jober_worker.records import about
from jober_worker.rush import Rush

log = logging.getLogger(__name__)

BATCH = 200
# Where so many wait to be reported, nothing more is begun: Redis takes in ends more slowly than we
# make them, and would have to renew the leases of all that wait.
BEHIND = 2 * BATCH
# So many in a rush, which is soon over.
BEHIND_IN_RUSH = 5 * BATCH
# Where ends come close upon each other, they are waited for so long, to be reported together.
TOGETHER_S = 0.002
RETRY_S = 0.5


class Reporter:
    """`on_reported` is told the reports that Redis has answered; in a `rush`, none is sent."""

    def __init__(
        self, store: Store, agent: str, on_reported: Callable[[Sequence[Finish]], None]
    ) -> None:
        self._store = store
        self._agent = agent
        self._on_reported = on_reported
        self.rush = Rush()
        self._ready = threading.Condition()
        self._waiting: deque[Finish] = deque()
        self._is_idle = False
        self._caught_up = threading.Event()
        self._stopping = threading.Event()
        self.part = Part("reporter", self._run)

    def put(self, finishes: Sequence[Finish]) -> None:
        """Have them reported."""
        self._waiting.extend(finishes)
        # One that is idle has said so before it looked. To wake it for each costs a tenth of a run.
        if self._is_idle:
            with self._ready:
                self._ready.notify()

    def catch_up(self, wait_s: float) -> bool:
        """Wait until few enough are left to report, for at most `wait_s` seconds; whether so."""
        if len(self._waiting) < (BEHIND_IN_RUSH if self.rush.is_on else BEHIND):
            return True
        self.rush.end()
        self._caught_up.clear()
        return len(self._waiting) < BEHIND or self._caught_up.wait(wait_s)

    def stop(self, wait_s: float) -> bool:
        """Report what waits, for at most `wait_s` seconds; False where something is left."""
        with self._ready:
            self._stopping.set()
            self._ready.notify()
        return self.part.join(wait_s)

    def _run(self) -> None:
        away, size = False, 0
        while True:
            with self._ready:
                self._ready.wait_for(self._has_come)
                self._is_idle = False
                if not self._waiting:
                    return
            self.rush.wait()
            if size > 1 and len(self._waiting) < BATCH:
                time.sleep(TOGETHER_S)
            size = min(BATCH, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(size)]
            if len(self._waiting) < BEHIND:
                self._caught_up.set()
            left = self._send(batch)
            if bool(left) is not away:
                away = bool(left)
                log.warning("results wait for Redis" if away else "results are reported again")
            if left:
                with self._ready:
                    # Behind the others: what is refused for itself does not stand in their way.
                    self._waiting.extend(left)
                time.sleep(RETRY_S)

    def _has_come(self) -> bool:
        """Whether there is something to do for one that is idle otherwise."""
        self._is_idle = True
        return bool(self._waiting) or self._stopping.is_set()

    def _send(self, batch: Sequence[Finish]) -> list[Finish]:
        """Report all, and tell which are to be reported again."""
        try:
            failpoint("agent.before_finish")
            answers = self._store.leases.finish(self._agent, batch)
            failpoint("agent.finished")
        except RedisUnavailable as error:
            if not isinstance(error, RedisRefused):
                return list(batch)
            if len(batch) > 1:
                return [left for finish in batch for left in self._send([finish])]
            claim = batch[0].claim
            log.warning("the result of %s is refused: %s", claim.lease, error, extra=about(claim))
            return list(batch)
        except Exception as error:
            if len(batch) > 1:
                return [left for finish in batch for left in self._send([finish])]
            # Something of it cannot be written: the run ends nevertheless, and says so.
            claim = batch[0].claim
            log.exception("the result of %s cannot be told", claim.lease, extra=about(claim))
            return [replace(batch[0], outcome=untellable(error))]
        for finish, done in zip(batch, answers, strict=True):
            if not done:
                claim = finish.claim
                log.warning("%s is over, or another's, already", claim.lease, extra=about(claim))
        self._on_reported(batch)
        return []
