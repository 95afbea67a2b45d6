"""What is to be done for a service: a pure function of how it stands, the fleet and a moment.

Each place goes round: start a run; tell that it is healthy; stop it, where it must not go on there
or is not what the definition says now; and when it has ended, whatever the reason, note when the
next one begins. The ends that are nobody's fault (its host died, it was told to move) are
followed at once, the others after a delay that doubles until a run was healthy.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from jober.clock import iso
from jober.ids import service_run_id
from jober.placement import Roster, choose_one
from jober.run import RunState
from jober.service import (
    ANY,
    PlaceState,
    Service,
    ServiceAction,
    ServicePlace,
    ServiceStart,
)

CHANGED = "its definition was changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetView:
    """The hosts that take runs, and all that have a live agent."""

    roster: Roster
    live: frozenset[str]


def plan_service(service: Service, fleet: FleetView, now_ms: int) -> list[ServiceAction]:
    """The next step of each place of the service that has one now."""
    return [] if service.paused else list(_Planning(service, fleet, now_ms).actions())


class _Planning:
    def __init__(self, service: Service, fleet: FleetView, now_ms: int) -> None:
        self._service = service
        self._policy = service.policy
        self._fleet = fleet
        self._hosts = fleet.roster.hosts_for(service.policy.queue)
        self._now_ms = now_ms

    def actions(self) -> Iterator[ServiceAction]:
        wanted = (ANY,) if self._policy.on == "any" else self._hosts
        known = {place.name: place for place in self._service.places}
        for place in known.values():
            if action := self._known(place, place.name in wanted):
                yield action
        # Where `on` was changed, the runs of before end first.
        if not any((name == ANY) != (self._policy.on == "any") for name in known):
            for name in wanted:
                if name not in known and self._hosts:
                    yield self._start(name, None)

    def _known(self, place: ServicePlace, is_wanted: bool) -> ServiceAction | None:
        """What is to be done in a place that has had a run."""
        state, run = place.state, place.run
        if run is not None and not run.state.is_final:
            why = "" if state.stopping else self._why_stop(place, is_wanted)
            if why:
                return self._action(place, replace(state, stopping=why), stop=why)
            return self._healthy(place)
        if not is_wanted:
            return self._action(place, None)
        if state.restart_at_ms is None:
            return self._ended(place)
        if self._now_ms >= state.restart_at_ms and self._hosts:
            return self._start(place.name, place)
        return None

    def _why_stop(self, place: ServicePlace, is_wanted: bool) -> str:
        """Why the run must not go on; "" where it may. That of a host whose agent is silent is
        given up with its lease, and not before: it may still be going."""
        run = place.run
        assert run is not None
        if (place.name == ANY) != (self._policy.on == "any"):
            return CHANGED
        running = run.state is RunState.RUNNING
        if running and run.host not in self._fleet.live:
            return ""
        if not is_wanted or (running and run.host not in self._hosts):
            return f"{run.host} takes no runs of it any more"
        return "" if run.is_current else CHANGED

    def _healthy(self, place: ServicePlace) -> ServiceAction | None:
        state, run = place.state, place.run
        assert run is not None
        if state.healthy or state.stopping or run.state is not RunState.RUNNING:
            return None
        if run.started_at_ms is None or not self._was_healthy(run.started_at_ms, self._now_ms):
            return None
        facts = {"run": run.id, "host": run.host or ""}
        after = replace(state, healthy=True, failures=0)
        return self._action(place, after, event="service.healthy", facts=facts)

    def _was_healthy(self, started_at_ms: int, until_ms: int) -> bool:
        return until_ms - started_at_ms >= self._policy.healthy_after_ms

    def _ended(self, place: ServicePlace) -> ServiceAction:
        """Note when the next run begins, counted from the end of the last one."""
        state, run = place.state, place.run
        failures, delay_ms = state.failures, 0
        ended_ms = (run and run.ended_at_ms) or self._now_ms
        if run and run.started_at_ms and self._was_healthy(run.started_at_ms, ended_ms):
            failures = 0
        if state.stopping or run is None:
            pass
        elif run.state is RunState.CANCELLED:
            delay_ms = self._policy.restart_in_ms(0)
        else:
            gone = run.state in (RunState.LOST, RunState.MISSED) and failures == 0
            delay_ms = 0 if gone else self._policy.restart_in_ms(failures)
            failures += 1
        restart_at_ms = ended_ms + delay_ms
        after = PlaceState(
            run=state.run,
            restarts=state.restarts,
            failures=failures,
            restart_at_ms=restart_at_ms,
        )
        facts = {"run": state.run, "restart_at": iso(restart_at_ms) or ""}
        if run is not None:
            facts |= {"state": str(run.state), "host": run.host or "", "reason": run.reason or ""}
        return self._action(place, after, event="service.restarting", facts=facts)

    def _start(self, name: str, place: ServicePlace | None) -> ServiceAction:
        """The next run of a place."""
        id = service_run_id(self._service.name, self._now_ms)
        if name == ANY:
            use = self._fleet.roster.use_of
            host = choose_one(self._hosts, self._policy.prefer, use=use, seed=id)
            start = ServiceStart(id=id, host=host, may_move=host is not None)
        else:
            start = ServiceStart(id=id, host=name)
        before = place.state if place else None
        after = PlaceState(
            run=id,
            restarts=before.restarts + 1 if before else 0,
            failures=before.failures if before else 0,
        )
        return ServiceAction(
            job=self._service.name,
            revision=self._service.revision,
            place=name,
            before=place.text if place else "",
            after=after,
            start=start,
        )

    def _action(
        self,
        place: ServicePlace,
        after: PlaceState | None,
        *,
        stop: str | None = None,
        event: str | None = None,
        facts: dict[str, str] | None = None,
    ) -> ServiceAction:
        return ServiceAction(
            job=self._service.name,
            revision=self._service.revision,
            place=place.name,
            before=place.text,
            after=after,
            stop=stop,
            event=event,
            facts=facts or {},
        )
