"""Runs that expire: nobody has started them in time."""

from jober.ledger import Decision
from jober.run import RunState
from jober.store import Store
from tests.store.hand import Hand
from tests.waiting import wait_until


def test_a_run_that_was_not_started_in_time_is_missed(store: Store, hand: Hand) -> None:
    hand.job("tight", expires=0.001, concurrency=1)
    hand.job("calm", expires=60)
    hand.agent()
    late, calm = hand.run("tight"), hand.run("calm")
    assert wait_until(store.leases.miss) == [late]
    assert store.leases.miss() == []
    run = store.runs.get(late)
    assert run.state is RunState.MISSED
    assert run.reason is not None and run.reason.startswith("it was not started by 20")
    assert store.connection.command("HGET", f"rq:job:{late}", "status") == b"canceled"
    assert hand.held("tight") == {"rq:queue:default": 1}
    assert [claim.id for claim in hand.claim()] == [calm]
    assert not store.connection.command("EXISTS", "jober:expiring")


def test_a_run_that_has_expired_is_missed_by_whoever_would_take_it(
    store: Store, hand: Hand
) -> None:
    hand.job(expires=60)
    hand.agent()
    id = hand.run()
    store.connection.command("HSET", f"rq:job:{id}", "expires_at", 1)
    assert hand.claim() == []
    assert hand.state(id) is RunState.MISSED
    assert hand.held() == {}
    assert not store.connection.command("EXISTS", "jober:expiring")


def test_a_parked_run_is_missed_too_and_one_that_has_begun_never(store: Store, hand: Hand) -> None:
    hand.job(expires=60, retries=1)
    hand.agent()
    running, parked = hand.run(), hand.run()
    (claim,) = hand.claim()
    assert hand.state(parked) is RunState.PARKED
    for id in (running, parked):
        store.connection.command("HSET", f"rq:job:{id}", "expires_at", 1)
    store.connection.command("ZADD", "jober:expiring", "XX", 1, parked)
    assert store.leases.miss() == [parked]
    hand.put_off(claim)
    store.leases.promote()
    assert store.leases.miss() == []
    assert [claim.attempt for claim in hand.claim()] == [2]
    assert hand.count("jober:parked:job") == 0


def test_a_fire_expires_by_its_own_moment_and_not_by_when_it_was_made(
    store: Store, hand: Hand
) -> None:
    hand.job(expires=60, every=60)
    hand.agent()
    at_ms = store.jobs.get("job").cursor_ms + 1
    hand.fire("job", at_ms)
    (page,) = store.runs.page("job")
    expires_at = store.connection.command("HGET", f"rq:job:{page.id}", "expires_at")
    assert int(expires_at) == at_ms + 60_000
    store.connection.command("HSET", f"rq:job:{page.id}", "expires_at", 1)
    assert hand.claim() == []
    (told, _) = store.events.ledger("job")
    assert (told.decision, told.fire_at_ms, told.run) == (Decision.MISSED, at_ms, page.id)


def test_a_withdrawn_run_expires_no_more(store: Store, hand: Hand) -> None:
    hand.job(expires=60)
    id = hand.run()
    store.runs.cancel(id, "enough")
    assert not store.connection.command("EXISTS", "jober:expiring")
