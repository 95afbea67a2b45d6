"""Shared limits, weights, priorities: who waits, who goes first, and that nobody is forgotten."""

import random

import pytest

from jober.errors import LimitInUse, LimitNotFound
from jober.job import Job
from jober.run import RunState
from jober.store import Store
from jober.store.changes import Change
from tests.store.hand import Hand


def limit(hand: Hand, name: str, slots: int | None) -> None:
    hand.store.jobs.apply([Change(op="limit", name=name, slots=slots)])


def ids(hand: Hand, n: int = 10) -> list[str]:
    return [claim.id for claim in hand.claim(n=n)]


def test_jobs_that_share_a_limit_run_no_more_at_once_than_it_says(hand: Hand) -> None:
    limit(hand, "database", 2)
    hand.job("a", limits=["database"], overlap="allow")
    hand.job("b", limits=["database"], overlap="allow")
    hand.job("free")
    hand.agent()
    runs = [hand.run("a"), hand.run("a"), hand.run("b"), hand.run("b"), hand.run("free")]
    first = hand.claim()
    assert [claim.id for claim in first] == [runs[0], runs[1], runs[4]], "no other stands behind"
    (shown,) = hand.store.limits.all()
    assert (shown.slots, shown.used, shown.waiting, shown.jobs) == (2, 2, 2, ("a", "b"))
    assert hand.state(runs[2]) is RunState.PARKED
    hand.finish(first[0])
    assert ids(hand) == [runs[2]]
    assert hand.store.limits.all()[0].used == 2


def test_of_the_runs_that_wait_the_higher_priority_goes_first_and_then_the_older(
    hand: Hand,
) -> None:
    limit(hand, "database", 1)
    for name, priority in (("low", 1), ("usual", 5), ("high", 9)):
        hand.job(name, limits=["database"], overlap="allow", priority=priority)
    hand.agent()
    queues = ("default^9", "default", "default^1")
    first = hand.run("usual")
    (running,) = hand.claim("host1-aaaaaa", 10, *queues)
    assert running.id == first
    waiting = [hand.run("low"), hand.run("usual"), hand.run("usual"), hand.run("high")]
    assert hand.claim("host1-aaaaaa", 10, *queues) == []
    order = []
    for _ in waiting:
        hand.finish(running)
        (running,) = hand.claim("host1-aaaaaa", 10, *queues)
        order.append(running.id)
    assert order == [waiting[3], waiting[1], waiting[2], waiting[0]]


def test_a_slot_that_a_run_leaves_for_want_of_another_goes_to_the_next(hand: Hand) -> None:
    limit(hand, "x", 1)
    limit(hand, "y", 1)
    hand.job("both", limits=["x", "y"], overlap="allow")
    hand.job("x-only", limits=["x"], overlap="allow")
    hand.job("y-only", limits=["y"], overlap="allow")
    hand.agent()
    hand.run("x-only")
    hand.run("y-only")
    holds_x, holds_y = hand.claim()
    both, waits_for_y = hand.run("both"), hand.run("y-only")
    assert hand.claim() == []
    hand.finish(holds_x)  # `both` looks again, and finds y taken
    assert hand.claim() == []
    later = hand.run("x-only")
    assert ids(hand) == [later], "x is free, whoever waits for y"
    hand.finish(holds_y)
    assert ids(hand) == [waits_for_y], "for it is y, since `both` waits for x by now"
    assert hand.state(both) is RunState.PARKED


def test_nobody_waits_for_ever_whatever_the_order_of_events(hand: Hand) -> None:
    chance = random.Random(7)
    names = ("x", "y", "z")
    for name in names:
        limit(hand, name, 2)
    for n in range(6):
        wanted = chance.sample(names, chance.randint(1, 3))
        hand.job(f"job{n}", limits=wanted, overlap="allow", priority=5)
    hand.agent()
    left = {hand.run(f"job{n % 6}") for n in range(60)}
    running = []
    for _ in range(2000):
        hand.store.limits.unpark()
        running += hand.claim(n=chance.randint(1, 4))
        for shown in hand.store.limits.all():
            assert shown.used <= 2
        if running and chance.random() < 0.7:
            claim = running.pop(chance.randrange(len(running)))
            hand.finish(claim)
            left.discard(claim.id)
        elif left and chance.random() < 0.1:
            waiting = sorted(left - {claim.id for claim in running})
            if waiting:
                hand.store.runs.cancel(waiting[0], "enough")
                left.discard(waiting[0])
        if not left:
            break
    assert not left
    assert all((shown.used, shown.waiting) == (0, 0) for shown in hand.store.limits.all())
    assert hand.store.connection.command("EXISTS", "jober:parked") == 0


