"""FIRE: each due fire makes its runs once, by the leader alone, or is told in the ledger."""

from typing import Any

from jober.fire import FirePlan, PlannedFire, PlannedRun
from jober.ids import fired_run_id
from jober.ledger import Decision
from jober.run import RunState
from jober.store import Store
from tests.store.hand import Hand

YEAR_2020 = 1_577_836_800_000
EVERY: dict[str, Any] = {"every": 60}


def begin(hand: Hand, **fields: Any) -> int:
    """A job that is as old as 2020; a moment that is due."""
    hand.job(**{**EVERY, **fields})
    hand.store.connection.command("HSET", "jober:job:job", "cursor", YEAR_2020)
    return YEAR_2020 + 60_000


def test_a_fire_makes_a_run_and_moves_the_cursor(store: Store, hand: Hand) -> None:
    at = begin(hand)
    assert hand.fire("job", at) == "done"
    run = store.runs.get("job-20200101T000100Z")
    assert (run.state, run.job, run.trigger, run.fire_at_ms) == (
        RunState.QUEUED,
        "job",
        "schedule",
        at,
    )
    record = store.jobs.get("job")
    assert (record.cursor_ms, record.next_ms) == (at, at + 60_000)
    assert hand.next_due_ms() == at + 60_000
    assert [e.decision for e in store.events.ledger("job")] == [Decision.FIRED]


def test_the_same_fire_twice_makes_one_run(store: Store, hand: Hand) -> None:
    at = begin(hand)
    hand.fire("job", at)
    hand.fire("job", at)
    assert [run.id for run in store.runs.page("job")] == ["job-20200101T000100Z"]
    assert hand.count("rq:queue:default") == 1
    assert len(store.events.ledger("job")) == 1


def test_a_fire_whose_cursor_was_lost_makes_no_second_run_of_it(store: Store, hand: Hand) -> None:
    """As where somebody has set the cursor back by hand."""
    at = begin(hand, overlap="allow")
    hand.agent()
    hand.fire("job", at)
    (claim,) = hand.claim()
    store.connection.command("HSET", "jober:job:job", "cursor", YEAR_2020)
    assert hand.fire("job", at) == "done"
    assert hand.claim() == []
    assert store.runs.get(claim.id).state is RunState.RUNNING
    assert store.jobs.get("job").fires == 1


def test_the_ledger_tells_of_fires_that_made_runs_and_of_those_that_made_none(
    store: Store, hand: Hand
) -> None:
    at = begin(hand)
    hand.fire("job", at)
    for _ in range(5):
        hand.run()  # by hand: no fire, and in the same list of runs
    hand.fire("job", at + 60_000)
    told = [(entry.decision, entry.fire_at_ms, entry.run) for entry in store.events.ledger("job")]
    assert told == [
        (Decision.SKIPPED, at + 60_000, None),
        (Decision.FIRED, at, "job-20200101T000100Z"),
    ]
    assert [entry.run for entry in store.events.ledger("job", 1)] == [None]


def test_a_run_tells_the_term_of_the_leader_that_fired_it(store: Store, hand: Hand) -> None:
    at = begin(hand)
    hand.fire("job", at)
    term = store.connection.command("HGET", "rq:job:job-20200101T000100Z", "term")
    assert hand.token.startswith(f"{term.decode()}:")


def test_a_fire_before_the_cursor_makes_nothing_and_the_cursor_stays(
    store: Store, hand: Hand
) -> None:
    at = begin(hand, overlap="allow")
    hand.fire("job", at)
    hand.fire("job", at - 30_000)
    assert [run.fire_at_ms for run in store.runs.page("job")] == [at]
    assert [entry.fire_at_ms for entry in store.events.ledger("job")] == [at]
    assert store.jobs.get("job").cursor_ms == at


