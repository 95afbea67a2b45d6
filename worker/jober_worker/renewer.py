"""The heartbeat: extends the leases of all that the agent answers for, and obeys the answer."""

import logging
import threading
from typing import TYPE_CHECKING

import psutil

from jober.errors import RedisUnavailable
from jober.failpoint import failpoint
from jober.pace import paced_s
from jober_worker.kernel import now_s
from jober_worker.part import Part

if TYPE_CHECKING:
    from jober_worker.agent import Agent

log = logging.getLogger(__name__)

RENEW_S = paced_s(2.0)


class Renewer:
    def __init__(self, agent: "Agent") -> None:
        self._agent = agent
        self._stopping = threading.Event()
        self._now = threading.Event()
        self.part = Part("renewer", self._run)

    def stop(self) -> None:
        """Renew no more: who has left shall not join again."""
        self._stopping.set()
        self._now.set()
        self.part.join(5)

    def tell(self) -> None:
        """Renew now, since something that others see has changed."""
        self._now.set()

    def _run(self) -> None:
        away = False
        while not self._stopping.is_set():
            self._now.clear()
            try:
                self._renew()
                if away:
                    log.info("the leases are renewed again")
                away = False
            except RedisUnavailable as error:
                # Runs go on: what they did is reported when Redis is back.
                if not away:
                    log.warning("cannot renew: %s", error)
                away = True
            self._now.wait(RENEW_S / 4 if away else RENEW_S)

    def _renew(self) -> None:
        agent = self._agent
        agent.store.observe_time()
        info = agent.info()
        begun_s = now_s()
        failpoint("agent.before_renew")
        reply = agent.store.agents.renew(
            agent.id,
            agent.held.leases(),
            running=info.running,
            load=psutil.getloadavg()[0],
            state=info.state,
            problem=agent.journal.problem,
            clock_ahead_ms=round(agent.store.clock.ahead_ms()),
        )
        failpoint("agent.renewed")
        if not reply.known and not self._stopping.is_set():
            # Redis has lost us, or took us for dead. The leases are looked at right after.
            log.warning("registering again")
            agent.obey(agent.store.agents.join(info, agent.queues()))
            self._now.set()
            return
        agent.vigil.renewed(begun_s)
        agent.obey(reply.orders)
        for lease in reply.lost:
            agent.held.give_up(lease)
        for lease, reason in reply.cancel.items():
            agent.held.stop_lease(lease, reason)
