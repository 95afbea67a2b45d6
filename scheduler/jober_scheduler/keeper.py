"""The leader keeps services alive: it looks how each of their places stands, decides, and has it
carried out in one fenced step.

Nothing here is state that must survive: a new leader reads the same, and goes on. Where there are
no services it asks Redis one small question in each half second.
"""

import logging

from jober.failpoint import failpoint
from jober.logs import about_run
from jober.placement import Roster
from jober.service import Service, ServiceAction
from jober.store import Store
from jober_scheduler.chore import Chore
from jober_scheduler.elector import Elector
from jober_scheduler.services import FleetView, plan_service

log = logging.getLogger(__name__)

EVERY_S = 0.5
# Between the steps of one place, which follow one another at once.
STEP_S = 0.02
# Who is live is known as of so long ago.
FLEET_S = 1.0


class Keeper:
    """Serves while we lead."""

    def __init__(self, store: Store, elector: Elector) -> None:
        self._store = store
        self._elector = elector
        self._fleet: FleetView | None = None
        self._fleet_read_at = 0.0
        self.chore = Chore("keeper", EVERY_S, self._look)

    def _look(self) -> float:
        """Do what is to be done now; in how many seconds to look again."""
        token = self._elector.token()
        return EVERY_S if token is None else self._serve(token)

    def _serve(self, token: str) -> float:
        services = self._store.services.all()
        if not services:
            return EVERY_S
        now_ms = self._store.clock.now_ms()
        actions = self._plans(services, self._fleet_now(FLEET_S), now_ms)
        if actions:
            # Nothing is started on a host that has just begun to drain.
            actions = self._plans(services, self._fleet_now(0), now_ms)
        if not actions or self._elector.token() != token:
            return self._until_next(services, now_ms)
        failpoint("leader.before_serve")
        done = self._store.services.serve(token, actions)
        failpoint("leader.served")
        if done is None:
            log.warning("fenced: another node leads by now")
            return EVERY_S
        for action, was_done in zip(actions, done, strict=True):
            if was_done and action.stop:
                told, extra = "service %s: stopping %s: %s", {"job": action.job}
                log.info(told, action.job, action.place, action.stop, extra=extra)
            elif was_done and action.start:
                run, job = action.start.id, action.job
                log.info("service %s: %s is its run now", job, run, extra=about_run(run, job))
        return STEP_S if any(done) else EVERY_S

    def _plans(self, services: list[Service], fleet: FleetView, now_ms: int) -> list[ServiceAction]:
        return [action for one in services for action in self._plan(one, fleet, now_ms)]

    def _plan(self, service: Service, fleet: FleetView, now_ms: int) -> list[ServiceAction]:
        try:
            return plan_service(service, fleet, now_ms)
        except Exception:
            # Whatever is wrong with one service must not keep the others from being looked after.
            extra = {"job": service.name}
            log.exception("service %s cannot be looked after", service.name, extra=extra)
            return []

    def _until_next(self, services: list[Service], now_ms: int) -> float:
        due = [
            place.state.restart_at_ms - now_ms
            for service in services
            for place in service.places
            if place.state.restart_at_ms is not None
        ]
        soonest_s = min((ms / 1000 for ms in due if ms > 0), default=EVERY_S)
        return min(max(soonest_s, STEP_S), EVERY_S)

    def _fleet_now(self, age_s: float) -> FleetView:
        """The fleet, as it was so long ago at the most."""
        now = self._store.clock.monotonic()
        if self._fleet is None or now - self._fleet_read_at >= age_s:
            agents = self._store.agents.live()
            live = frozenset(agent.host for agent in agents)
            self._fleet = FleetView(roster=Roster.of(agents), live=live)
            self._fleet_read_at = now
        return self._fleet
