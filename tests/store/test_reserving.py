"""Runs that an agent takes before it has a slot for them."""

from typing import Any

import pytest
from rq import Queue, Retry
from rq.serializers import JSONSerializer

from jober.run import Claim, RunState
from jober.store import Store
from jober.store.fields import moment_text
from tests.store.hand import Hand

AGENT = "host1-aaaaaa"
CALL: dict[str, Any] = {"call": "operator:add", "args": [1, 2], "overlap": "allow"}
AGAIN: dict[str, Any] = {**CALL, "retries": 3, "retry_on": ["lost"]}


def told(store: Store, run: str) -> list[str]:
    """The events of a run, oldest first."""
    events = [event for event in store.events.newest() if event.facts.get("run") == run]
    return [event.type for event in events][::-1]


def claim(hand: Hand, free: int, ahead: int, ahead_once: int = 0) -> list[Claim]:
    return hand.store.leases.claim(AGENT, "host1", ["default"], free, 2, ahead, ahead_once).runs


def test_what_may_be_tried_again_is_reserved_beyond_the_free_slots(
    store: Store, hand: Hand
) -> None:
    hand.job(command=None, **AGAIN)
    hand.agent()
    runs = [hand.run() for _ in range(4)]
    claims = claim(hand, free=1, ahead=2)
    assert [(one.id, one.reserved) for one in claims] == [
        (runs[0], False),
        (runs[1], True),
        (runs[2], True),
    ]
    assert [hand.state(run) for run in runs] == ["running", "reserved", "reserved", "queued"]
    assert store.runs.get(runs[1]).started_at_ms is None
    assert claims[0].work is claims[1].work, "what they have in common is told once"


def test_a_program_that_may_be_tried_again_is_reserved_too(hand: Hand) -> None:
    hand.job(overlap="allow", retries=3, retry_on=["lost"])
    hand.agent()
    runs = [hand.run() for _ in range(2)]
    assert [(one.id, one.reserved) for one in claim(hand, free=1, ahead=1)] == [
        (runs[0], False),
        (runs[1], True),
    ]


@pytest.mark.parametrize(
    "spec",
    [
        {"overlap": "allow"},
        {**AGAIN, "process": True},
        {**AGAIN, "weight": 2},
    ],
)
def test_what_needs_more_waits_until_a_slot_is_free(hand: Hand, spec: dict[str, Any]) -> None:
    hand.job("job", **({"command": "true", **spec} | ({"command": None} if "call" in spec else {})))
    hand.agent()
    id = hand.run()
    assert claim(hand, free=0, ahead=10, ahead_once=10) == []
    assert hand.state(id) is RunState.QUEUED
    assert [one.id for one in claim(hand, free=2, ahead=10)] == [id]


@pytest.mark.parametrize("spec", [CALL, {**AGAIN, "retry_on": ["failed"]}])
def test_of_what_may_not_run_twice_few_are_reserved(hand: Hand, spec: dict[str, Any]) -> None:
    hand.job("job", **(spec | {"command": None}))
    hand.agent()
    runs = [hand.run() for _ in range(5)]
    assert claim(hand, free=0, ahead=10, ahead_once=0) == []
    claims = claim(hand, free=1, ahead=10, ahead_once=2)
    assert [(one.id, one.reserved) for one in claims] == [
        (runs[0], False),
        (runs[1], True),
        (runs[2], True),
    ]
    assert [hand.state(run) for run in runs[3:]] == [RunState.QUEUED] * 2


def test_what_may_run_twice_counts_among_the_few_that_may_not(hand: Hand) -> None:
    hand.job("again", command=None, **AGAIN)
    hand.job("once", command=None, **CALL)
    hand.agent()
    again, once = [hand.run("again") for _ in range(3)], hand.run("once")
    claims = claim(hand, free=0, ahead=10, ahead_once=3)
    assert [one.id for one in claims] == again
    assert hand.state(once) is RunState.QUEUED


def test_the_order_of_a_queue_is_kept_where_its_first_run_cannot_be_reserved(hand: Hand) -> None:
    hand.job("once", command=None, **CALL)
    hand.job("again", command=None, **AGAIN)
    hand.agent()
    once, again = hand.run("once"), hand.run("again")
    assert claim(hand, free=0, ahead=5) == []
    assert [one.id for one in claim(hand, free=2, ahead=0)] == [once, again]


def test_a_reserved_run_counts_against_the_limits_of_its_job(hand: Hand) -> None:
    hand.job(command=None, concurrency=2, **{**AGAIN, "overlap": "skip"})
    hand.agent()
    runs = [hand.run() for _ in range(3)]
    assert len(claim(hand, free=1, ahead=5)) == 2
    assert hand.state(runs[2]) is RunState.PARKED


