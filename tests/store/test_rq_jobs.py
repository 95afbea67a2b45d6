"""Plain RQ jobs on the way through the scripts: what RQ's worker and scheduler would do, one step
each."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from rq import Queue, Repeat, Retry
from rq.job import Dependency, Job, JobStatus
from rq.registry import DeferredJobRegistry, ScheduledJobRegistry
from rq.serializers import JSONSerializer

from jober.run import Claim, RunState
from jober.store import Store
from jober.store.rq_job import PlainJob
from tests.store.hand import Hand


@pytest.fixture
def client(store: Store) -> "redis.Redis":
    client: redis.Redis = store.connection.client
    return client


@pytest.fixture
def queue(store: Store, hand: Hand) -> Queue:
    hand.agent()
    return Queue("default", connection=store.connection.client, serializer=JSONSerializer)


def started(hand: Hand) -> Claim:
    [claim] = hand.claim()
    return claim


def ids(queue: Queue) -> list[str]:
    return queue.get_job_ids()


def due(client: "redis.Redis", job: Job) -> None:
    """As if the moment that a job waits for had come."""
    client.zadd(f"rq:scheduled:{job.origin}", {job.id: 1})


def test_a_claim_brings_all_that_the_record_has(hand: Hand, queue: Queue) -> None:
    job = queue.enqueue("operator.add", 1, 2, meta={"a": 1}, ttl=600)
    claim = started(hand)
    assert claim.record[b"status"] == b"started"
    assert claim.record[b"meta"] == b'{"a": 1}'
    assert claim.record[b"worker_name"] == b"host1-aaaaaa"
    # As RQ has it: the ttl is for what waits.
    assert queue.connection.ttl(job.key) == -1


def test_a_job_that_does_not_ask_for_redis_does_without(hand: Hand, queue: Queue) -> None:
    queue.enqueue("operator.add", 1, 2)
    claim = started(hand)
    done = PlainJob(claim.id, claim.record, "unix:///nowhere", pickled=False).perform()
    assert (done.error, done.value) == (None, 3)


def test_a_run_of_ours_brings_no_record(hand: Hand) -> None:
    hand.job()
    hand.agent()
    hand.run()
    assert started(hand).record == {}


def test_the_heartbeat_of_its_agent_is_that_of_the_job(hand: Hand, queue: Queue) -> None:
    job = queue.enqueue("operator.add", 1, 2)
    claim = started(hand)
    queue.connection.hdel(job.key, "last_heartbeat")
    hand.renew(claim.lease)
    job.refresh()
    assert job.last_heartbeat is not None


def test_a_job_that_is_lost_is_tried_again_while_it_has_retries(hand: Hand, queue: Queue) -> None:
    job = queue.enqueue("operator.add", 1, 2, retry=Retry(max=1))
    for expected in (JobStatus.QUEUED, JobStatus.FAILED):
        hand.expire(started(hand).lease)
        hand.store.leases.reclaim()
        assert job.get_status() == expected
    assert hand.state(job.id) is RunState.LOST
    assert [attempt.state for attempt in hand.store.runs.attempts(job.id)] == ["lost", "lost"]


def test_a_job_that_is_lost_three_times_is_poisoned_whatever_retries_are_left(
    hand: Hand, queue: Queue
) -> None:
    job = queue.enqueue("operator.add", 1, 2, retry=Retry(max=9))
    for _ in range(3):
        hand.expire(started(hand).lease)
        hand.store.leases.reclaim()
    assert hand.state(job.id) is RunState.POISONED
    assert job.get_status() == JobStatus.FAILED
    assert ids(queue) == []


def test_a_dependent_goes_to_the_front_where_it_asks_for_it(hand: Hand, queue: Queue) -> None:
    first = queue.enqueue("operator.add", 1, 2)
    claim = started(hand)
    last = queue.enqueue("operator.add", 3, 4, depends_on=first)
    front = queue.enqueue(
        "operator.add", 5, 6, depends_on=Dependency([first], enqueue_at_front=True)
    )
    waiting = queue.enqueue("operator.add", 7, 8)
    hand.finish(claim)
    assert ids(queue)[0] == front.id
    assert set(ids(queue)) == {front.id, waiting.id, last.id}
    assert len(DeferredJobRegistry(queue=queue)) == 0


@pytest.mark.parametrize("allow_failure", [False, True])
def test_a_dependent_waits_for_all_that_it_depends_on(
    hand: Hand, queue: Queue, allow_failure: bool
) -> None:
    jobs = [queue.enqueue("operator.add", 1, 2) for _ in range(3)]
    claims = hand.claim()
    after = queue.enqueue(
        "operator.add", 3, 4, depends_on=Dependency(jobs, allow_failure=allow_failure)
    )
    hand.finish(claims[0], RunState.FAILED if allow_failure else RunState.SUCCESS, reason="so")
    hand.finish(claims[1])
    assert after.get_status() == JobStatus.DEFERRED
    hand.finish(claims[2])
    assert ids(queue) == [after.id]


def test_a_dependent_is_put_into_its_own_queue(hand: Hand, queue: Queue) -> None:
    other = Queue("other", connection=queue.connection, serializer=JSONSerializer)
    first = queue.enqueue("operator.add", 1, 2)
    claim = started(hand)
    second = other.enqueue("operator.add", 3, 4, depends_on=first, ttl=600)
    hand.finish(claim)
    assert ids(other) == [second.id]
    assert second.get_status() == JobStatus.QUEUED
    assert 0 < queue.connection.ttl(second.key) <= 600
    assert queue.connection.exists("jober:bell:other")


def test_a_dependent_that_was_cancelled_stays_so(hand: Hand, queue: Queue) -> None:
    first = queue.enqueue("operator.add", 1, 2)
    claim = started(hand)
    second = queue.enqueue("operator.add", 3, 4, depends_on=first)
    second.cancel()
    hand.finish(claim)
    assert ids(queue) == []
    assert second.get_status() == JobStatus.CANCELED


def test_a_dependent_that_has_run_is_not_run_by_a_second_end(hand: Hand, queue: Queue) -> None:
    first = queue.enqueue("operator.add", 1, 2, repeat=Repeat(times=1))
    claim = started(hand)
    second = queue.enqueue("operator.add", 3, 4, depends_on=first)
    hand.finish(claim)
    assert ids(queue) == [second.id, first.id]
    for claim in hand.claim():
        hand.finish(claim)
    assert ids(queue) == []
    assert {job.get_status() for job in (first, second)} == {JobStatus.FINISHED}


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CANCELLED, RunState.TIMEOUT])
def test_a_bad_end_keeps_dependents_waiting(hand: Hand, queue: Queue, state: RunState) -> None:
    first = queue.enqueue("operator.add", 1, 2)
    claim = started(hand)
    second = queue.enqueue("operator.add", 3, 4, depends_on=first)
    hand.finish(claim, state, reason="so it was")
    assert second.get_status() == JobStatus.DEFERRED
    assert second.id in DeferredJobRegistry(queue=queue)


def test_what_waits_for_a_moment_or_another_job_can_be_cancelled(hand: Hand, queue: Queue) -> None:
    first = queue.enqueue("operator.add", 1, 2)
    second = queue.enqueue("operator.add", 3, 4, depends_on=first)
    third = queue.enqueue_in(timedelta(hours=1), "operator.add", 5, 6)
    for job in (second, third):
        assert hand.store.runs.cancel(job.id, "enough") == "withdrawn"
        assert hand.state(job.id) is RunState.CANCELLED
    assert len(DeferredJobRegistry(queue=queue)) == 0
    assert len(ScheduledJobRegistry(queue=queue)) == 0


def test_a_scheduled_job_is_put_into_its_queue_when_it_is_due(
    store: Store, client: Any, queue: Queue
) -> None:
    later = queue.enqueue_in(timedelta(seconds=30), "operator.add", 1, 2)
    moved, next_s = store.leases.promote()
    assert moved == 0 and next_s is not None and 28 < next_s <= 30
    due(client, later)
    assert store.leases.promote() == (1, None)
    assert ids(queue) == [later.id]
    assert later.get_status() == JobStatus.QUEUED
    assert store.leases.promote() == (0, None)


def test_a_queue_that_a_scheduler_of_rq_s_has_is_left_to_it(
    store: Store, client: Any, queue: Queue
) -> None:
    due(client, queue.enqueue_in(timedelta(seconds=30), "operator.add", 1, 2))
    client.set("rq:scheduler-lock:default", "another", ex=60)
    assert store.leases.promote() == (0, None)
    assert ids(queue) == []


def test_a_job_that_waits_for_no_moment_any_more_is_not_put_into_its_queue(
    store: Store, client: Any, queue: Queue
) -> None:
    """RQ's tools may change its status, and leave it in the list."""
    later = queue.enqueue_in(timedelta(seconds=30), "operator.add", 1, 2)
    due(client, later)
    later.set_status(JobStatus.CANCELED)
    assert store.leases.promote() == (0, None)
    assert ids(queue) == []
    assert later.get_status() == JobStatus.CANCELED
    assert len(ScheduledJobRegistry(queue=queue)) == 0


