"""Runs that wait for one host: bound to it, or going to it first; and what becomes of them."""

from typing import Any

from jober.fire import FirePlan, PlannedFire, PlannedRun
from jober.ids import fired_run_id
from jober.ledger import Decision
from jober.run import RunState
from jober.store import Store
from tests.store.hand import Hand

DB2 = "db2-bbbbbb"


def fire(
    hand: Hand, name: str, host: str, *, may_move: bool, next_in_ms: int = 60_000, **more: Any
) -> str:
    """Fire a job now, on a host; the id of its run."""
    hand.store.connection.command("HSET", f"jober:job:{name}", "cursor", 1)
    at_ms = hand.store.clock.now_ms() - 1000
    run = PlannedRun(
        id=fired_run_id(name, at_ms, None if may_move else host), host=host, may_move=may_move
    )
    plan = FirePlan(
        name=name,
        revision=hand.store.jobs.get(name).revision,
        cursor_ms=at_ms,
        next_ms=at_ms + next_in_ms,
        fires=(PlannedFire(at_ms=at_ms, decision=Decision.FIRED, runs=(run,)),),
        **more,
    )
    reply = hand.store.fires.fire(hand.token, hand.store.fires.pack([plan]))
    assert reply.results == ("done",)
    return run.id


def field(store: Store, run: str, name: str) -> str:
    return (store.connection.command("HGET", f"rq:job:{run}", name) or b"").decode()


def test_a_run_that_goes_to_a_host_first_is_taken_there_and_by_nobody_else(
    store: Store, hand: Hand
) -> None:
    hand.job("job", every=60, prefer="pack")
    hand.agent()
    hand.agent(DB2)
    run = fire(hand, "job", "db2", may_move=True)
    assert store.leases.stray() == ([], [])
    assert hand.claim() == []
    (claim,) = hand.claim(DB2)
    assert claim.id == run and claim.work.queue == "@db2"
    # It counts for the fleet, as any run on any host.
    assert hand.count("jober:slots:job") == 1
    assert hand.finish(claim, agent=DB2)
    assert hand.held() == {}


def test_where_its_host_is_gone_or_takes_no_runs_it_goes_to_any_other(
    store: Store, hand: Hand
) -> None:
    hand.job("job", every=60, prefer="pack")
    hand.agent()
    hand.agent(DB2)
    run = fire(hand, "job", "db2", may_move=True)
    store.agents.leave(DB2)
    assert store.leases.stray() == ([run], [])
    assert store.leases.stray() == ([], [])
    (claim,) = hand.claim()
    assert claim.id == run and claim.work.queue == "default"


def test_where_its_host_does_not_take_it_in_time_it_goes_to_any_other(
    store: Store, hand: Hand
) -> None:
    hand.job("job", every=60, prefer="pack")
    hand.agent()
    hand.agent(DB2)
    run = fire(hand, "job", "db2", may_move=True)
    store.connection.command("HSET", f"rq:job:{run}", "fallback", "1 default")
    assert store.leases.stray() == ([run], [])
    assert [claim.id for claim in hand.claim()] == [run]


def test_another_attempt_may_go_to_any_host(store: Store, hand: Hand) -> None:
    hand.job("job", every=60, prefer="pack", retries=1)
    hand.agent()
    hand.agent(DB2)
    run = fire(hand, "job", "db2", may_move=True)
    (claim,) = hand.claim(DB2)
    assert hand.put_off(claim, agent=DB2)
    store.leases.promote()
    assert [claim.id for claim in hand.claim()] == [run]


def test_a_bound_run_waits_for_its_host_until_the_next_fire_and_is_missed_then(
    store: Store, hand: Hand
) -> None:
    hand.job("job", every=60, on="every")
    run = fire(hand, "job", "db2", may_move=False)
    fire_at = store.runs.get(run).fire_at_ms or 0
    assert int(field(store, run, "bound_until")) == fire_at + 60_000
    assert store.leases.stray() == ([], [])
    hand.overdue_binding(run)
    assert store.leases.stray() == ([], [run])
    ended = store.runs.get(run)
    assert ended.state is RunState.MISSED
    assert ended.reason and ended.reason.endswith("and host db2 has no live agent")
    entry = store.events.ledger("job")[0]
    assert (entry.decision, entry.run, entry.host) == (Decision.MISSED, run, "db2")
    assert store.events.newest(1)[0].facts["state"] == "missed"
    assert hand.held() == {}


def test_a_bound_run_of_a_host_that_is_only_busy_goes_on_waiting(store: Store, hand: Hand) -> None:
    hand.job("job", every=60, on="every")
    hand.agent(DB2)
    run = fire(hand, "job", "db2", may_move=False)
    hand.overdue_binding(run)
    assert store.leases.stray() == ([], [])
    assert [claim.id for claim in hand.claim(DB2)] == [run]


def test_a_run_by_hand_waits_an_hour_for_its_host(store: Store, hand: Hand) -> None:
    hand.job("job", every=60)
    run = hand.run(host="db2")
    made = store.runs.get(run).enqueued_at_ms or 0
    assert int(field(store, run, "bound_until")) == made + 3_600_000


def test_where_a_job_ran_is_kept_with_it(store: Store, hand: Hand) -> None:
    hand.job("job", every=60, prefer="spread")
    fire(hand, "job", "db2", may_move=True, placed=("db1", "db2"))
    assert store.jobs.get("job").placed == ("db1", "db2")
    assert store.jobs.due(store.clock.now_ms() + 100_000, 10)[1][0].placed == ("db1", "db2")


def test_a_shortfall_is_in_the_ledger_and_told(store: Store, hand: Hand) -> None:
    hand.job("job", every=60, on=3)
    store.connection.command("HSET", "jober:job:job", "cursor", 1)
    at_ms = store.clock.now_ms() - 1000
    short = PlannedFire(at_ms=at_ms, decision=Decision.SHORT, reason="on 1 of 3 hosts")
    run = PlannedRun(id=fired_run_id("job", at_ms, "a"), host="a")
    made = PlannedFire(at_ms=at_ms, decision=Decision.FIRED, runs=(run,))
    plan = FirePlan(
        name="job", revision=1, cursor_ms=at_ms, next_ms=at_ms + 60_000, fires=(made, short)
    )
    packed = store.fires.pack([plan])
    for _ in range(2):
        store.fires.fire(hand.token, packed)
    told = [(entry.decision, entry.reason) for entry in store.events.ledger("job")]
    assert sorted(told, key=str) == [
        (Decision.FIRED, None),
        (Decision.SHORT, "on 1 of 3 hosts"),
    ]
    assert [event.type for event in store.events.newest()].count("fire.short") == 1
