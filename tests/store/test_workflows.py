"""Runs that wait for runs of other jobs, on a real Redis: what the scripts do, step by step."""

from typing import Any

import pytest

from jober.errors import (
    JobInUse,
    JobNotFound,
    LinkedJobNotFound,
    LinkToService,
    WorkflowLoop,
)
from jober.ids import fired_run_id
from jober.job import Job
from jober.run import Outcome, Run, RunState
from jober.store import Store
from jober.store.changes import Change
from jober.store.report import Finish
from jober.store.runs import JobRuns, ManualRun
from jober_scheduler.follower import Follower
from tests.store.hand import Hand

MINUTE_MS = 60_000


@pytest.fixture
def follower(store: Store) -> Follower:
    """What a scheduler does of it, called by hand."""
    return Follower(store)


def follow(follower: Follower) -> None:
    """All that there is to do now."""
    while follower.follow():
        pass


def run_of(store: Store, id: str) -> Run:
    return store.runs.get(id)


def claim_one(hand: Hand, id: str) -> Any:
    """Claim what waits, which is this run."""
    [claim] = hand.claim()
    assert claim.id == id
    return claim


def look_again(store: Store, *ids: str) -> None:
    """As if the time had come at which waiting runs are looked at anyhow."""
    for id in ids:
        store.connection.command("ZADD", "jober:needing", "XX", 0, id)


def left_of(store: Store) -> set[str]:
    """The keys of workflows that are there."""
    known = ("needing", "needed", "ended", "kept", "linked")
    return {
        key.decode()
        for key in store.connection.command("KEYS", "jober:*")
        if key.decode().split(":")[1] in known
    }