def test_one_that_ends_soon_is_told_to_have_begun_with_its_end(store: Store, hand: Hand) -> None:
    hand.job("job", **(AGAIN | {"command": None}))
    hand.agent()
    id = hand.run()
    (one,) = claim(hand, free=0, ahead=1)
    began_ms = store.clock.now_ms() - 5000  # what Redis says may differ a little
    assert hand.finish(one, exit_code=0, began_ms=began_ms)
    run = store.runs.get(id)
    assert (run.state, run.started_at_ms, run.attempt) == (RunState.SUCCESS, began_ms, 1)
    assert told(store, id) == ["run.queued", "run.finished"]
    assert store.events.newest()[0].facts["started_at"] == moment_text(began_ms)
    assert hand.held() == {}


def test_one_that_fails_soon_and_is_tried_again_is_told_to_have_begun(
    store: Store, hand: Hand
) -> None:
    hand.job("job", **(AGAIN | {"command": None}))
    hand.agent()
    id = hand.run()
    (one,) = claim(hand, free=0, ahead=1)
    began_ms = store.clock.now_ms() - 5000  # what Redis says may differ a little
    assert hand.put_off(one, 600, began_ms=began_ms)
    (attempt,) = store.runs.attempts(id)
    assert (attempt.state, attempt.started_at_ms) == (RunState.FAILED, began_ms)
    assert told(store, id) == ["run.queued", "run.started", "run.retrying"]


def test_one_that_goes_on_is_told_to_run(store: Store, hand: Hand) -> None:
    hand.job(command=None, **AGAIN)
    hand.agent()
    id = hand.run()
    (one,) = claim(hand, free=0, ahead=1)
    began_ms = store.clock.now_ms() - 5000  # what Redis says may differ a little
    store.leases.begin(AGENT, [(one.id, one.attempt, began_ms)])
    store.leases.begin(AGENT, [(one.id, one.attempt, began_ms + 1)])
    run = store.runs.get(id)
    assert (run.state, run.started_at_ms) == (RunState.RUNNING, began_ms)
    assert hand.finish(one, exit_code=0, began_ms=began_ms)
    assert told(store, id) == ["run.queued", "run.started", "run.finished"]


def test_what_is_given_back_is_in_front_of_its_queue_as_before(store: Store, hand: Hand) -> None:
    hand.job(command=None, **AGAIN)
    hand.agent()
    runs = [hand.run() for _ in range(3)]
    one, two = claim(hand, free=0, ahead=2)
    for _ in range(2):  # the reply may be lost
        store.leases.give_back(AGENT, [one.lease, two.lease])
    assert [hand.state(run) for run in runs] == ["queued"] * 3
    assert set(hand.held()) == {"jober:active:job", "rq:queue:default"}
    claims = claim(hand, free=3, ahead=0)
    assert [(again.id, again.attempt) for again in claims] == [(run, 1) for run in runs]


def test_what_has_begun_or_is_another_s_cannot_be_given_back(store: Store, hand: Hand) -> None:
    hand.job(command=None, **AGAIN)
    hand.agent()
    begun, taken = hand.run(), hand.run()
    one, two = claim(hand, free=0, ahead=2)
    store.leases.begin(AGENT, [(one.id, one.attempt, 1)])
    store.leases.give_back("host2-bbbbbb", [two.lease])
    store.leases.give_back(AGENT, [one.lease])
    assert (hand.state(begun), hand.state(taken)) == (RunState.RUNNING, RunState.RESERVED)


def test_what_a_dead_agent_had_reserved_goes_back_to_its_queue(store: Store, hand: Hand) -> None:
    hand.job(command=None, **AGAIN)
    hand.agent()
    other = hand.agent("host2-bbbbbb")
    id = hand.run()
    (one,) = claim(hand, free=0, ahead=1)
    hand.expire(one.lease)
    assert store.leases.reclaim().again == (id,)
    (again,) = hand.claim(other)
    assert (again.id, again.attempt) == (id, 2)
    assert not hand.finish(one), "the agent was not dead, and did it all the same"
    assert hand.finish(again, agent=other)
    assert hand.held() == {}


def test_what_a_dead_agent_had_reserved_is_lost_where_it_may_not_run_twice(
    store: Store, hand: Hand
) -> None:
    hand.job(command=None, **CALL)
    hand.agent()
    id = hand.run()
    (one,) = claim(hand, free=0, ahead=1, ahead_once=1)
    hand.expire(one.lease)
    assert store.leases.reclaim().lost == (id,)
    run = store.runs.get(id)
    assert run.state is RunState.LOST
    assert (
        run.reason
        == f"agent {AGENT} has been silent for longer than its lease; it may not have begun"
    )
    assert hand.finish(one, exit_code=0, began_ms=1), "it was not dead"
    assert hand.state(id) is RunState.SUCCESS
    assert hand.held() == {}


def test_a_reserved_run_keeps_its_lease_and_can_be_cancelled(store: Store, hand: Hand) -> None:
    hand.job(command=None, **AGAIN)
    hand.agent()
    id = hand.run()
    (one,) = claim(hand, free=0, ahead=1)
    assert hand.renew(one.lease) == (set(), set())
    assert store.runs.cancel(id, "not wanted") == "asked"
    assert hand.renew(one.lease) == (set(), {one.lease})
    assert hand.finish(one, RunState.CANCELLED, reason="not wanted")
    assert store.runs.get(id).state is RunState.CANCELLED
    assert hand.held() == {}


