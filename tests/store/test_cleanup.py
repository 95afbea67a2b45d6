"""What is done when a run is deleted: each deletion makes one run that calls the function which its
job names, and waits for nothing."""

import json
from typing import Any

import pytest

from jober.job import Job
from jober.run import Run, RunState
from jober.store import Store
from jober.store.changes import Change
from jober.store.runs import ManualRun
from tests.store.hand import Hand
from tests.store.test_keeping import ended, remove

KEPT_S = 100


@pytest.fixture
def job(hand: Hand) -> Hand:
    """A job that cleans up, and an agent."""
    hand.job(cleanup="shop.files:remove", overlap="allow", keep_for=KEPT_S, keep_runs=1)
    hand.agent()
    return hand


def cleaning(store: Store) -> list[Run]:
    """The runs that clean up, the newest first."""
    return [run for run in store.runs.page() if run.trigger == "cleanup"]


def facts(store: Store, run: Run) -> dict[str, Any]:
    """What the function is told, and that it is the right one."""
    name, _, (function, told), kwargs = json.loads(store.runs.original(run.id).data)
    assert (name, function, kwargs) == (
        "jober_worker.functions.clean_up",
        "shop.files.remove",
        {},
    )
    assert isinstance(told, dict)
    return told


def time_is_over(store: Store, *ids: str) -> None:
    for id in ids:
        assert store.connection.command("ZSCORE", "jober:cleaning", id) is not None
        store.connection.command("ZADD", "jober:cleaning", 1, id)


def test_a_run_past_the_bound_is_deleted_and_another_cleans_up_after_it(
    store: Store, job: Hand
) -> None:
    [old, new] = ended(job, 2)
    assert cleaning(store) == []
    assert store.runs.prune(1000, "job") == (1, 0)
    assert list(store.runs.found([old, new])) == [new]
    [run] = cleaning(store)
    assert (run.job, run.after, run.state, run.queue) == (
        None,
        old,
        RunState.QUEUED,
        "@host1^0",
    )
    assert run.description == f"shop.files.remove({old})"
    told = facts(store, run)
    assert (told["run"], told["job"], told["state"], told["host"]) == (
        old,
        "job",
        "success",
        "host1",
    )
    assert json.loads(told["data"])[2] == [["true"]]
    # Another look finds nothing to do, and what cleans up is not cleaned up after.
    assert store.runs.prune(1000, "job") == (0, 0)
    assert store.connection.command("ZRANGE", "jober:cleaning", 0, -1) == [new.encode()]


def test_it_is_done_as_the_job_is_bounded_and_tried_again(store: Store, hand: Hand) -> None:
    hand.job(cleanup="shop:remove", roles=["db"], cwd="/srv", env={"A": "1"}, keep_runs=1)
    hand.agent(roles=("db",))
    for _ in range(2):
        hand.run()
        hand.finish(hand.claim("host1-aaaaaa", 1, "db")[0])
    store.runs.prune(1000, "job")
    [run] = cleaning(store)
    original = store.runs.original(run.id)
    assert json.loads(original.options) == {
        "cwd": "/srv",
        "env": {"A": "1"},
        "process": True,
        "timeout": 600,
        "retries": 5,
        "retry_backoff": 4,
        "retry_on": ["failed", "timeout", "lost"],
        "expires": 86_400,
        "schema": 1,
    }
    fallback, expires = store.connection.command(
        "HMGET", f"rq:job:{run.id}", "fallback", "expires_at"
    )
    assert fallback.split()[1] == b"db^0"
    left_ms = int(expires) - store.clock.now_ms()
    assert 86_300_000 < left_ms <= 86_400_000


def test_a_run_whose_time_is_over_is_deleted_by_the_leader_and_not_by_redis(
    store: Store, job: Hand
) -> None:
    [id] = ended(job, 1)
    ttl_s = store.connection.command("TTL", f"rq:job:{id}")
    assert ttl_s > KEPT_S + 86_400
    score = float(store.connection.command("ZSCORE", "jober:cleaning", id))
    assert score == pytest.approx(store.clock.now_ms() + KEPT_S * 1000, abs=50_000)
    assert store.runs.lapse() == 0
    time_is_over(store, id)
    assert store.runs.lapse() == 1
    assert store.runs.found([id]) == {}
    assert [run.after for run in cleaning(store)] == [id]
    assert store.runs.lapse() == 0
    assert store.connection.command("EXISTS", "jober:cleaning") == 0


