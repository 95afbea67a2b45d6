"""An attempt is one agent's, holds what it holds until it ends, and ends once."""

from jober.run import RunState
from jober.store import Store
from tests.store.hand import Hand


def test_a_slot_is_held_as_long_as_its_attempt_however_long_that_takes(
    store: Store, hand: Hand
) -> None:
    hand.job(concurrency=1)
    hand.agent()
    hand.run()
    waits = hand.run()
    (claim,) = hand.claim()
    # As if it had begun a day ago.
    store.connection.command("ZADD", "jober:slots:job", "XX", 1, claim.lease)
    store.runs.cancel(waits, "to be claimed anew")
    waits = hand.run()
    assert hand.renew(claim.lease) == (set(), set())
    assert hand.claim() == []
    assert hand.state(waits) is RunState.PARKED
    assert store.connection.command("TTL", "jober:slots:job") == -1
    hand.finish(claim)
    assert [claim.id for claim in hand.claim()] == [waits]


def test_a_run_that_is_in_its_queue_twice_is_claimed_once_and_a_withdrawn_one_never(
    store: Store, hand: Hand
) -> None:
    hand.job(overlap="allow")
    hand.agent()
    twice, withdrawn = hand.run(), hand.run()
    assert store.runs.cancel(withdrawn, "not wanted") == "withdrawn"
    # As a dashboard leaves them that puts into a queue what it has read a while ago.
    store.connection.command("RPUSH", "rq:queue:default", twice, withdrawn)
    assert [claim.lease for claim in hand.claim()] == [f"{twice}:1"]
    assert hand.claim() == []
    assert hand.state(withdrawn) is RunState.CANCELLED
    assert hand.count("jober:leases") == 1


def test_of_two_attempts_only_the_newest_is_renewed_and_ended(store: Store, hand: Hand) -> None:
    hand.job(retries=1, concurrency=1)
    hand.agent()
    id = hand.run()
    (first,) = hand.claim()
    hand.put_off(first)
    store.leases.promote()
    (second,) = hand.claim()
    assert second.lease == f"{id}:2"
    assert hand.renew(first.lease, second.lease) == ({first.lease}, set())
    assert hand.count("jober:leases") == 1
    assert not hand.finish(first, RunState.FAILED, exit_code=1), "its end is known"
    assert (hand.state(id), hand.count("jober:slots:job")) == (RunState.RUNNING, 1)
    assert hand.finish(second)
    assert hand.held() == {}


def test_an_attempt_that_a_redis_without_its_last_second_gave_to_another_is_the_others(
    store: Store, hand: Hand
) -> None:
    hand.job(concurrency=1)
    hand.agent()
    other = hand.agent("host2-bbbbbb")
    id = hand.run()
    (claim,) = hand.claim()
    # As after a crash that took the claim with it, so that the run is queued again.
    connection = store.connection
    connection.command("DEL", "jober:leases", "jober:slots:job", "jober:agent:host1-aaaaaa:runs")
    connection.command("HSET", f"rq:job:{id}", "state", "queued", "status", "queued")
    connection.command("HDEL", f"rq:job:{id}", "attempt", "agent")
    connection.command("RPUSH", "rq:queue:default", id)
    (again,) = hand.claim(other)
    assert again.lease == claim.lease
    assert hand.renew(claim.lease) == ({claim.lease}, set())
    assert not hand.finish(claim, RunState.FAILED)
    assert (hand.state(id), hand.count("jober:slots:job")) == (RunState.RUNNING, 1)
    assert hand.renew(claim.lease, agent=other) == (set(), set())
    assert hand.finish(again, agent=other)
    assert hand.state(id) is RunState.SUCCESS
    assert hand.count("jober:leases") == hand.count("jober:slots:job") == 0


def test_a_run_that_has_begun_is_not_missed_though_it_is_still_listed(
    store: Store, hand: Hand
) -> None:
    hand.job(expires=60)
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    store.connection.command("ZADD", "jober:expiring", 1, id)
    assert store.leases.miss() == []
    assert hand.count("jober:expiring") == 0
    assert hand.state(id) is RunState.RUNNING
    assert hand.finish(claim)
