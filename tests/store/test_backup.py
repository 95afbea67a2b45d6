"""Backups in Redis: what is written back stands as it did, and nothing that is there is touched."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from rq.job import Job as RqJob

from jober.backup import JobEntry, RunEntry
from jober.embedded import RedisServer
from jober.job import Job
from jober.run import RunState
from jober.store import Store
from jober.store.backup import JOBS_WITH_HISTORY
from jober.store.changes import Change, Restored
from tests.store.hand import Hand

HOUR_MS = 3_600_000


@pytest.fixture
def other() -> Iterator[Store]:
    """A store on another Redis, an empty one."""
    with RedisServer() as server:
        store = Store(server.url)
        store.observe_time()
        yield store
        store.close()


def redis_ms(store: Store) -> int:
    """The very clock of the scripts."""
    seconds, micros = store.connection.client.time()
    return int(seconds) * 1000 + int(micros) // 1000


def runs_of(store: Store) -> tuple[list[RunEntry], Counter[str]]:
    left_out: Counter[str] = Counter()
    return list(store.backup.runs(left_out)), left_out


def job_of(store: Store) -> JobEntry:
    (entry,) = store.backup.jobs(history=True)
    return entry


def put_back(store: Store, entry: JobEntry, op: str = "add") -> None:
    restored = Restored(standing=entry.standing, seals={}, missed={})
    store.backup.write_history([entry])
    store.jobs.apply(
        [Change(op=op, name=entry.name, job=entry.job(), restored=restored)]  # type: ignore[arg-type]
    )


def end_a_run(hand: Hand, state: RunState, **outcome: object) -> str:
    hand.agent()
    run = hand.run()
    (claim,) = hand.claim()
    assert hand.finish(claim, state, "host1-aaaaaa", **outcome)  # type: ignore[arg-type]
    return run


def test_a_job_is_read_and_written_with_all_that_it_is(
    store: Store, hand: Hand, other: Store
) -> None:
    hand.job(every=3600)
    hand.job(every=7200, prefer="spread")
    now = store.clock.now_ms()
    hand.fire("job", now, "host1")
    store.connection.command("HSET", "jober:job:job", "placed", "host1 host2")
    store.connection.command(
        "XADD", "jober:ledger:job", "5-1", "decision", "missed", "fire_at", "2026-11-21T01:00:00Z"
    )
    store.jobs.pause("job", True)
    entry = job_of(store)
    put_back(other, entry)
    assert job_of(other) == entry
    assert entry.standing.revision == 2 and entry.standing.paused and entry.standing.fires == 1
    assert set(entry.former) == {1}
    assert [id for id, _ in entry.ledger] == ["5-1"]
    for key in ("jober:former:job", "jober:ledger:job"):
        assert other.connection.command("TTL", key) == -1
    assert other.connection.command("ZSCORE", "jober:due", "job") is None


def test_what_was_due_before_a_restore_lies_below_the_floor(
    store: Store, hand: Hand, other: Store
) -> None:
    hand.job(every=60)
    past = store.clock.now_ms() - HOUR_MS
    store.connection.command("HSET", "jober:job:job", "cursor", past, "anchor", past)
    before = redis_ms(other)
    put_back(other, job_of(store))
    (due,) = other.jobs.due(other.clock.now_ms(), 10)[1]
    assert due.cursor_ms == past and due.anchor_ms == past
    assert due.floor_ms >= before


def test_a_cursor_ahead_of_this_redis_is_brought_back_to_its_now(
    store: Store, hand: Hand, other: Store
) -> None:
    hand.job(every=60)
    store.connection.command("HSET", "jober:job:job", "cursor", store.clock.now_ms() + HOUR_MS)
    put_back(other, job_of(store))
    assert other.jobs.get("job").cursor_ms <= redis_ms(other)


def test_a_replaced_job_gets_a_new_revision_and_never_an_older_cursor(
    store: Store, hand: Hand
) -> None:
    hand.job(every=3600)
    entry = job_of(store)
    hand.job(every=7200)
    later = redis_ms(store)
    hand.fire("job", later)
    put_back(store, entry, "put")
    found = store.jobs.get("job")
    assert found.job.every == 3600
    assert (found.revision, found.cursor_ms, found.fires) == (3, later, 0)
    assert hand.fire("job", later + 1, revision=2) == "stale"


def test_a_service_that_is_replaced_by_a_paused_one_is_stopped(store: Store, hand: Hand) -> None:
    hand.job(service=True)
    store.jobs.pause("job", True)
    entry = job_of(store)
    store.jobs.pause("job", False)
    place: dict[str, Any] = {"run": hand.run(), "restarts": 0}
    store.connection.command("HSET", "jober:service:job", "*", json.dumps(place))
    put_back(store, entry, "put")
    assert hand.state(place["run"]) is RunState.CANCELLED
    assert store.connection.command("EXISTS", "jober:service:job") == 0


def test_a_run_comes_back_with_its_record_attempts_and_result(
    store: Store, hand: Hand, other: Store
) -> None:
    hand.job(retries=1)
    done = end_a_run(hand, RunState.SUCCESS, return_value={"a": [1]}, cpu_s=0.5)
    hand.agent()
    failed = hand.run()
    (claim,) = hand.claim()
    assert hand.put_off(claim, exit_code=3)
    store.connection.command("ZADD", "jober:delayed", 1, failed)
    store.leases.promote()
    (claim,) = hand.claim()
    assert hand.finish(claim, RunState.FAILED, exit_code=4, reason="exit status 4")
    entries, left_out = runs_of(store)
    assert {entry.id for entry in entries} == {done, failed} and not left_out
    assert other.backup.write_runs(entries) == 2
    for run in (done, failed):
        assert other.runs.get(run) == store.runs.get(run)
        assert other.runs.attempts(run) == store.runs.attempts(run)
        ttl = int(other.connection.command("TTL", f"rq:job:{run}"))
        assert 0 < ttl <= int(store.connection.command("TTL", f"rq:job:{run}")) + 1
    assert len(other.runs.attempts(failed)) == 2
    assert {run.id for run in other.runs.page("job")} == {done, failed}
    assert {run.id for run in other.runs.page()} == {done, failed}
    client = other.connection.client
    assert RqJob.fetch(done, connection=client).return_value() == {"a": [1]}
    assert client.zrange("rq:finished:default", 0, -1) == [done.encode()]
    assert client.zrange("rq:failed:default", 0, -1) == [failed.encode()]
    assert other.backup.write_runs(entries) == 0


def test_what_others_come_after_and_what_is_cleaned_up_after_is_kept_as_before(
    store: Store, hand: Hand, other: Store
) -> None:
    def define(on: Store) -> None:
        first = Job(name="job", command="true", cleanup="shop:remove", keep_runs=1, keep_for=1000)
        second = Job(name="second", command="true", needs=["job"], fresh_for="1h")
        on.jobs.apply([Change(op="put", name=one.name, job=one) for one in (first, second)])

    define(store)
    older = end_a_run(hand, RunState.FAILED, exit_code=3)
    good = end_a_run(hand, RunState.SUCCESS)
    bad = end_a_run(hand, RunState.FAILED, exit_code=3)
    entries, _ = runs_of(store)
    define(other)
    assert other.backup.write_runs(entries) == 3
    for name in ("jober:kept:job", "jober:needed"):
        found = store.connection.command("HGETALL", name)
        assert found and other.connection.command("HGETALL", name) == found
    assert other.workflows.states(["job"]) == store.workflows.states(["job"])
    assert other.workflows.states(["job"])["job"].succeeded_at_ms
    assert set(other.connection.command("ZRANGE", "jober:cleaning", 0, -1)) == {
        id.encode() for id in (good, bad, older)
    }
    # What is kept for others stays, the one beyond the bound goes, and is cleaned up after.
    other.connection.command("ZADD", "jober:cleaning", 1, good, 1, bad)
    assert other.runs.prune(1000, "job") == (1, 2)
    assert other.runs.lapse() == 2
    assert set(other.runs.found([good, bad, older])) == {good, bad}
    assert [run.after for run in other.runs.page() if run.trigger == "cleanup"] == [older]


def test_a_run_that_is_there_is_left_alone_by_a_restore(store: Store, hand: Hand) -> None:
    hand.job()
    run = end_a_run(hand, RunState.FAILED, exit_code=3)
    entries, _ = runs_of(store)
    store.connection.command("HSET", f"rq:job:{run}", "exit_code", 4)
    before = store.connection.command("HGETALL", f"rq:job:{run}")
    assert store.backup.write_runs(entries) == 0
    assert store.connection.command("HGETALL", f"rq:job:{run}") == before
    assert store.connection.command("XLEN", f"rq:results:{run}") == 1


def test_the_history_of_a_job_that_is_not_there_does_not_stay_for_ever(
    store: Store, hand: Hand, other: Store
) -> None:
    hand.job()
    end_a_run(hand, RunState.SUCCESS)
    other.backup.write_runs(runs_of(store)[0])
    assert 0 < int(other.connection.command("TTL", "jober:runs:job")) <= 7 * 86_400


def test_a_run_that_would_be_forgotten_by_now_does_not_come_back(
    store: Store, hand: Hand, other: Store
) -> None:
    hand.job()
    run = end_a_run(hand, RunState.SUCCESS)
    store.connection.command("HSET", f"rq:job:{run}", "ended_at", "2020-01-01T00:00:00.000000Z")
    entries, _ = runs_of(store)
    assert other.backup.forgotten(entries[0])
    assert other.backup.write_runs(entries) == 0
    assert other.connection.command("KEYS", "*") == []


def test_runs_that_go_on_and_jobs_of_applications_are_counted_and_left_out(
    store: Store, hand: Hand
) -> None:
    hand.job()
    hand.agent()
    hand.run()
    hand.claim()
    hand.run()
    store.connection.command("HSET", "rq:job:theirs", "status", "finished", "origin", "default")
    store.connection.command("ZADD", "jober:runs", 1, "theirs")
    store.connection.command("ZADD", "jober:runs", 2, "expired")
    entries, left_out = runs_of(store)
    assert entries == []
    assert left_out == {"runs_going_on": 2, "rq_jobs": 1}


def test_all_pages_are_read(store: Store) -> None:
    names = sorted(f"job-{number}" for number in range(JOBS_WITH_HISTORY * 2 + 1))
    store.jobs.apply(
        [
            Change(op="put", name=name, job=Job.from_spec(name, {"command": "true"}))
            for name in names
        ]
    )
    assert [entry.name for entry in store.backup.jobs(history=True)] == names
    with store.connection.client.pipeline() as pipeline:
        for number in range(1000):
            pipeline.zadd("jober:runs", {f"job-m{number}": number})
            pipeline.hset(
                f"rq:job:job-m{number}",
                mapping={"job": "job-1", "state": "success", "ended_at": "2026-11-21T01:00:00Z"},
            )
        pipeline.execute()
    entries, _ = runs_of(store)
    assert len(entries) == len({entry.id for entry in entries}) == 1000