def test_a_node_that_leads_no_more_fires_nothing(store: Store, hand: Hand) -> None:
    at = begin(hand)
    store.connection.command("DEL", "jober:leader")
    assert hand.fire("job", at) == "fenced"
    store.leader.lead("other:1:bbbbbb", 6000)
    assert hand.fire("job", at) == "fenced"
    assert store.runs.page("job") == []
    assert store.jobs.get("job").cursor_ms == YEAR_2020


def test_a_plan_for_another_revision_does_nothing(store: Store, hand: Hand) -> None:
    at = begin(hand)
    hand.job(**EVERY, title="changed meanwhile")
    assert hand.fire("job", at, revision=1) == "stale"
    assert store.runs.page("job") == []


def test_a_paused_job_does_not_fire(store: Store, hand: Hand) -> None:
    at = begin(hand)
    store.jobs.pause("job", True)
    assert hand.fire("job", at) == "paused"
    assert store.runs.page("job") == []
    assert hand.next_due_ms() is None


def test_a_fire_ahead_of_the_clock_of_redis_is_refused(store: Store, hand: Hand) -> None:
    begin(hand)
    assert hand.fire("job", store.clock.now_ms() + 500) == "early"
    assert store.runs.page("job") == []


def test_a_removed_job_does_not_fire(store: Store, hand: Hand) -> None:
    at = begin(hand)
    store.connection.command("DEL", "jober:job:job")
    assert hand.fire("job", at, revision=1) == "stale"
    assert store.runs.page("job") == []


def test_a_fire_is_skipped_and_ledgered_while_an_earlier_run_goes_on(
    store: Store, hand: Hand
) -> None:
    at = begin(hand)
    hand.fire("job", at)
    assert hand.fire("job", at + 60_000) == "done"
    newest = store.events.ledger("job")[0]
    assert newest.decision is Decision.SKIPPED
    assert newest.reason == "overlap: 1 run is still going"
    assert len(store.runs.page("job")) == 1
    assert store.jobs.get("job").cursor_ms == at + 60_000


def test_a_run_by_hand_counts_for_the_overlap(store: Store, hand: Hand) -> None:
    at = begin(hand)
    hand.run()
    hand.fire("job", at)
    assert store.events.ledger("job")[0].decision is Decision.SKIPPED


def test_after_the_run_has_ended_the_next_fire_runs(store: Store, hand: Hand) -> None:
    at = begin(hand)
    hand.agent()
    hand.fire("job", at)
    (claim,) = hand.claim()
    hand.finish(claim)
    hand.fire("job", at + 60_000)
    assert [e.decision for e in store.events.ledger("job")] == [Decision.FIRED] * 2


def test_a_run_that_others_have_deleted_does_not_block_its_job_for_ever(
    store: Store, hand: Hand
) -> None:
    at = begin(hand)
    hand.fire("job", at)
    store.connection.command("DEL", "rq:job:job-20200101T000100Z")
    hand.fire("job", at + 60_000)
    assert store.events.ledger("job")[0].decision is Decision.FIRED


def test_with_overlap_queue_fires_wait_for_the_earlier_run(store: Store, hand: Hand) -> None:
    at = begin(hand, overlap="queue")
    hand.agent()
    for n in range(3):
        hand.fire("job", at + n * 60_000)
    (first,) = hand.claim()
    assert first.id == "job-20200101T000100Z"
    assert hand.claim() == []
    hand.finish(first)
    (second,) = hand.claim()
    assert second.id == "job-20200101T000200Z"


def test_with_overlap_allow_fires_run_beside_each_other(store: Store, hand: Hand) -> None:
    at = begin(hand, overlap="allow")
    hand.agent()
    for n in range(3):
        hand.fire("job", at + n * 60_000)
    assert len(hand.claim()) == 3


def test_a_fire_on_every_host_makes_one_run_for_each(store: Store, hand: Hand) -> None:
    at = begin(hand, on="every")
    hand.fire("job", at, "db1.example.org", "db2")
    runs = {run.id: run for run in store.runs.page("job")}
    assert set(runs) == {
        "job-20200101T000100Z-db1_example_org",
        "job-20200101T000100Z-db2",
    }
    assert runs["job-20200101T000100Z-db2"].queue == "@db2"
    assert runs["job-20200101T000100Z-db2"].host == "db2"


