"""What is to be done for a service, decided purely."""

from dataclasses import replace

from jober.agent_info import AgentInfo
from jober.placement import Roster
from jober.run import RunState
from jober.service import (
    ANY,
    PlaceState,
    Service,
    ServiceAction,
    ServicePlace,
    ServicePolicy,
    ServiceRun,
)
from jober_scheduler.services import CHANGED, FleetView, plan_service

NOW = 1_000_000
POLICY = ServicePolicy(
    on="any",
    queue="web",
    prefer="least",
    restart_delay_ms=1000,
    restart_max_delay_ms=60_000,
    healthy_after_ms=30_000,
)
EVERY = replace(POLICY, on="every")


def fleet(*up: str, cordoned: tuple[str, ...] = ()) -> FleetView:
    agents = [
        AgentInfo(
            id=f"{host}-aaaaaa",
            host=host,
            pid=1,
            roles=frozenset({"web"}),
            slots=1,
            version="0",
            state="up" if host in up else "cordoned",
        )
        for host in (*up, *cordoned)
    ]
    return FleetView(roster=Roster.of(agents), live=frozenset((*up, *cordoned)))


def place(
    run_state: RunState,
    name: str = ANY,
    host: str = "a",
    started: int = NOW - 1000,
    ended: int = NOW,
    current: bool = True,
    **state: object,
) -> ServicePlace:
    kept = PlaceState(run="svc-s1", **state)  # type: ignore[arg-type]
    run = ServiceRun(
        id="svc-s1",
        state=run_state,
        host=host,
        is_current=current,
        started_at_ms=started,
        ended_at_ms=ended if run_state.is_final else None,
    )
    return ServicePlace(name=name, text=kept.to_json(), state=kept, run=run)


def planned(
    *places: ServicePlace, policy: ServicePolicy = POLICY, view: FleetView | None = None
) -> list[ServiceAction]:
    service = Service(name="svc", revision=1, paused=False, policy=policy, places=places)
    return plan_service(service, view or fleet("a", "b"), NOW)


def after(place: ServicePlace) -> PlaceState:
    [action] = planned(place)
    assert action.after is not None and action.before == place.text
    return action.after


def test_on_any_one_is_started_and_on_every_one_on_each_host() -> None:
    [one] = planned()
    assert one.place == ANY and one.start and one.start.host is None and one.before == ""
    assert [a.place for a in planned(policy=EVERY)] == ["a", "b"]
    assert all(a.start and a.start.host == a.place for a in planned(policy=EVERY))


def test_without_a_host_or_while_paused_nothing_is_started() -> None:
    assert planned(view=fleet()) == []
    assert planned(view=fleet(cordoned=("a",)), policy=EVERY) == []
    paused = Service(name="svc", revision=1, paused=True, policy=POLICY)
    assert plan_service(paused, fleet("a"), NOW) == []


def test_a_preferred_host_may_be_passed_over_and_that_of_every_may_not() -> None:
    [spread] = planned(policy=replace(POLICY, prefer="spread"))
    assert spread.start and spread.start.host and spread.start.may_move
    assert not any(a.start and a.start.may_move for a in planned(policy=EVERY))


def test_one_that_goes_on_as_it_should_is_left_alone() -> None:
    for state in (RunState.QUEUED, RunState.PARKED, RunState.RUNNING):
        assert planned(place(state)) == []


def test_one_that_goes_on_for_long_is_healthy_and_is_told_once() -> None:
    long = place(RunState.RUNNING, started=NOW - 30_000, failures=3, restarts=7)
    [action] = planned(long)
    assert action.event == "service.healthy"
    assert action.after == PlaceState(run="svc-s1", healthy=True, restarts=7)
    assert planned(place(RunState.RUNNING, started=NOW - 60_000, healthy=True)) == []


def test_the_delay_doubles_with_each_end_up_to_its_bound_and_begins_anew_after_health() -> None:
    delays = [
        (after(place(RunState.FAILED, failures=n)).restart_at_ms or 0) - NOW for n in range(8)
    ]
    assert delays == [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]
    assert after(place(RunState.SUCCESS, failures=2)).failures == 3
    healthy = after(place(RunState.FAILED, started=NOW - 30_000, failures=5))
    assert (healthy.failures, healthy.restart_at_ms) == (1, NOW + 1000)


def test_an_end_that_is_nobodys_fault_is_followed_at_once_but_not_again_and_again() -> None:
    assert after(place(RunState.LOST)).restart_at_ms == NOW
    assert after(place(RunState.LOST, failures=1)).restart_at_ms == NOW + 2000
    moved = after(place(RunState.CANCELLED, stopping="moved", failures=2))
    assert (moved.restart_at_ms, moved.failures, moved.stopping) == (NOW, 2, "")


def test_a_cancelled_one_is_followed_after_the_delay_and_is_no_failure() -> None:
    cancelled = after(place(RunState.CANCELLED, failures=4))
    assert (cancelled.restart_at_ms, cancelled.failures) == (NOW + 1000, 4)


def test_the_next_one_begins_when_its_time_has_come_and_a_host_is_there() -> None:
    early = place(RunState.FAILED, restart_at_ms=NOW + 1)
    due = place(RunState.FAILED, restart_at_ms=NOW, restarts=2, failures=2)
    assert planned(early) == []
    assert planned(due, view=fleet()) == []
    [action] = planned(due)
    assert action.start and action.after
    assert action.after == PlaceState(run=action.start.id, restarts=3, failures=2)


def test_a_run_of_another_definition_is_stopped_and_only_once() -> None:
    old = place(RunState.RUNNING, current=False)
    [action] = planned(old)
    assert action.stop == CHANGED and action.after and action.after.stopping == CHANGED
    assert planned(place(RunState.RUNNING, current=False, stopping=CHANGED)) == []


def test_a_run_on_a_host_that_takes_none_is_stopped_and_that_of_a_silent_one_is_not() -> None:
    [action] = planned(place(RunState.RUNNING), view=fleet("b", cordoned=("a",)))
    assert action.stop == "a takes no runs of it any more"
    assert planned(place(RunState.RUNNING), view=fleet("b")) == []
    of_every = place(RunState.RUNNING, name="a")
    [action] = planned(of_every, policy=EVERY, view=fleet(cordoned=("a",)))
    assert action.stop and action.place == "a"
    assert planned(of_every, policy=EVERY, view=fleet()) == []


def test_a_place_that_is_no_more_is_forgotten_when_its_run_is_over() -> None:
    gone = place(RunState.LOST, name="a")
    [action] = planned(gone, policy=EVERY, view=fleet())
    assert (action.place, action.after, action.start) == ("a", None, None)
    waiting = place(RunState.QUEUED, name="a")
    [action] = planned(waiting, policy=EVERY, view=fleet())
    assert action.stop


def test_where_on_is_changed_the_old_runs_end_before_new_ones_begin() -> None:
    [action] = planned(place(RunState.RUNNING), policy=EVERY)
    assert action.stop == CHANGED
    assert planned(place(RunState.RUNNING, stopping=CHANGED), policy=EVERY) == []
    [action] = planned(place(RunState.RUNNING, name="a"))
    assert action.stop == CHANGED
