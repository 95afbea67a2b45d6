"""Runs whose agent fell silent: lost, tried again, poisoned, saved by an end told late."""

from jober.run import RunState
from jober.store import Store
from jober.store.fields import packed
from tests.store.hand import Hand

OTHER = "host2-bbbbbb"


def test_a_lost_run_is_tried_again_where_its_job_says_so(store: Store, hand: Hand) -> None:
    hand.job("again", retries=1, retry_on=["lost"], retry_delay=0)
    hand.job("never", retries=1)
    hand.agent()
    again, never = hand.run("again"), hand.run("never")
    for claim in hand.claim():
        hand.expire(claim.lease)
    reclaimed = store.leases.reclaim()
    assert (reclaimed.again, reclaimed.lost) == ((again,), (never,))
    assert hand.state(again) is RunState.DELAYED
    store.leases.promote()
    (claim,) = hand.claim()
    hand.expire(claim.lease)
    assert store.leases.reclaim().lost == (again,)
    assert [one.state for one in store.runs.attempts(again)] == [RunState.LOST] * 2
    assert hand.held("again") == {}


def lose(hand: Hand, store: Store, id: str, *agents: str) -> None:
    """Have a run be lost by one agent after another, and tried again."""
    for agent in agents:
        store.leases.promote()
        hand.agent(agent)
        (claim,) = [claim for claim in hand.claim(agent) if claim.id == id]
        hand.expire(claim.lease)
        store.leases.reclaim()


def test_a_run_that_was_lost_three_times_is_poisoned_and_tells_whom_it_took_down(
    store: Store, hand: Hand
) -> None:
    hand.job(retries=9, retry_on=["lost"], retry_delay=0)
    id = hand.run()
    lose(hand, store, id, "host1-aaaaaa", OTHER)
    assert hand.state(id) is RunState.DELAYED
    lose(hand, store, id, "host1-cccccc")
    run = store.runs.get(id)
    reason = (
        "3 agents fell silent while it ran: host1-aaaaaa on host1, host2-bbbbbb on host2, "
        "host1-cccccc on host1"
    )
    assert (run.state, run.reason, run.attempt) == (RunState.POISONED, reason, 3)
    assert store.leases.promote() == (0, None)
    assert [one.state for one in store.runs.attempts(id)] == [
        RunState.LOST,
        RunState.LOST,
        RunState.POISONED,
    ]
    ended, poisoned, *_ = store.events.newest()
    assert (ended.type, ended.facts["state"]) == ("run.finished", "poisoned")
    assert (poisoned.type, poisoned.facts["reason"]) == ("run.poisoned", reason)
    assert hand.held() == {}


def test_the_third_loss_is_told_as_poison_though_no_retry_is_left(store: Store, hand: Hand) -> None:
    hand.job(retries=2, retry_on=["lost"], retry_delay=0)
    id = hand.run()
    lose(hand, store, id, "host1-aaaaaa", OTHER, "host1-cccccc")
    assert hand.state(id) is RunState.POISONED


def test_a_run_that_left_an_agent_alive_in_between_is_not_poisoned(
    store: Store, hand: Hand
) -> None:
    hand.job(retries=9, retry_on=["lost", "failed"], retry_delay=0)
    id = hand.run()
    lose(hand, store, id, "host1-aaaaaa", OTHER)
    store.leases.promote()
    hand.put_off(hand.claim()[0])
    lose(hand, store, id, OTHER, "host1-aaaaaa")
    assert hand.state(id) is RunState.DELAYED
    lose(hand, store, id, OTHER)
    assert hand.state(id) is RunState.POISONED


def test_the_true_end_of_a_run_that_was_held_to_be_poison_is_taken_when_it_comes(
    store: Store, hand: Hand
) -> None:
    hand.job(retries=9, retry_on=["lost"], retry_delay=0)
    hand.agent()
    id = hand.run()
    lose(hand, store, id, "host1-aaaaaa", OTHER)
    store.leases.promote()
    (claim,) = hand.claim()
    hand.expire(claim.lease)
    assert store.leases.reclaim().poisoned == (id,)
    assert hand.finish(claim, exit_code=0)
    run = store.runs.get(id)
    assert (run.state, run.reason) == (RunState.SUCCESS, "reported late")


def test_a_run_that_is_to_be_stopped_is_lost_for_good(store: Store, hand: Hand) -> None:
    hand.job(retries=1, retry_on=["lost"])
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    store.runs.cancel(id, "enough")
    hand.expire(claim.lease)
    assert store.leases.reclaim().lost == (id,)


def test_a_good_end_that_is_told_late_saves_the_next_attempt(store: Store, hand: Hand) -> None:
    hand.job(retries=3, retry_on=["lost", "failed"])
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    hand.expire(claim.lease)
    store.leases.reclaim()
    assert not hand.finish(claim, RunState.FAILED)
    assert hand.finish(claim, exit_code=0)
    run = store.runs.get(id)
    assert (run.state, run.reason, run.retry_at_ms) == (RunState.SUCCESS, "reported late", None)
    assert [one.state for one in store.runs.attempts(id)] == [RunState.SUCCESS]
    assert store.leases.promote() == (0, None)
    assert hand.held() == {}


def test_a_lease_that_is_renewed_after_all_is_left_alone(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    # As it was read while it was over: the agent has renewed it before the script came.
    told = packed([[hand.lease_member(claim.lease), False], ["gone:1 - - - - -", False]])
    assert store.connection.run("reclaim", ["jober:leases"], [told, 60, "", ""]) == [[], [], []]
    assert hand.state(id) is RunState.RUNNING