def test_overlap_is_looked_at_on_each_host_by_itself(store: Store, hand: Hand) -> None:
    at = begin(hand, on="every")
    hand.agent()
    hand.fire("job", at, "host1", "host2")
    (claim,) = hand.claim()
    hand.finish(claim)
    hand.fire("job", at + 60_000, "host1", "host2")
    newest = store.events.ledger("job")[:2]
    assert {(e.host, e.decision) for e in newest} == {
        ("host1", Decision.FIRED),
        ("host2", Decision.SKIPPED),
    }


def test_overlap_is_counted_over_the_fleet_where_concurrency_is(store: Store, hand: Hand) -> None:
    at = begin(hand, on=2, concurrency=2)
    hand.fire("job", at, "host1", "host2")
    hand.fire("job", at + 60_000, "host3", "host4")
    newest = store.events.ledger("job")[:2]
    assert {(e.host, e.decision, e.reason) for e in newest} == {
        ("host3", Decision.SKIPPED, "overlap: 2 runs are still going"),
        ("host4", Decision.SKIPPED, "overlap: 2 runs are still going"),
    }


def test_one_fire_waits_with_all_its_runs_and_the_next_does_not(store: Store, hand: Hand) -> None:
    at = begin(hand, on=2, concurrency=1)
    store.connection.command("HSET", "jober:job:job", "overlap", "queue-one")
    hand.agent()
    hand.fire("job", at, "host1")
    hand.claim()
    hand.fire("job", at + 60_000, "host1", "host2")
    assert {e.decision for e in store.events.ledger("job")[:2]} == {Decision.FIRED}
    hand.fire("job", at + 120_000, "host1", "host2")
    assert {e.decision for e in store.events.ledger("job")[:2]} == {Decision.SKIPPED}


def test_a_run_by_hand_on_a_named_host_counts_for_the_overlap(store: Store, hand: Hand) -> None:
    at = begin(hand)
    hand.run(host="host1")
    hand.fire("job", at)
    assert store.events.ledger("job")[0].reason == "overlap: 1 run is still going"
    hand.agent()
    hand.finish(hand.claim()[0])
    assert hand.held() == {}
    hand.fire("job", at + 60_000)
    assert store.events.ledger("job")[0].decision is Decision.FIRED


def test_a_range_of_missed_fires_is_one_entry_with_its_count_and_an_event(
    store: Store, hand: Hand
) -> None:
    at = begin(hand)
    missed = PlannedFire(
        at_ms=at + 120_000,
        decision=Decision.MISSED,
        reason="nobody was there",
        first_ms=at,
        count=3,
    )
    plan = FirePlan(name="job", revision=1, cursor_ms=at + 120_000, next_ms=None, fires=(missed,))
    store.fires.fire(hand.token, store.fires.pack([plan]))
    (entry,) = store.events.ledger("job")
    assert (entry.count, entry.first_fire_at_ms, entry.fire_at_ms, entry.reason) == (
        3,
        at,
        at + 120_000,
        "nobody was there",
    )
    event = store.events.newest(1)[0]
    assert (event.type, event.job, event.facts["count"]) == ("fire.missed", "job", "3")
    assert hand.next_due_ms() is None


def test_with_overlap_queue_one_a_single_fire_waits(store: Store, hand: Hand) -> None:
    at = begin(hand)
    store.connection.command("HSET", "jober:job:job", "overlap", "queue-one")
    hand.agent()
    hand.fire("job", at)
    (running,) = hand.claim()
    for n in (1, 2, 3):
        hand.fire("job", at + n * 60_000)
    decisions = [(str(e.decision), e.reason) for e in store.events.ledger("job")]
    assert decisions == [
        ("skipped", "overlap: one fire waits already"),
        ("skipped", "overlap: one fire waits already"),
        ("fired", None),
        ("fired", None),
    ]
    assert hand.claim() == []
    hand.finish(running)
    assert [claim.id for claim in hand.claim()] == ["job-20200101T000200Z"]


