"""Jobs that the end of a run starts, on a real Redis: what the scripts do, step by step."""

from jober.run import RunState
from jober.store import Store
from jober.store.runs import JobRuns, ManualRun
from tests.store.hand import Hand


def test_the_end_of_a_run_starts_the_jobs_that_are_for_such_an_end_once(
    hand: Hand, store: Store
) -> None:
    hand.job("a")
    hand.job("good", command=None, call="operator:neg", args=[{"$result": "a"}])
    hand.job("bad")
    hand.job("a", command=None, call="operator:add", on_success=["good"], on_failure=["bad"])
    first = hand.run("a")
    hand.finish(hand.claim_one(first), return_value=7)
    hand.follow()
    [started] = store.runs.page("good")
    assert (started.trigger, started.after) == ("workflow", first)
    assert hand.claim_one(started.id).data == b'["operator.neg",null,[7],{}]'
    assert not store.runs.page("bad")
    second = hand.run("a")
    hand.finish(hand.claim_one(second), RunState.FAILED)
    hand.follow()
    hand.follow()
    [started] = store.runs.page("bad")
    assert started.after == second
    assert len(store.runs.page("good")) == 1


def test_a_run_that_was_skipped_or_cancelled_starts_nothing(hand: Hand, store: Store) -> None:
    hand.job("next")
    hand.job("a", on_success=["next"], on_failure=["next"])
    hand.finish(hand.claim_one(hand.run("a")), RunState.SKIPPED)
    store.runs.cancel(hand.run("a"), "enough")
    hand.follow()
    assert not store.runs.page("next")


def test_a_paused_job_is_not_started_and_its_ledger_says_so(hand: Hand, store: Store) -> None:
    hand.job("next")
    hand.job("a", on_success=["next"])
    store.jobs.pause("next", True)
    first = hand.run("a")
    hand.finish(hand.claim_one(first))
    hand.follow()
    assert not store.runs.page("next")
    [entry] = store.events.ledger("next", 10)
    assert entry.reason == f"paused: it is not run after {first}, which ended as success"


def test_an_end_that_is_another_by_the_time_it_is_followed_is_looked_at_anew(
    hand: Hand, store: Store
) -> None:
    hand.job("good")
    hand.job("bad")
    hand.job("a", on_success=["good"], on_failure=["bad"])
    claim = hand.claim_one(hand.run("a"))
    hand.expire(claim.lease)
    store.leases.reclaim()
    [seen] = store.workflows.ended(10)
    assert seen.starts == ("bad",)
    hand.finish(claim)
    assert store.workflows.follow([(seen, [])]) == 0
    hand.follow()
    assert len(store.runs.page("good")) == 1


def test_an_end_is_followed_once_however_often_it_is_sent(hand: Hand, store: Store) -> None:
    hand.job("next")
    hand.job("a", on_success=["next"])
    hand.finish(hand.claim_one(hand.run("a")))
    ends = store.workflows.ended(10)
    starts = [JobRuns(job="next", runs=[ManualRun(id=f"next-w{n}")]) for n in (1, 2)]
    assert store.workflows.follow([(ends[0], starts[:1])]) == 1
    assert store.workflows.follow([(ends[0], starts[1:])]) == 0
    assert [run.id for run in store.runs.page("next")] == ["next-w1"]
