"""Runs that wait for runs of other jobs, on a real Redis: what the scripts do, step by step."""

from typing import Any

import pytest

from jober.errors import JobNotFound
from jober.ids import fired_run_id
from jober.run import Outcome, RunState
from jober.store import Store
from jober.store.changes import Change
from jober.store.report import Finish
from jober.store.runs import JobRuns, ManualRun
from jober_scheduler.follower import Follower
from tests.store.hand import Hand

MINUTE_MS = 60_000


def look_again(store: Store, *ids: str) -> None:
    """As if the time had come at which waiting runs are looked at anyhow."""
    for id in ids:
        store.connection.command("ZADD", "jober:needing", "XX", 0, id)


def test_a_run_waits_for_the_success_of_the_newest_needed_runs(hand: Hand, store: Store) -> None:
    hand.job("a")
    hand.job("b")
    hand.job("c", needs=["a", "b"])
    first, second = hand.run("a"), hand.run("b")
    waits = hand.run("c")
    assert hand.state(waits) is RunState.WAITING
    hand.follow()
    assert store.runs.get(waits).waits_for == f"{first}; {second}"
    claims = {claim.id: claim for claim in hand.claim()}
    assert claims.keys() == {first, second}
    hand.finish(claims[first])
    hand.follow()
    assert hand.state(waits) is RunState.WAITING
    assert store.runs.get(waits).waits_for == second
    hand.finish(claims[second])
    hand.follow()
    assert hand.state(waits) is RunState.QUEUED
    hand.finish(hand.claim_one(waits))
    assert hand.state(waits) is RunState.SUCCESS
    hand.follow()
    assert not store.connection.command("EXISTS", "jober:needing", "jober:ended")


def test_a_run_whose_needed_run_failed_is_skipped_and_names_it_and_so_are_those_after_it(
    hand: Hand, store: Store
) -> None:
    hand.job("a")
    hand.job("b", needs=["a"])
    hand.job("c", needs=["b"])
    needed, middle, last = hand.run("a"), hand.run("b"), hand.run("c")
    hand.finish(hand.claim_one(needed), RunState.FAILED, exit_code=3, reason="exit code 3")
    hand.follow()
    skipped = store.runs.get(middle)
    assert skipped.state is RunState.SKIPPED
    assert skipped.reason == f"needs a: {needed} ended as failed (exit code 3)"
    assert skipped.blocked_by == needed and not skipped.is_good
    skipped = store.runs.get(last)
    assert skipped.state is RunState.SKIPPED and skipped.blocked_by == needed
    assert skipped.reason and middle in skipped.reason and needed in skipped.reason


def test_a_needed_run_that_is_tried_again_has_not_ended(hand: Hand, store: Store) -> None:
    hand.job("a")
    hand.job("b", needs=["a"])
    needed, waits = hand.run("a"), hand.run("b")
    hand.put_off(hand.claim_one(needed))
    hand.follow()
    assert hand.state(waits) is RunState.WAITING
    store.leases.promote()
    hand.finish(hand.claim_one(needed))
    hand.follow()
    assert hand.state(waits) is RunState.QUEUED


def test_a_run_that_waits_for_the_end_of_another_goes_on_however_that_was(hand: Hand) -> None:
    hand.job("a")
    hand.job("b", wait_for=["a"])
    other, waits = hand.run("a"), hand.run("b")
    hand.follow()
    assert hand.state(waits) is RunState.WAITING
    hand.finish(hand.claim_one(other), RunState.FAILED)
    hand.follow()
    assert hand.state(waits) is RunState.QUEUED


def test_where_nothing_ran_there_is_nothing_to_wait_for_but_what_is_needed_has_to_come(
    hand: Hand, store: Store
) -> None:
    hand.job("a")
    hand.job("b", wait_for=["a"])
    hand.job("c", needs=["a"])
    waited, needing = hand.run("b"), hand.run("c")
    hand.follow()
    assert hand.state(waited) is RunState.QUEUED
    assert store.runs.get(needing).waits_for == "a, which has not run yet"
    hand.claim()
    needed = hand.run("a")
    hand.finish(hand.claim_one(needed))
    hand.follow()
    assert hand.state(needing) is RunState.QUEUED