def test_a_retry_at_the_front_passes_what_waits(
    hand: Hand, store: Store, client: Any, queue: Queue
) -> None:
    retry = Retry(max=2, interval=[0, 30], enqueue_at_front=True)
    job = queue.enqueue("operator.add", 1, 2, retry=retry)
    claim = started(hand)
    other = queue.enqueue("operator.add", 3, 4)
    hand.finish(claim, RunState.FAILED, reason="no good")
    assert ids(queue) == [job.id, other.id]
    again, _ = hand.claim()
    last = queue.enqueue("operator.add", 5, 6)
    hand.finish(again, RunState.FAILED, reason="no good")
    assert hand.state(job.id) is RunState.DELAYED
    assert job.get_status() == JobStatus.SCHEDULED
    due(client, job)
    store.leases.promote()
    assert ids(queue) == [job.id, last.id]


def test_what_is_left_of_a_ttl_counts_anew_in_the_queue(hand: Hand, queue: Queue) -> None:
    job = queue.enqueue("operator.add", 1, 2, ttl=600, retry=Retry(max=1))
    hand.finish(started(hand), RunState.FAILED, reason="no good")
    assert 0 < queue.connection.ttl(job.key) <= 600


def test_a_late_good_end_takes_the_place_of_lost(hand: Hand, queue: Queue) -> None:
    job = queue.enqueue("operator.add", 1, 2)
    claim = started(hand)
    second = queue.enqueue("operator.add", 3, 4, depends_on=job)
    hand.expire(claim.lease)
    hand.store.leases.reclaim()
    assert hand.finish(claim, return_value=3)
    assert job.get_status() == JobStatus.FINISHED
    assert ids(queue) == [second.id]