def test_it_is_done_for_a_job_that_is_gone_as_its_run_was_made(store: Store, job: Hand) -> None:
    [id] = ended(job, 1)
    store.jobs.apply([remove()])
    time_is_over(store, id)
    store.runs.lapse()
    [run] = cleaning(store)
    assert facts(store, run)["run"] == id


def test_a_run_that_ends_after_its_job_is_gone_is_cleaned_up_after(store: Store, job: Hand) -> None:
    id = job.run()
    [claim] = job.claim()
    store.jobs.apply([remove(force=True)])
    job.finish(claim)
    time_is_over(store, id)
    store.runs.lapse()
    assert [run.after for run in cleaning(store)] == [id]


def test_a_run_that_never_began_has_left_nothing_behind(store: Store, job: Hand) -> None:
    id = job.run()
    store.runs.cancel(id, "not wanted")
    time_is_over(store, id)
    assert store.runs.lapse() == 1
    assert store.runs.found([id]) == {}
    assert cleaning(store) == []


def test_what_goes_to_an_archive_is_cleaned_up_after(store: Store, job: Hand) -> None:
    [id] = ended(job, 1)
    run = store.runs.get(id)
    assert store.runs.forget([run]) == 1
    assert store.runs.forget([run]) == 0
    assert [run.after for run in cleaning(store)] == [id]


def test_a_run_that_another_needs_stays_until_that_needs_it_no_more(
    store: Store, hand: Hand
) -> None:
    hand.job("first", cleanup="shop:remove", keep_for=KEPT_S)
    hand.job("second", needs=["first"])
    hand.agent()
    [old] = ended(hand, 1, "first")
    time_is_over(store, old)
    assert store.runs.lapse() == 1
    assert list(store.runs.found([old])) == [old]
    assert store.runs.lapse() == 0
    # The next one is the newest then: the time of this one begins.
    [new] = ended(hand, 1, "first")
    score = float(store.connection.command("ZSCORE", "jober:cleaning", old))
    assert score == pytest.approx(store.clock.now_ms() + KEPT_S * 1000, abs=50_000)
    time_is_over(store, old)
    assert store.runs.lapse() == 1
    assert list(store.runs.found([old, new])) == [new]
    assert [run.after for run in cleaning(store)] == [old]


def test_what_others_have_deleted_or_written_stops_nobody(store: Store, job: Hand) -> None:
    ids = ended(job, 4)
    command = store.connection.command
    command("DEL", f"rq:job:{ids[0]}")
    command("HSET", f"rq:job:{ids[1]}", "cleanup", "no JSON")
    command("HSET", f"rq:job:{ids[2]}", "cleanup", '{"call": {}, "expires": 1}')
    time_is_over(store, *ids)
    assert store.runs.lapse() == 4
    assert store.runs.found(ids) == {}
    assert [run.after for run in cleaning(store)] == [ids[3]]


def test_an_id_that_is_used_again_is_cleaned_up_after_again(store: Store, job: Hand) -> None:
    for _ in range(2):
        store.runs.enqueue("job", [ManualRun(id="chosen")])
        job.finish(job.claim()[0])
        time_is_over(store, "chosen")
        store.runs.lapse()
    assert [run.after for run in cleaning(store)] == ["chosen", "chosen"]


def test_a_job_that_does_not_say_so_costs_nothing_more(store: Store, hand: Hand) -> None:
    hand.job(keep_runs=1)
    hand.agent()
    ids = ended(hand, 2)
    assert store.connection.command("EXISTS", "jober:cleaning") == 0
    assert store.connection.command("HEXISTS", f"rq:job:{ids[0]}", "cleanup") == 0
    store.runs.prune(1000, "job")
    assert cleaning(store) == []


def test_a_job_may_come_to_name_another_function(store: Store, job: Hand) -> None:
    [id] = ended(job, 1)
    other = Job(name="job", command="true", cleanup="shop:other")
    store.jobs.apply([Change(op="put", name="job", job=other)])
    time_is_over(store, id)
    store.runs.lapse()
    assert facts(store, cleaning(store)[0])["run"] == id  # by the function that it was made with
