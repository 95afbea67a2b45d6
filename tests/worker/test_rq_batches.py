"""Plain RQ jobs that one process performs in turn: each is told apart from the next, and none waits
for another that is slow."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import rq
from redis import Redis
from rq.command import send_stop_job_command
from rq.job import Job, JobStatus

from jober.run import RunState
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker import rq_tasks as tasks
from tests.worker.agents import output

ENDS = {"finished", "failed", "stopped"}


@pytest.fixture
def redis(fleet: Fleet) -> Redis:
    client: Redis = fleet.jober.store.connection.client
    return client


@pytest.fixture
def queue(fleet: Fleet, redis: Redis) -> rq.Queue:
    fleet.agent("adder1", "adder", "--accept-pickle", "--slots", "2")
    return rq.Queue("adder", connection=redis)


Call = tuple[Callable[..., Any], tuple[Any, ...]]


def put(queue: rq.Queue, calls: Sequence[Call]) -> list[Job]:
    """Jobs that may be tried again, of which an agent reserves many."""
    retry = rq.Retry(max=1)
    return queue.enqueue_many(
        [rq.Queue.prepare_data(call, args, retry=retry) for call, args in calls]
    )


def statuses(redis: Redis, jobs: Sequence[Job]) -> Counter[str]:
    client: Any = redis
    return Counter((client.hget(job.key, "status") or b"").decode() for job in jobs)


def ended(queue: rq.Queue, jobs: Sequence[Job]) -> Counter[str]:
    client: Any = queue.connection
    wait_until(lambda: statuses(client, jobs).keys() <= ENDS, 60, "the end of all")
    return statuses(client, jobs)


def values(jobs: Sequence[Job]) -> list[Any]:
    return [job.return_value() for job in jobs]


def warm_up(queue: rq.Queue) -> None:
    """Until its processes are there, and it is known that jobs are quick."""
    ended(queue, put(queue, [(tasks.add, (n, 1)) for n in range(300)]))


def test_quick_jobs_are_performed_in_turn_with_the_same_pipes(queue: rq.Queue) -> None:
    warm_up(queue)
    jobs = put(queue, [(tasks.whereabouts, ()) for _ in range(300)])
    assert ended(queue, jobs) == {"finished": 300}
    told = values(jobs)
    assert [one["job"] for one in told] == [job.id for job in jobs]
    assert all(one["job"] == one["RQ_JOB_ID"] == one["JOBER_RUN_ID"] for one in told)
    assert len({one["JOBER_TOKEN"] for one in told}) == 300
    assert len({one["pid"] for one in told}) <= 2
    assert max(Counter(one["stdout"] for one in told).values()) > 1


def test_what_jobs_write_is_told_apart(fleet: Fleet, queue: rq.Queue) -> None:
    warm_up(queue)
    calls = [(tasks.say, (n,)) if n % 7 == 0 else (tasks.add, (n, 0)) for n in range(140)]
    jobs = put(queue, calls)
    assert ended(queue, jobs) == {"finished": 140}
    for number, job in enumerate(jobs):
        lines = sorted(output(fleet, job.id).splitlines())
        said = [f"child {number}", f"libc {number}", f"print {number}", f"write {number}"]
        assert lines == (said if number % 7 == 0 else [])


@pytest.mark.parametrize("change", [tasks.change, tasks.change_quietly])
def test_what_a_job_has_changed_is_set_back_for_the_next(
    queue: rq.Queue, change: Callable[[], None]
) -> None:
    warm_up(queue)
    before = values(put_and_end(queue, [(tasks.surroundings, ())]))
    after = put_and_end(queue, [(change, ()), (tasks.surroundings, ())] * 50)
    assert {str(one) for one in values(after)[1::2]} == {str(one) for one in before}


def put_and_end(queue: rq.Queue, calls: Sequence[Call]) -> list[Job]:
    jobs = put(queue, calls)
    ended(queue, jobs)
    return jobs


def test_a_slow_job_holds_up_none_that_came_after_it(redis: Redis, queue: rq.Queue) -> None:
    warm_up(queue)
    slow, *quick = put(queue, [(tasks.until, ("go",)), *((tasks.add, (n, 0)) for n in range(200))])
    assert ended(queue, quick) == {"finished": 200}
    assert slow.get_status() == JobStatus.STARTED
    redis.rpush("go", "1")
    assert ended(queue, [slow]) == {"finished": 1}


def test_a_job_that_dies_takes_none_with_it(fleet: Fleet, redis: Redis, queue: rq.Queue) -> None:
    warm_up(queue)
    calls: list[Call] = [(tasks.tried, ()) for _ in range(200)]
    for place in (20, 21, 100):
        calls[place] = tasks.die, ()
    jobs = put(queue, calls)
    assert ended(queue, jobs) == {"finished": 197, "failed": 3}
    dead = [jobs[place] for place in (20, 21, 100)]
    assert statuses(redis, dead) == {"failed": 3}
    for job in dead:
        assert "killed by SIGKILL" in (fleet.jober.handle(job.id).run.reason or "")
    assert {redis.get(f"tried:{job.id}") for job in jobs} == {b"1", None}


def test_a_job_that_is_stopped_ends_alone(fleet: Fleet, redis: Redis, queue: rq.Queue) -> None:
    warm_up(queue)
    linger, *quick = put(queue, [(tasks.linger, ()), *((tasks.add, (n, 0)) for n in range(100))])
    wait_until(lambda: redis.exists(f"tried:{linger.id}"), told="it has begun")
    send_stop_job_command(redis, linger.id)
    assert ended(queue, [linger]) == {"stopped": 1}
    assert ended(queue, quick) == {"finished": 100}
    assert fleet.jober.handle(linger.id).state is RunState.CANCELLED


def test_what_raises_and_what_takes_too_long_fails_alone(queue: rq.Queue) -> None:
    warm_up(queue)
    late = rq.Queue.prepare_data(tasks.sleep, (60,), timeout=1)
    brave = rq.Queue.prepare_data(tasks.sleep_bravely, (60,), timeout=1)
    other = [rq.Queue.prepare_data(tasks.add, (n, 0)) for n in range(50)]
    failing = rq.Queue.prepare_data(tasks.fail)
    jobs = queue.enqueue_many([failing, late, *other, brave])
    assert ended(queue, jobs) == {"finished": 51, "failed": 2}
    results = [job.latest_result() for job in jobs[:2]]
    told = [one.exc_string or "" for one in results if one]
    assert "ValueError: no good" in told[0]
    assert "Task exceeded maximum timeout value (1 seconds)" in told[1]
    assert values(jobs[-1:]) == ["woken"]


def test_a_value_of_any_size_comes_through(queue: rq.Queue) -> None:
    warm_up(queue)
    sizes = [0, 1, 30_000, 40_000, 70_000, 3_000_000] * 5
    jobs = put(queue, [(tasks.letters, (size,)) for size in sizes])
    assert ended(queue, jobs) == {"finished": len(sizes)}
    assert [len(value) for value in values(jobs)] == sizes


def test_a_job_of_any_size_is_performed(queue: rq.Queue) -> None:
    warm_up(queue)
    sizes = [10, 15_000, 17_000, 100_000, 1_000_000] * 5
    jobs = put(queue, [(tasks.length, (tasks.noise(size),)) for size in sizes])
    assert ended(queue, jobs) == {"finished": len(sizes)}
    assert values(jobs) == sizes


def test_jobs_that_report_progress_are_heard(fleet: Fleet, queue: rq.Queue) -> None:
    warm_up(queue)
    jobs = put(queue, [(tasks.half_way, (n,)) for n in range(50)])
    assert ended(queue, jobs) == {"finished": 50}
    told = [fleet.jober.handle(job.id).run.progress for job in jobs]
    assert [one.whole.done if one else None for one in told] == [*range(50)]