def test_a_late_good_end_spares_a_job_its_retry(hand: Hand, queue: Queue) -> None:
    job = queue.enqueue("operator.add", 1, 2, retry=Retry(max=1, interval=60))
    claim = started(hand)
    hand.expire(claim.lease)
    hand.store.leases.reclaim()
    assert job.id in ScheduledJobRegistry(queue=queue)
    assert hand.finish(claim, return_value=3)
    assert job.get_status() == JobStatus.FINISHED
    assert job.id not in ScheduledJobRegistry(queue=queue)


def test_a_second_report_of_the_same_end_changes_nothing(hand: Hand, queue: Queue) -> None:
    job = queue.enqueue("operator.add", 1, 2, repeat=Repeat(times=5))
    claim = started(hand)
    assert hand.finish(claim)
    assert not hand.finish(claim)
    assert ids(queue) == [job.id]
    assert Job.fetch(job.id, queue.connection, JSONSerializer).repeats_left == 4


def test_of_a_job_without_result_ttl_nothing_is_kept(hand: Hand, queue: Queue) -> None:
    job = queue.enqueue("operator.add", 1, 2, result_ttl=0)
    hand.finish(started(hand), return_value=3)
    kept = [key.decode() for key in queue.connection.scan_iter("*") if job.id.encode() in key]
    assert kept == []
    assert queue.connection.zrange("jober:runs", 0, -1) == []