def test_where_the_next_is_withdrawn_before_it_starts_another_is_found(hand: Hand) -> None:
    hand.job(concurrency=1)
    hand.agent()
    runs = [hand.run() for _ in range(3)]
    (first,) = hand.claim(n=1)
    assert hand.claim() == []
    hand.finish(first)
    assert hand.state(runs[1]) is RunState.QUEUED
    assert hand.store.limits.unpark() == (0, 0), "the slot is the second one's, who has yet to come"
    hand.store.runs.cancel(runs[1], "no need")
    assert hand.store.limits.unpark() == (0, 1)
    assert ids(hand) == [runs[2]]


def test_a_raised_limit_is_used(hand: Hand) -> None:
    limit(hand, "database", 1)
    hand.job(limits=["database"], overlap="allow")
    hand.agent()
    for _ in range(4):
        hand.run()
    assert len(hand.claim()) == 1
    assert hand.claim() == []
    limit(hand, "database", 3)
    assert hand.store.limits.unpark() == (0, 2)
    assert len(hand.claim()) == 2


def test_a_lost_attempt_lets_go_of_its_limits(hand: Hand) -> None:
    limit(hand, "database", 1)
    hand.job(limits=["database"])
    hand.agent()
    hand.run()
    (claim,) = hand.claim()
    hand.expire(claim.lease)
    assert hand.store.leases.reclaim().lost == (claim.id,)
    assert hand.store.limits.all()[0].used == 0


def test_an_attempt_lets_go_of_the_limits_that_it_took_though_the_job_has_others_by_then(
    hand: Hand,
) -> None:
    limit(hand, "database", 1)
    hand.job(limits=["database"])
    hand.agent()
    hand.run()
    (claim,) = hand.claim()
    hand.job()
    assert hand.renew(claim.lease) == (set(), set())
    hand.finish(claim)
    assert hand.held() == {}
    assert hand.store.limits.all()[0].used == 0


def test_a_heavy_run_is_passed_by_lighter_ones_for_a_while_and_then_waited_for(hand: Hand) -> None:
    hand.job("heavy", weight=3)
    hand.job("light", overlap="allow")
    hand.agent()
    hand.run("light")
    (running,) = hand.claim(n=4)
    heavy = hand.run("heavy")
    lights = [hand.run("light") for _ in range(3)]
    claimed = hand.store.leases.claim("host1-aaaaaa", "host1", ["default"], 2, 4)
    assert [claim.id for claim in claimed.runs] == lights[:2]
    assert claimed.held_back
    for claim in claimed.runs:
        hand.finish(claim)
    # As if it had been passed for long: what is free is kept for it.
    hand.store.connection.command("HSET", f"rq:job:{heavy}", "passed_at", 1)
    claimed = hand.store.leases.claim("host1-aaaaaa", "host1", ["default"], 2, 4)
    assert (claimed.runs, claimed.held_back) == ([], True)
    hand.finish(running)
    claimed = hand.store.leases.claim("host1-aaaaaa", "host1", ["default"], 4, 4)
    assert [(claim.id, claim.work.weight) for claim in claimed.runs] == [(heavy, 3), (lights[2], 1)]
    assert not claimed.held_back


def test_a_run_heavier_than_an_agent_takes_all_its_slots(hand: Hand) -> None:
    hand.job(weight=100)
    hand.agent()
    hand.run()
    (claim,) = hand.store.leases.claim("host1-aaaaaa", "host1", ["default"], 4, 4).runs
    assert claim.work.weight == 4


def test_a_job_with_a_limit_that_is_not_there_is_refused_and_nothing_is_written(
    hand: Hand, store: Store
) -> None:
    limit(hand, "database", 1)
    wrong = Job.from_spec("wrong", {"command": "true", "limits": ["databse"]})
    with pytest.raises(LimitNotFound, match="job 'wrong': .*did you mean 'database'"):
        store.jobs.apply(
            [
                Change(op="put", name="good", job=Job.from_spec("good", {"command": "true"})),
                Change(op="put", name="wrong", job=wrong),
            ]
        )
    assert store.jobs.names() == []


def test_a_limit_goes_only_with_the_last_job_that_names_it(hand: Hand, store: Store) -> None:
    limit(hand, "database", 1)
    hand.job(limits=["database"])
    with pytest.raises(LimitInUse, match="job 'job' names it"):
        limit(hand, "database", None)
    store.jobs.apply([Change(op="remove", name="job"), Change(op="limit", name="database")])
    assert store.limits.slots() == {}


def test_a_bound_run_waits_in_its_hosts_queue_for_its_priority(hand: Hand) -> None:
    hand.job(priority=9, on="every")
    hand.agent()
    run = hand.run(host="host1")
    assert hand.count("rq:queue:@host1^9") == 1
    assert [claim.id for claim in hand.claim("host1-aaaaaa", 10, "@host1^9")] == [run]