def test_a_fire_waits_for_the_fire_of_the_same_moment_though_that_is_decided_on_later(
    hand: Hand, store: Store
) -> None:
    hand.job("a", every=60)
    hand.job("b", every=60, needs=["a"])
    for name in ("a", "b"):  # as if they had been there for long
        store.connection.command("HSET", f"jober:job:{name}", "cursor", 1)
    at = store.clock.now_ms() // MINUTE_MS * MINUTE_MS
    hand.fire("a", at - MINUTE_MS)
    [yesterday] = hand.claim()
    hand.finish(yesterday)
    store.connection.command("ZADD", "jober:due", at, "a")
    hand.fire("b", at)
    [waits] = [run.id for run in store.runs.page("b")]
    hand.follow()
    assert store.runs.get(waits).waits_for == "a, which is due"
    hand.fire("a", at)
    look_again(store, waits)
    hand.follow()
    [today, _] = [run.id for run in store.runs.page("a")]
    assert store.runs.get(waits).waits_for == today
    hand.finish(hand.claim_one(today))
    hand.follow()
    assert hand.state(waits) is RunState.QUEUED


def test_a_fire_that_is_looked_at_late_waits_for_the_fire_of_its_own_moment_and_no_later_one(
    hand: Hand, store: Store
) -> None:
    hand.job("a", every=60, overlap="allow")
    hand.job("b", every=60, needs=["a"])
    for name in ("a", "b"):  # as if they had been there for long
        store.connection.command("HSET", f"jober:job:{name}", "cursor", 1)
    at = store.clock.now_ms() // MINUTE_MS * MINUTE_MS - MINUTE_MS
    hand.fire("a", at)
    hand.fire("b", at)
    hand.fire("a", at + MINUTE_MS)
    hand.follow()
    [waits] = store.runs.page("b")
    assert waits.needed == {"a": (fired_run_id("a", at),)}


def test_what_it_waits_for_is_settled_on_once_and_a_later_run_is_another_one_s(
    hand: Hand, store: Store
) -> None:
    hand.job("a", overlap="allow")
    hand.job("b", needs=["a"])
    first, waits = hand.run("a"), hand.run("b")
    hand.follow()
    later = hand.run("a")
    claims = {claim.id: claim for claim in hand.claim()}
    hand.finish(claims[first])
    hand.follow()
    assert hand.state(waits) is RunState.QUEUED
    assert store.runs.get(waits).needed == {"a": (first,)}
    assert hand.state(later) is RunState.RUNNING


def everywhere(hand: Hand, store: Store, name: str, *hosts: str) -> list[str]:
    """A run of the job on each host, together."""
    hand.made += 1
    runs = [ManualRun(id=f"{name}-m{hand.made}-{host}", host=host) for host in hosts]
    store.runs.enqueue(name, runs)
    return [run.id for run in runs]


def finish_on(hand: Hand, id: str, state: RunState = RunState.SUCCESS, **outcome: Any) -> None:
    host = id.rpartition("-")[2]
    [claim] = hand.claim(f"{host}-aaaaaa", 1, f"@{host}")
    assert claim.id == id
    hand.finish(claim, state, agent=f"{host}-aaaaaa", **outcome)


def test_a_run_after_a_job_on_every_host_waits_for_all_of_them(hand: Hand, store: Store) -> None:
    hand.job("a", on="every", command=None, call="operator:add")
    hand.job("b", command=None, call="builtins:dict", args=[{"$result": "a"}])
    runs = everywhere(hand, store, "a", "h1", "h2", "h3")
    waits = hand.run("b")
    for place, id in enumerate(runs):
        hand.follow()
        assert hand.state(waits) is RunState.WAITING
        finish_on(hand, id, return_value=place)
    hand.follow()
    assert hand.claim_one(waits).data == b'["builtins.dict",null,[{"h1":0,"h2":1,"h3":2}],{}]'


def test_a_quorum_of_the_hosts_is_enough_and_where_it_cannot_be_reached_the_run_is_skipped(
    hand: Hand, store: Store
) -> None:
    hand.job("a", on="every")
    hand.job("two", needs=["a"], quorum=2)
    hand.job("most", needs=["a"], quorum="60%")
    hand.job("all", needs=["a"])
    first, second, third = everywhere(hand, store, "a", "h1", "h2", "h3")
    two, most, all_ = hand.run("two"), hand.run("most"), hand.run("all")
    finish_on(hand, first)
    finish_on(hand, second, RunState.FAILED)
    hand.follow()
    assert hand.state(two) is hand.state(most) is RunState.WAITING
    assert store.runs.get(all_).reason == (
        f"needs a: {second} ended as failed, and 3 of 3 runs have to succeed"
    )
    finish_on(hand, third)
    hand.follow()
    assert hand.state(two) is hand.state(most) is RunState.QUEUED
    repaired = everywhere(hand, store, "a", "h2")[0]
    finish_on(hand, repaired)
    hand.follow()
    again = hand.run("all")
    hand.follow()
    assert hand.state(again) is RunState.QUEUED
    assert set(store.runs.get(again).needed["a"]) == {first, third, repaired}


