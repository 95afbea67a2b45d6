"""What becomes of reserved runs that are not over within moments: those that have begun are told to
run, those that wait for a slot that does not come free go back to their queues.
"""

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jober.errors import RedisUnavailable
from jober_worker.kernel import now_s
from jober_worker.part import Part

if TYPE_CHECKING:
    from jober_worker.agent import Agent
    from jober_worker.execution import Execution

log = logging.getLogger(__name__)

LOOK_S = 0.025
# A run that goes on for so long is told to run; one that has waited for so long is another's.
TELL_S = 0.05
WAIT_S = 0.15
RETRY_S = 0.5
BATCH = 200


class Reserve:
    def __init__(self, agent: "Agent") -> None:
        self._agent = agent
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._told: set[str] = set()  # leases that are told to run
        self.part = Part("reserve", self._run)

    def want(self) -> None:
        """There are reserved runs."""
        if not self._wanted.is_set():
            self._wanted.set()

    def stop(self) -> None:
        self._stopping.set()
        self._wanted.set()
        self.part.join(2)

    def give_back(self) -> None:
        """Begin none of those that wait. What Redis does not hear of, it finds out by a renewal,
        as of what never arrived, or when their leases are over."""
        leases = [execution.lease for execution in self._agent.take_back()]
        self._put_back(self._agent.id, leases)

    def take_over(self) -> None:
        """Give back what the agent before this one had reserved, and had not begun when it died;
        the marks are our own from now on. Raises RedisUnavailable, and can be called again."""
        begun, agent = self._agent.begun, self._agent.id
        forerunner = begun.owner
        if forerunner == agent:
            return
        if forerunner:
            leases = begun.not_begun(self._agent.store.leases.of(forerunner))
            self._put_back(forerunner, leases)
        begun.belong_to(agent)

    def _put_back(self, agent: str, leases: Sequence[str]) -> None:
        """Those that were reserved last first, so that the oldest are in front."""
        for start in reversed(range(0, len(leases), BATCH)):
            self._agent.store.leases.give_back(agent, leases[start : start + BATCH])

    def _run(self) -> None:
        away = False
        while True:
            self._wanted.wait()
            if self._stopping.wait(RETRY_S if away else LOOK_S):
                return
            try:
                is_left = self._look()
                away = False
            except RedisUnavailable as error:
                if not away:
                    log.warning("what was reserved cannot be told of: %s", error)
                away, is_left = True, True
            if not is_left:
                # Whoever reserves more says so after this, or is seen by another look.
                self._wanted.clear()
                if self._reserved():
                    self._wanted.set()

    def _look(self) -> bool:
        """Do what is to be done now; whether there is more to look after."""
        agent = self._agent
        oldest = [at for at in (agent.runners.oldest_s(), agent.batches.oldest_s()) if at]
        if oldest and now_s() - min(oldest) >= WAIT_S:
            # Whatever holds the slots takes long: what it makes of the mean keeps us from more.
            self._agent.ahead.took(WAIT_S)
            self.give_back()
        reserved = self._reserved()
        self._told &= {execution.lease for execution in reserved}
        self._tell(reserved)
        return any(execution.lease not in self._told for execution in reserved)

    def _reserved(self) -> list["Execution"]:
        return [one for one in self._agent.held.executions() if one.claim.reserved]

    def _tell(self, reserved: Sequence["Execution"]) -> None:
        now_ms = self._agent.store.clock.now_ms()
        begun = []
        for execution in reserved:
            claim, began_ms = execution.claim, execution.began_ms
            if began_ms is not None and now_ms - began_ms >= TELL_S * 1000:
                if claim.lease not in self._told:
                    begun.append((claim, began_ms))
        for start in range(0, len(begun), BATCH):
            batch = begun[start : start + BATCH]
            self._agent.ahead.took((now_ms - batch[0][1]) / 1000)
            self._agent.store.leases.begin(
                self._agent.id, [(claim.id, claim.attempt, at) for claim, at in batch]
            )
            self._told.update(claim.lease for claim, _ in batch)