def test_only_who_has_reserved_a_run_tells_that_it_has_begun(store: Store, hand: Hand) -> None:
    hand.job(command=None, **AGAIN)
    hand.agent()
    id = hand.run()
    (one,) = claim(hand, free=0, ahead=1)
    store.leases.begin("host2-bbbbbb", [(one.id, one.attempt, 1)])
    store.leases.begin(AGENT, [(one.id, one.attempt + 1, 1)])
    assert hand.state(id) is RunState.RESERVED


def test_what_was_taken_before_is_not_reserved(store: Store, hand: Hand) -> None:
    """What kills its agents within moments is seen to run, and is poison in the end."""
    hand.job(command=None, **AGAIN)
    hand.agent()
    id = hand.run()
    (one,) = claim(hand, free=0, ahead=1)
    for _ in range(3):
        hand.expire(one.lease)
        store.leases.reclaim()
        store.connection.command("ZADD", "jober:delayed", "XX", 1, id)
        store.leases.promote()
        assert claim(hand, free=0, ahead=5) == []
        (one,) = claim(hand, free=1, ahead=5)
        assert not one.reserved
    hand.expire(one.lease)
    assert store.leases.reclaim().poisoned == (id,)


def test_of_rq_jobs_that_rq_would_not_try_again_few_are_reserved(store: Store, hand: Hand) -> None:
    hand.agent()
    queue = Queue("default", connection=store.connection.client, serializer=JSONSerializer)
    jobs = [queue.enqueue("operator.add", 1, 2).id for _ in range(3)]
    assert claim(hand, free=0, ahead=5, ahead_once=0) == []
    claims = claim(hand, free=1, ahead=5, ahead_once=1)
    assert [(one.id, one.reserved) for one in claims] == [(jobs[0], False), (jobs[1], True)]
    hand.expire(claims[1].lease)
    assert store.leases.reclaim().lost == (jobs[1],)
    assert queue.failed_job_registry.get_job_ids() == [jobs[1]]


def test_an_rq_job_is_reserved_where_rq_would_try_it_again(store: Store, hand: Hand) -> None:
    hand.agent()
    queue = Queue("default", connection=store.connection.client, serializer=JSONSerializer)
    job = queue.enqueue("operator.add", 1, 2, retry=Retry(max=1))
    [claimed] = claim(hand, free=0, ahead=5)
    assert (claimed.id, claimed.reserved) == (job.id, True)
    assert hand.state(job.id) == "reserved"
    store.leases.give_back(AGENT, [claimed.lease])
    job.refresh()
    assert (queue.get_job_ids(), job.retries_left) == ([job.id], 1)


def test_what_is_given_back_is_missed_when_its_time_is_over(store: Store, hand: Hand) -> None:
    hand.job(command=None, expires=3600, **AGAIN)
    hand.agent()
    id = hand.run()
    (one,) = claim(hand, free=0, ahead=1)
    assert hand.count("jober:expiring") == 0
    store.leases.give_back(AGENT, [one.lease])
    store.connection.command("ZADD", "jober:expiring", "XX", 1, id)
    store.connection.command("HSET", f"rq:job:{id}", "expires_at", 1)
    assert store.leases.miss() == [id]


@pytest.mark.parametrize("is_dead", [False, True])
def test_what_is_to_be_stopped_does_not_wait_again(store: Store, hand: Hand, is_dead: bool) -> None:
    hand.job(command=None, **AGAIN)
    hand.agent()
    id = hand.run()
    (one,) = claim(hand, free=0, ahead=1)
    assert store.runs.cancel(id, "not wanted") == "asked"
    if is_dead:
        hand.expire(one.lease)
        assert store.leases.reclaim().again == ()
    else:
        store.leases.give_back(AGENT, [one.lease])
    run = store.runs.get(id)
    assert (run.state, run.reason) == (RunState.CANCELLED, "not wanted")
    assert hand.held() == {}
    newest = store.connection.command("XREVRANGE", f"rq:results:{id}", "+", "-")[0][1]
    assert b"exc_string" in newest, "RQ's tools see why"


def test_what_never_arrived_is_missed_when_its_time_is_over(store: Store, hand: Hand) -> None:
    hand.job(expires=3600, overlap="allow")
    hand.agent()
    ids = [hand.run(), hand.run()]
    for one in hand.claim():
        store.connection.command("ZADD", f"jober:agent:{AGENT}:runs", "XX", 1, one.lease)
    assert store.runs.cancel(ids[1], "not wanted") == "asked"
    hand.renew()
    assert [hand.state(id) for id in ids] == [RunState.QUEUED, RunState.CANCELLED]
    store.connection.command("ZADD", "jober:expiring", "XX", 1, ids[0])
    store.connection.command("HSET", f"rq:job:{ids[0]}", "expires_at", 1)
    assert store.leases.miss() == [ids[0]]
