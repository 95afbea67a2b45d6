"""What is kept of jobs and their runs: how many, how long, and what may not be removed."""

from typing import Any

import pytest

from jober.errors import JobProtected, JobRunning
from jober.job import Job
from jober.store import Store
from jober.store.changes import Change
from tests.store.hand import Hand


def put(name: str = "job", force: bool = False, **fields: object) -> Change:
    job = Job.from_spec(name, {"command": "true", **fields})
    return Change(op="put", name=name, job=job, force=force)


def remove(force: bool = False) -> Change:
    return Change(op="remove", name="job", force=force, unless="running")


def ended(hand: Hand, runs: int, name: str = "job") -> list[str]:
    """So many runs that have ended, the oldest first."""
    ids = [hand.run(name) for _ in range(runs)]
    for claim in hand.claim(n=runs):
        hand.finish(claim)
    return ids


def test_a_job_is_cut_back_to_the_ended_runs_that_it_keeps(store: Store, hand: Hand) -> None:
    hand.job(keep_runs=3, overlap="allow")
    hand.agent()
    ids = ended(hand, 5)
    waiting = hand.run()
    assert store.runs.overfull() == ["job"]
    assert store.runs.prune(1000, "job") == (2, 1)
    assert list(store.runs.found(ids)) == ids[2:]
    assert [run.id for run in store.runs.page("job")] == [waiting, *ids[:1:-1]]


def test_a_job_that_keeps_fewer_from_now_on_is_told_to_the_pruner(store: Store, hand: Hand) -> None:
    hand.job(overlap="allow")
    hand.agent()
    ended(hand, 5)
    assert store.runs.overfull() == []
    store.jobs.apply([put(keep_runs=1, overlap="allow")])
    assert store.runs.overfull() == ["job"]
    assert store.runs.prune(1000, "job") == (4, 0)


@pytest.mark.parametrize(("fields", "kept_s"), [({}, 604_800), ({"keep_for": 60}, 60)])
def test_a_run_is_kept_for_as_long_as_its_job_says(
    store: Store, hand: Hand, fields: dict[str, Any], kept_s: int
) -> None:
    hand.job(**fields)
    hand.agent()
    [id] = ended(hand, 1)
    for key in (f"rq:job:{id}", f"rq:results:{id}"):
        assert kept_s - 10 < store.connection.command("TTL", key) <= kept_s


def test_a_run_that_outlasts_what_its_job_keeps_is_listed_as_long_as_it_goes_on(
    store: Store, hand: Hand
) -> None:
    hand.job(keep_for=1, overlap="allow")
    hand.agent()
    going = hand.run()
    [claim] = hand.claim()
    store.connection.command("ZADD", "jober:runs:job", 1, going)
    ended(hand, 1)
    store.connection.command("ZADD", "jober:runs:job", store.clock.now_ms() - 60_000, going)
    ended(hand, 1)
    assert going in {run.id for run in store.runs.page("job")}
    hand.finish(claim)