def test_what_two_schedulers_decide_is_done_once(hand: Hand, store: Store) -> None:
    hand.job("a")
    hand.job("b", needs=["a"])
    hand.finish(hand.claim_one(hand.run("a")))
    waits = hand.run("b")
    first, second = Follower(store), Follower(store)
    ends = store.workflows.ended(10)
    found = store.workflows.needing(10)
    settlements = [first._settlement(one, store.clock.now_ms()) for one in found]
    assert store.workflows.settle(settlements) == [True]
    assert store.workflows.settle([second._settlement(found[0], 0)]) == [False]
    assert hand.count("rq:queue:default") == 1
    assert hand.state(waits) is RunState.QUEUED
    store.workflows.follow([(end, []) for end in ends])
    assert not store.workflows.ended(10)


@pytest.mark.parametrize("way", ["cancel", "miss", "remove"])
def test_a_waiting_run_that_is_withdrawn_leaves_nothing_behind(
    hand: Hand, store: Store, way: str
) -> None:
    hand.job("a")
    hand.job("b", needs=["a"], expires=3600)
    needed, waits = hand.run("a"), hand.run("b")
    hand.follow()
    assert store.connection.command("HGET", "jober:needed", needed) == b"1"
    if way == "cancel":
        assert store.runs.cancel(waits, "enough") == "withdrawn"
    elif way == "miss":
        store.connection.command("ZADD", "jober:expiring", 1, waits)
        assert store.leases.miss() == [waits]
    else:
        store.jobs.apply([Change(op="remove", name="b")])
    assert hand.state(waits) is (RunState.MISSED if way == "miss" else RunState.CANCELLED)
    hand.finish(hand.claim_one(needed))
    hand.follow()
    for name in ("b", "a"):
        store.jobs.apply([Change(op="remove", name=name)])
    assert not hand.left_of_workflows()
    assert store.connection.command("TTL", f"rq:job:{needed}") > 0
    assert not hand.held("a") and not hand.held("b")


def test_a_run_that_another_waits_for_outlives_all_that_would_forget_it(
    hand: Hand, store: Store
) -> None:
    hand.job("a", overlap="allow", keep_runs=1)
    hand.job("never")
    hand.job("b", needs=["a", "never"])
    needed = hand.run("a")
    waits = hand.run("b")
    hand.follow()
    hand.finish(hand.claim_one(needed))
    newer = hand.run("a")
    hand.finish(hand.claim_one(newer))
    newest = hand.run("a")
    hand.finish(hand.claim_one(newest))
    hand.follow()
    assert store.runs.prune(1, "a") == (1, 2)
    assert store.runs.found([needed, newer, newest]).keys() == {needed, newest}
    assert store.connection.command("TTL", f"rq:job:{needed}") == -1
    assert store.connection.command("TTL", f"rq:job:{newest}") == -1
    store.runs.cancel(waits, "enough")
    assert store.connection.command("TTL", f"rq:job:{needed}") > 0
    assert store.runs.prune(1, "a") == (1, 0)


def test_other_jobs_leave_nothing_of_this_behind(hand: Hand, store: Store) -> None:
    hand.job("alone")
    hand.finish(hand.claim_one(hand.run("alone")))
    assert not hand.left_of_workflows()


def test_runs_of_several_jobs_are_made_together_or_not_at_all(hand: Hand, store: Store) -> None:
    hand.job("a")
    batch = [
        JobRuns(job=name, runs=[ManualRun(id=f"{name}-m1")], placed=()) for name in ("a", "nobody")
    ]
    with pytest.raises(JobNotFound, match="nobody"):
        store.runs.enqueue_all(batch)
    assert not store.runs.page()


def test_what_ends_beside_a_run_that_is_kept_expires_as_ever(hand: Hand, store: Store) -> None:
    hand.job("a", overlap="allow")
    hand.job("b", needs=["a"])
    hand.job("alone", overlap="allow")
    newest = hand.run("a")
    others = [hand.run("alone"), hand.run("alone")]
    claims = sorted(hand.claim(), key=lambda claim: [newest, *others].index(claim.id))
    ended = Outcome(state=RunState.SUCCESS)
    store.leases.finish(
        "host1-aaaaaa", [Finish(claim=claim, host="host1", outcome=ended) for claim in claims]
    )
    assert store.connection.command("TTL", f"rq:results:{newest}") == -1
    for id in others:
        assert store.connection.command("TTL", f"rq:results:{id}") > 0