def test_with_overlap_cancel_old_the_new_fire_takes_the_place_of_the_earlier_run(
    store: Store, hand: Hand
) -> None:
    at = begin(hand)
    store.connection.command("HSET", "jober:job:job", "overlap", "cancel-old")
    hand.agent()
    hand.fire("job", at)
    (running,) = hand.claim()
    hand.fire("job", at + 60_000)
    assert hand.renew(running.lease) == (set(), {running.lease})
    assert hand.claim() == []
    hand.fire("job", at + 120_000)
    second = store.runs.get("job-20200101T000200Z")
    assert second.state is RunState.CANCELLED
    assert second.reason == ("overlap: the fire of 2020-01-01T00:03:00.000000Z takes its place")
    hand.finish(running, RunState.CANCELLED)
    assert [claim.id for claim in hand.claim()] == ["job-20200101T000300Z"]


def test_fires_that_made_a_run_are_counted(store: Store, hand: Hand) -> None:
    at = begin(hand)
    hand.fire("job", at)
    hand.fire("job", at)
    hand.fire("job", at + 60_000)
    assert store.jobs.due(at + 10**9, 10)[1][0].fires == 1


def test_a_job_that_was_told_as_missed_waits_for_a_host(store: Store, hand: Hand) -> None:
    at = begin(hand)
    missed = PlannedFire(at_ms=at, decision=Decision.MISSED, reason="no live host")
    waiting = FirePlan(
        name="job",
        revision=1,
        cursor_ms=YEAR_2020,
        told_ms=at,
        next_ms=at + 60_000,
        fires=(missed,),
    )
    for _ in range(2):
        store.fires.fire(hand.token, store.fires.pack([waiting]))
    assert len(store.events.ledger("job")) == 1, "it is told once"
    _, (due,) = store.jobs.due(at + 10**9, 10)
    assert (due.cursor_ms, due.told_ms) == (YEAR_2020, at)
    assert store.fires.wake_waiting(10) == 1
    assert hand.next_due_ms() == 0
    assert hand.fire("job", at) == "done"
    _, (due,) = store.jobs.due(at + 10**9, 10)
    assert (due.cursor_ms, due.told_ms) == (at, 0)
    assert hand.count("jober:waiting") == 0


def test_a_run_that_a_stock_rq_worker_has_ended_blocks_nothing(store: Store, hand: Hand) -> None:
    at = begin(hand)
    hand.fire("job", at)
    store.connection.command("HSET", "rq:job:job-20200101T000100Z", "status", "failed")
    hand.fire("job", at + 60_000)
    assert store.events.ledger("job")[0].decision is Decision.FIRED


def fire_together(hand: Hand, moments: list[int]) -> int:
    """Fire at several moments in one plan, as a leader does that takes over; how many ran."""
    fires = tuple(
        PlannedFire(
            at_ms=moment,
            decision=Decision.FIRED,
            runs=(PlannedRun(id=fired_run_id("job", moment)),),
        )
        for moment in moments
    )
    plan = FirePlan(name="job", revision=1, cursor_ms=moments[-1], next_ms=None, fires=fires)
    return hand.store.fires.fire(hand.token, hand.store.fires.pack([plan])).runs


def test_fires_that_are_late_together_are_not_skipped_for_one_another(
    store: Store, hand: Hand
) -> None:
    at = begin(hand)
    hand.agent()
    moments = [at + n * 60_000 for n in range(4)]
    assert fire_together(hand, moments) == 4
    for moment in moments:
        (claim,) = hand.claim()
        assert claim.id == fired_run_id("job", moment), "one after the other, in their order"
        hand.finish(claim, exit_code=0)


def test_late_fires_are_skipped_while_a_run_from_before_goes_on(store: Store, hand: Hand) -> None:
    at = begin(hand)
    hand.fire("job", at)
    later = [at + 60_000, at + 120_000]
    assert fire_together(hand, later) == 0