def test_a_job_is_not_removed_while_a_run_of_it_goes_on(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    [claim] = hand.claim()
    with pytest.raises(JobRunning, match="cancel it, or use --force") as error:
        store.jobs.apply([put("other"), remove()])
    assert (error.value.name, error.value.run) == ("job", id)
    assert store.jobs.names() == ["job"]
    hand.finish(claim)
    assert store.jobs.apply([remove()]) == ["removed"]


def test_by_force_a_job_is_removed_and_its_run_goes_on(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    [claim] = hand.claim()
    assert store.jobs.apply([remove(force=True)]) == ["removed"]
    assert hand.state(id) == "running"
    assert hand.finish(claim)
    assert hand.state(id) == "success"


def test_what_waits_does_not_keep_a_job(store: Store, hand: Hand) -> None:
    hand.job()
    id = hand.run()
    assert store.jobs.apply([remove()]) == ["removed"]
    assert hand.state(id) == "cancelled"


def test_a_protected_job_is_neither_changed_nor_removed_but_by_force(store: Store) -> None:
    store.jobs.apply([put(protected=True)])
    for change in (put(protected=True, title="new"), put(title="new"), remove()):
        with pytest.raises(JobProtected, match="set protected = false first, or use --force"):
            store.jobs.apply([put("other"), change])
    assert store.jobs.names() == ["job"]
    assert store.jobs.apply([put(protected=True)]) == ["same"]
    assert store.jobs.apply([put(protected=True, title="new", force=True)]) == ["changed"]
    assert store.jobs.apply([remove(force=True)]) == ["removed"]


def test_what_takes_nothing_but_the_protection_away_is_let_through(store: Store) -> None:
    store.jobs.apply([put(protected=True)])
    job = Job.from_spec("job", {"command": "true"})
    change = Change(op="put", name="job", job=job, unprotects=True)
    assert store.jobs.apply([change]) == ["changed"]
    assert store.jobs.apply([remove()]) == ["removed"]


def test_a_protected_job_can_be_paused_and_run(store: Store, hand: Hand) -> None:
    store.jobs.apply([put(protected=True)])
    assert store.jobs.pause("job", True)
    assert hand.state(hand.run()) == "queued"


def test_a_volatile_job_without_a_schedule_is_over_after_its_first_run(
    store: Store, hand: Hand
) -> None:
    hand.job(volatile=True, protected=True)
    hand.job("other")
    hand.agent()
    assert store.jobs.prune() == []
    id = hand.run()
    assert store.jobs.prune() == []
    [claim] = hand.claim()
    assert store.jobs.prune() == []
    hand.finish(claim)
    assert store.jobs.prune() == ["job"]
    assert store.jobs.names() == ["other"]
    assert hand.state(id) == "success"
    assert store.connection.command("EXISTS", "jober:volatile") == 0


def test_a_volatile_job_that_will_fire_again_is_not_over(store: Store, hand: Hand) -> None:
    hand.job(volatile=True, date="2020-01-01T00:00:00Z")
    assert store.jobs.prune() == []  # nobody has looked when it fires
    store.connection.command("ZREM", "jober:due", "job")
    store.connection.command("SADD", "jober:waiting", "job")
    assert store.jobs.prune() == []  # a host may come
    store.connection.command("SREM", "jober:waiting", "job")
    store.jobs.pause("job", True)
    assert store.jobs.prune() == []
    store.jobs.pause("job", False)
    store.connection.command("ZREM", "jober:due", "job")
    assert store.jobs.prune() == ["job"]


def test_a_job_that_is_volatile_no_more_stays(store: Store, hand: Hand) -> None:
    hand.job(volatile=True)
    hand.agent()
    ended(hand, 1)
    store.jobs.apply([put()])
    assert store.jobs.prune() == []
    assert store.jobs.apply([Change(op="remove", name="job", unless="not over")]) == ["kept"]


def test_a_run_is_forgotten_only_where_it_is_as_it_was_archived(store: Store, hand: Hand) -> None:
    hand.job(overlap="allow")
    hand.agent()
    ids = ended(hand, 2)
    lost = hand.run()
    [claim] = hand.claim()
    hand.expire(claim.lease)
    store.leases.reclaim()
    runs = list(store.runs.found([*ids, lost]).values())
    assert hand.finish(claim)  # its agent comes back, after it was read
    going = hand.run()
    hand.claim()
    assert store.runs.forget([*runs, store.runs.get(going)]) == 2
    assert list(store.runs.found([*ids, lost, going])) == [lost, going]
    assert hand.state(lost) == "success"
    assert [run.id for run in store.runs.page("job")] == [going, lost]
    assert [run.id for run in store.runs.page()] == [going, lost]


def test_a_run_that_others_come_after_is_not_forgotten(store: Store, hand: Hand) -> None:
    hand.job(overlap="allow")
    hand.agent()
    [needed, other] = ended(hand, 2)
    store.connection.command("HSET", "jober:needed", needed, 1)
    assert store.runs.forget(list(store.runs.found([needed, other]).values())) == 1
    assert list(store.runs.found([needed, other])) == [needed]