def test_a_run_waits_for_the_success_of_the_newest_needed_runs(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("a")
    hand.job("b")
    hand.job("c", needs=["a", "b"])
    first, second = hand.run("a"), hand.run("b")
    waits = hand.run("c")
    assert hand.state(waits) is RunState.WAITING
    follow(follower)
    assert run_of(store, waits).waits_for == f"{first}; {second}"
    claims = {claim.id: claim for claim in hand.claim()}
    assert claims.keys() == {first, second}
    hand.finish(claims[first])
    follow(follower)
    assert hand.state(waits) is RunState.WAITING
    assert run_of(store, waits).waits_for == second
    hand.finish(claims[second])
    follow(follower)
    assert hand.state(waits) is RunState.QUEUED
    hand.finish(claim_one(hand, waits))
    assert hand.state(waits) is RunState.SUCCESS
    follow(follower)
    assert not store.connection.command("EXISTS", "jober:needing", "jober:ended")


def test_a_run_whose_needed_run_failed_is_skipped_and_names_it_and_so_are_those_after_it(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("a")
    hand.job("b", needs=["a"])
    hand.job("c", needs=["b"])
    needed, middle, last = hand.run("a"), hand.run("b"), hand.run("c")
    hand.finish(claim_one(hand, needed), RunState.FAILED, exit_code=3, reason="exit code 3")
    follow(follower)
    skipped = run_of(store, middle)
    assert skipped.state is RunState.SKIPPED
    assert skipped.reason == f"needs a: {needed} ended as failed (exit code 3)"
    assert skipped.blocked_by == needed and not skipped.is_good
    skipped = run_of(store, last)
    assert skipped.state is RunState.SKIPPED and skipped.blocked_by == needed
    assert skipped.reason and middle in skipped.reason and needed in skipped.reason


def test_a_needed_run_that_is_tried_again_has_not_ended(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("a")
    hand.job("b", needs=["a"])
    needed, waits = hand.run("a"), hand.run("b")
    hand.put_off(claim_one(hand, needed))
    follow(follower)
    assert hand.state(waits) is RunState.WAITING
    store.leases.promote()
    hand.finish(claim_one(hand, needed))
    follow(follower)
    assert hand.state(waits) is RunState.QUEUED


def test_a_run_that_waits_for_the_end_of_another_goes_on_however_that_was(
    hand: Hand, follower: Follower
) -> None:
    hand.job("a")
    hand.job("b", wait_for=["a"])
    other, waits = hand.run("a"), hand.run("b")
    follow(follower)
    assert hand.state(waits) is RunState.WAITING
    hand.finish(claim_one(hand, other), RunState.FAILED)
    follow(follower)
    assert hand.state(waits) is RunState.QUEUED


def test_where_nothing_ran_there_is_nothing_to_wait_for_but_what_is_needed_has_to_come(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("a")
    hand.job("b", wait_for=["a"])
    hand.job("c", needs=["a"])
    waited, needing = hand.run("b"), hand.run("c")
    follow(follower)
    assert hand.state(waited) is RunState.QUEUED
    assert run_of(store, needing).waits_for == "a, which has not run yet"
    hand.claim()
    needed = hand.run("a")
    hand.finish(claim_one(hand, needed))
    follow(follower)
    assert hand.state(needing) is RunState.QUEUED


def test_a_fire_waits_for_the_fire_of_the_same_moment_though_that_is_decided_on_later(
    hand: Hand, store: Store, follower: Follower
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
    follow(follower)
    assert run_of(store, waits).waits_for == "a, which is due"
    hand.fire("a", at)
    look_again(store, waits)
    follow(follower)
    [today, _] = [run.id for run in store.runs.page("a")]
    assert run_of(store, waits).waits_for == today
    hand.finish(claim_one(hand, today))
    follow(follower)
    assert hand.state(waits) is RunState.QUEUED


def test_a_fire_that_is_looked_at_late_waits_for_the_fire_of_its_own_moment_and_no_later_one(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("a", every=60, overlap="allow")
    hand.job("b", every=60, needs=["a"])
    for name in ("a", "b"):  # as if they had been there for long
        store.connection.command("HSET", f"jober:job:{name}", "cursor", 1)
    at = store.clock.now_ms() // MINUTE_MS * MINUTE_MS - MINUTE_MS
    hand.fire("a", at)
    hand.fire("b", at)
    hand.fire("a", at + MINUTE_MS)
    follow(follower)
    [waits] = store.runs.page("b")
    assert waits.needed == {"a": (fired_run_id("a", at),)}


def test_what_it_waits_for_is_settled_on_once_and_a_later_run_is_another_one_s(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("a", overlap="allow")
    hand.job("b", needs=["a"])
    first, waits = hand.run("a"), hand.run("b")
    follow(follower)
    later = hand.run("a")
    claims = {claim.id: claim for claim in hand.claim()}
    hand.finish(claims[first])
    follow(follower)
    assert hand.state(waits) is RunState.QUEUED
    assert run_of(store, waits).needed == {"a": (first,)}
    assert hand.state(later) is RunState.RUNNING


def test_results_stand_in_the_place_of_their_references_however_deep(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("a", command=None, call="operator:add")
    hand.job(
        "b",
        command=None,
        call="operator:add",
        args=[{"rows": [{"$result": "a"}]}, 2],
        kwargs={"more": {"$result": "a"}},
    )
    needed, waits = hand.run("a"), hand.run("b")
    assert hand.state(waits) is RunState.WAITING
    hand.finish(claim_one(hand, needed), return_value={"n": [1, None, "é"]})
    follow(follower)
    value = '{"n":[1,null,"é"]}'
    expected = f'["operator.add",null,[{{"rows":[{value}]}},2],{{"more":{value}}}]'
    assert claim_one(hand, waits).data.decode() == expected


def test_a_program_is_given_a_result_as_an_argument(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("a", command=None, call="operator:add")
    hand.job("b", command="import", args=[{"$result": "a"}], kwargs={"tag": {"$result": "a"}})
    needed, waits = hand.run("a"), hand.run("b")
    hand.finish(claim_one(hand, needed), return_value=["x", "y z"])
    follow(follower)
    assert run_of(store, waits).description == """import '["x","y z"]' --tag x --tag 'y z'"""


def test_a_function_that_returned_nothing_has_the_result_none(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("a", command=None, call="time:sleep")
    hand.job("b", command=None, call="operator:add", args=[{"$result": "a"}])
    needed, waits = hand.run("a"), hand.run("b")
    hand.finish(claim_one(hand, needed))
    follow(follower)
    assert claim_one(hand, waits).data == b'["operator.add",null,[null],{}]'


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ({}, "is a program, and returns nothing"),
        ({"return_value": "x" * 300_000}, "the return value was not kept"),
    ],
)
def test_a_result_that_is_missing_fails_the_run_in_words(
    hand: Hand, store: Store, follower: Follower, outcome: dict[str, Any], told: str
) -> None:
    hand.job("a")
    hand.job("b", command=None, call="operator:add", args=[{"$result": "a"}])
    needed, waits = hand.run("a"), hand.run("b")
    hand.finish(claim_one(hand, needed), **outcome)
    follow(follower)
    run = run_of(store, waits)
    assert run.state is RunState.FAILED and run.attempt == 0
    assert run.reason and needed in run.reason and told in run.reason


def test_a_run_is_skipped_as_fresh_and_has_the_result_of_the_last_success(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("a", command=None, call="operator:add", fresh_for="6h")
    hand.job("b", command=None, call="operator:neg", args=[{"$result": "a"}])
    first = hand.run("a")
    follow(follower)
    hand.finish(claim_one(hand, first), return_value=42)
    again, after = hand.run("a"), hand.run("b")
    follow(follower)
    run = run_of(store, again)
    assert run.state is RunState.SKIPPED and run.is_good
    assert run.reason and run.reason.startswith(f"fresh: {first} succeeded at ")
    assert run.return_value == "42"
    assert claim_one(hand, after).data == b'["operator.neg",null,[42],{}]'
    # As if that had been long ago.
    for id in (first, again):
        store.connection.command("HSET", f"rq:job:{id}", "ended_at", "2020-01-01T00:00:00.000000Z")
    old = hand.run("a")
    follow(follower)
    assert hand.state(old) is RunState.QUEUED


def test_a_failure_is_not_fresh(hand: Hand, follower: Follower) -> None:
    hand.job("a", fresh_for=3600)
    first = hand.run("a")
    follow(follower)
    hand.finish(claim_one(hand, first), RunState.FAILED)
    again = hand.run("a")
    follow(follower)
    assert hand.state(again) is RunState.QUEUED


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


def test_a_run_after_a_job_on_every_host_waits_for_all_of_them(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("a", on="every", command=None, call="operator:add")
    hand.job("b", command=None, call="builtins:dict", args=[{"$result": "a"}])
    runs = everywhere(hand, store, "a", "h1", "h2", "h3")
    waits = hand.run("b")
    for place, id in enumerate(runs):
        follow(follower)
        assert hand.state(waits) is RunState.WAITING
        finish_on(hand, id, return_value=place)
    follow(follower)
    assert claim_one(hand, waits).data == b'["builtins.dict",null,[{"h1":0,"h2":1,"h3":2}],{}]'


def test_a_quorum_of_the_hosts_is_enough_and_where_it_cannot_be_reached_the_run_is_skipped(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("a", on="every")
    hand.job("two", needs=["a"], quorum=2)
    hand.job("most", needs=["a"], quorum="60%")
    hand.job("all", needs=["a"])
    first, second, third = everywhere(hand, store, "a", "h1", "h2", "h3")
    two, most, all_ = hand.run("two"), hand.run("most"), hand.run("all")
    finish_on(hand, first)
    finish_on(hand, second, RunState.FAILED)
    follow(follower)
    assert hand.state(two) is hand.state(most) is RunState.WAITING
    assert run_of(store, all_).reason == (
        f"needs a: {second} ended as failed, and 3 of 3 runs have to succeed"
    )
    finish_on(hand, third)
    follow(follower)
    assert hand.state(two) is hand.state(most) is RunState.QUEUED
    repaired = everywhere(hand, store, "a", "h2")[0]
    finish_on(hand, repaired)
    follow(follower)
    again = hand.run("all")
    follow(follower)
    assert hand.state(again) is RunState.QUEUED
    assert set(run_of(store, again).needed["a"]) == {first, third, repaired}


def test_the_end_of_a_run_starts_the_jobs_that_are_for_such_an_end_once(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("a")
    hand.job("good", command=None, call="operator:neg", args=[{"$result": "a"}])
    hand.job("bad")
    hand.job("a", command=None, call="operator:add", on_success=["good"], on_failure=["bad"])
    first = hand.run("a")
    hand.finish(claim_one(hand, first), return_value=7)
    follow(follower)
    [started] = store.runs.page("good")
    assert (started.trigger, started.after) == ("workflow", first)
    assert claim_one(hand, started.id).data == b'["operator.neg",null,[7],{}]'
    assert not store.runs.page("bad")
    second = hand.run("a")
    hand.finish(claim_one(hand, second), RunState.FAILED)
    follow(follower)
    follow(follower)
    [started] = store.runs.page("bad")
    assert started.after == second
    assert len(store.runs.page("good")) == 1


def test_a_run_that_was_skipped_or_cancelled_starts_nothing(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("next")
    hand.job("a", on_success=["next"], on_failure=["next"])
    hand.finish(claim_one(hand, hand.run("a")), RunState.SKIPPED)
    store.runs.cancel(hand.run("a"), "enough")
    follow(follower)
    assert not store.runs.page("next")


def test_a_paused_job_is_not_started_and_its_ledger_says_so(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("next")
    hand.job("a", on_success=["next"])
    store.jobs.pause("next", True)
    first = hand.run("a")
    hand.finish(claim_one(hand, first))
    follow(follower)
    assert not store.runs.page("next")
    [entry] = store.events.ledger("next", 10)
    assert entry.reason == f"paused: it is not run after {first}, which ended as success"


def test_an_end_that_is_another_by_the_time_it_is_followed_is_looked_at_anew(
    hand: Hand, store: Store
) -> None:
    hand.job("good")
    hand.job("bad")
    hand.job("a", on_success=["good"], on_failure=["bad"])
    claim = claim_one(hand, hand.run("a"))
    hand.expire(claim.lease)
    store.leases.reclaim()
    [seen] = store.workflows.ended(10)
    assert seen.starts == ("bad",)
    hand.finish(claim)
    assert store.workflows.follow([(seen, [])]) == 0
    follow(Follower(store))
    assert len(store.runs.page("good")) == 1


def test_what_two_schedulers_decide_is_done_once(hand: Hand, store: Store) -> None:
    hand.job("a")
    hand.job("b", needs=["a"])
    hand.finish(claim_one(hand, hand.run("a")))
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
    hand: Hand, store: Store, follower: Follower, way: str
) -> None:
    hand.job("a")
    hand.job("b", needs=["a"], expires=3600)
    needed, waits = hand.run("a"), hand.run("b")
    follow(follower)
    assert store.connection.command("HGET", "jober:needed", needed) == b"1"
    if way == "cancel":
        assert store.runs.cancel(waits, "enough") == "withdrawn"
    elif way == "miss":
        store.connection.command("ZADD", "jober:expiring", 1, waits)
        assert store.leases.miss() == [waits]
    else:
        store.jobs.apply([Change(op="remove", name="b")])
    assert hand.state(waits) is (RunState.MISSED if way == "miss" else RunState.CANCELLED)
    hand.finish(claim_one(hand, needed))
    follow(follower)
    for name in ("b", "a"):
        store.jobs.apply([Change(op="remove", name=name)])
    assert not left_of(store)
    assert store.connection.command("TTL", f"rq:job:{needed}") > 0
    assert not hand.held("a") and not hand.held("b")


def test_a_run_that_another_waits_for_outlives_all_that_would_forget_it(
    hand: Hand, store: Store, follower: Follower
) -> None:
    hand.job("a", overlap="allow", keep_runs=1)
    hand.job("never")
    hand.job("b", needs=["a", "never"])
    needed = hand.run("a")
    waits = hand.run("b")
    follow(follower)
    hand.finish(claim_one(hand, needed))
    newer = hand.run("a")
    hand.finish(claim_one(hand, newer))
    newest = hand.run("a")
    hand.finish(claim_one(hand, newest))
    follow(follower)
    assert store.runs.prune(1, "a") == (1, 2)
    assert store.runs.found([needed, newer, newest]).keys() == {needed, newest}
    assert store.connection.command("TTL", f"rq:job:{needed}") == -1
    assert store.connection.command("TTL", f"rq:job:{newest}") == -1
    store.runs.cancel(waits, "enough")
    assert store.connection.command("TTL", f"rq:job:{needed}") > 0
    assert store.runs.prune(1, "a") == (1, 0)


def test_other_jobs_leave_nothing_of_this_behind(hand: Hand, store: Store) -> None:
    hand.job("alone")
    hand.finish(claim_one(hand, hand.run("alone")))
    assert not left_of(store)


def put(name: str, **fields: Any) -> Change:
    return Change(op="put", name=name, job=Job.from_spec(name, {"command": "true", **fields}))


def test_a_loop_is_refused_and_named_and_nothing_is_written(store: Store) -> None:
    store.jobs.apply([put("a"), put("b", needs=["a"])])
    with pytest.raises(WorkflowLoop, match=r"a → b → c → a|b → c → a → b|c → a → b → c"):
        store.jobs.apply([put("other"), put("a", wait_for=["c"]), put("c", needs=["b"])])
    assert store.jobs.names() == ["a", "b"]
    assert store.jobs.get("a").revision == 1
    with pytest.raises(WorkflowLoop) as refused:
        store.jobs.apply([put("b", needs=["a"], on_failure=["a"])])
    assert set(refused.value.jobs) == {"a", "b"} and len(refused.value.jobs) == 3
    # The other way round, all at once, is none.
    store.jobs.apply([put("b"), put("a", needs=["b"])])


def test_a_job_that_is_not_there_or_is_a_service_cannot_be_named(store: Store) -> None:
    with pytest.raises(LinkedJobNotFound, match="'extrakt', which is not there, did you mean"):
        store.jobs.apply([put("extract"), put("load", needs=["extract"]), put("c")])
        store.jobs.apply([put("load", needs=["extrakt"])])
    assert store.jobs.get("load").job.needs == ["extract"]
    with pytest.raises(LinkToService, match="job 'load': it names 'extract', which is a service"):
        store.jobs.apply([put("extract", service=True)])
    with pytest.raises(LinkToService):
        store.jobs.apply([put("gateway", service=True), put("c", on_success=["gateway"])])


def test_a_job_that_another_names_cannot_be_removed_alone(store: Store) -> None:
    store.jobs.apply([put("a"), put("b", needs=["a"]), put("c", on_success=["a"])])
    for name, by in (("b", "c"), ("c", "b")):
        with pytest.raises(JobInUse, match=f"job 'a' is in use: job '{by}' names it"):
            store.jobs.apply([Change(op="remove", name="a"), Change(op="remove", name=name)])
    store.jobs.apply([Change(op="remove", name=name) for name in ("a", "b", "c")])
    assert not left_of(store)


def test_runs_of_several_jobs_are_made_together_or_not_at_all(hand: Hand, store: Store) -> None:
    hand.job("a")
    batch = [
        JobRuns(job=name, runs=[ManualRun(id=f"{name}-m1")], placed=()) for name in ("a", "nobody")
    ]
    with pytest.raises(JobNotFound, match="nobody"):
        store.runs.enqueue_all(batch)
    assert not store.runs.page()


def test_an_end_is_followed_once_however_often_it_is_sent(hand: Hand, store: Store) -> None:
    hand.job("next")
    hand.job("a", on_success=["next"])
    hand.finish(claim_one(hand, hand.run("a")))
    ends = store.workflows.ended(10)
    starts = [JobRuns(job="next", runs=[ManualRun(id=f"next-w{n}")]) for n in (1, 2)]
    assert store.workflows.follow([(ends[0], starts[:1])]) == 1
    assert store.workflows.follow([(ends[0], starts[1:])]) == 0
    assert [run.id for run in store.runs.page("next")] == ["next-w1"]


def test_what_ends_beside_a_run_that_is_kept_expires_as_ever(
    hand: Hand, store: Store, follower: Follower
) -> None:
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
