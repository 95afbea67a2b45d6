"""The same RQ jobs on a stock `rq worker` and on an agent: what they leave in Redis is the same, as
RQ's own classes and a plain look at the records tell it."""

import os
import subprocess
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
import redis
from rq import Callback, Queue, Repeat, Retry
from rq.command import send_stop_job_command
from rq.job import Dependency, Job, JobStatus
from rq.registry import ScheduledJobRegistry
from rq.serializers import JSONSerializer, PickleSerializer

from jober.embedded import RedisServer
from tests.fleet import BIN, ROOT, Fleet
from tests.waiting import wait_until
from tests.worker import rq_tasks as tasks

Jobs = list[Job]
ENDS = {JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED}
# What differs by its nature: of these, only whether they are there is compared.
PRESENT_ONLY = set("created_at enqueued_at started_at ended_at last_heartbeat worker_name".split())
RQ_FIELDS = PRESENT_ONLY | set(
    "status origin description timeout meta result_ttl failure_ttl ttl group_id "
    "success_callback_name failure_callback_name stopped_callback_name "
    "success_callback_timeout failure_callback_timeout stopped_callback_timeout "
    "allow_dependency_failures enqueue_at_front retries_left retry_intervals number_of_retries "
    "enqueue_at_front_on_retry repeats_left repeat_intervals".split()
)


@dataclass(frozen=True)
class Side:
    """One of the two: queues that it alone serves, one for each serializer."""

    name: str
    client: redis.Redis

    def queue(self, serializer: Any) -> Queue:
        kind = "json" if serializer is JSONSerializer else "pickle"
        return Queue(f"{self.name}-{kind}", connection=self.client, serializer=serializer)


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Side, Side]]:
    with RedisServer() as server:
        fleet = Fleet(server.url, tmp_path_factory.mktemp("side-by-side"))
        client: redis.Redis = redis.Redis.from_url(server.url)
        try:
            _stock_worker(fleet, "stock-pickle", "rq.serializers.PickleSerializer")
            _stock_worker(fleet, "stock-json", "rq.serializers.JSONSerializer")
            fleet.scheduler()
            fleet.agent("adder1", "ours-pickle,ours-json", "--accept-pickle")
            wait_until(lambda: client.scard("rq:workers") == 3, told="two workers and an agent")
            yield Side("stock", client), Side("ours", client)
        finally:
            client.close()
            fleet.stop()
            print(fleet.logs())  # noqa: T201


def _stock_worker(fleet: Fleet, queue: str, serializer: str) -> None:
    with (fleet.folder / f"{queue}.log").open("wb") as log:
        fleet.processes.append(
            subprocess.Popen(
                [
                    *(str(BIN / "rq"), "worker", queue, "--with-scheduler", "--url", fleet.url),
                    *("-S", serializer, "--path", str(ROOT)),
                ],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        )


def _told(job: Job) -> dict[str, Any]:
    """All that there is of a job, as far as it can be the same twice."""
    client: Any = job.connection
    raw = {name.decode(): value for name, value in client.hgetall(job.key).items()}
    record: dict[str, Any] = {}
    for name in RQ_FIELDS & raw.keys():
        if raw[name]:
            record[name] = True if name in PRESENT_ONLY else raw[name].replace(b"ours-", b"stock-")
    told: dict[str, Any] = {f"field {name}": value for name, value in record.items()}
    told["results"] = [_result(one) for one in job.results()]
    if not raw:
        return told
    found = Job.fetch(job.id, client, job.serializer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        told["result"] = str(found.result)
        told["exc_info"] = (found.exc_info or "").strip().rpartition("\n")[2]
    told["call"] = (found.func_name, str(found.args), str(found.kwargs))
    told["return value"] = str(found.return_value())
    told["meta"] = str(found.meta).replace(job.id, "<id>")
    told["marks"] = client.lrange(f"marks:{job.id}", 0, -1)
    told["tried"] = client.get(f"tried:{job.id}")
    told["expires"] = _expiry(client.ttl(job.key))
    told["results expire"] = _expiry(client.ttl(f"rq:results:{job.id}"))
    for name in ("finished", "failed", "deferred", "scheduled", "canceled"):
        told[name] = client.zscore(f"rq:{name}:{job.origin}", job.id) is not None
    told["started"] = job.id in [
        key.split(b":")[0].decode() for key in client.zrange(f"rq:wip:{job.origin}", 0, -1)
    ]
    told["dependents"] = client.scard(job.dependents_key)
    return told


def _expiry(ttl: int) -> int:
    """Rounded: the two did not end in the same second."""
    return ttl if ttl < 0 else round(ttl / 60)


def _result(result: Any) -> tuple[Any, ...]:
    return result.type, str(result.return_value), bool(result.exc_string), bool(result.worker_name)


# What stays different, as docs/redis.md tells: RQ keeps the result of a failure for ever where the
# job has no failure_ttl, and the record for a year, with which ours goes; and who ended a job that
# did not end by itself says so in words of its own.
KNOWN = (
    # What its worker has written of a job that it then stopped, or buried, RQ overwrites.
    ("field last_heartbeat", None, True),
    ("field worker_name", None, True),
    ("field ended_at", None, True),
    # The deprecated property tells a returned Retry by a field that nothing else reads.
    ("result", "Unserializable return value", "None"),
    ("result", "Retry(max=2, interval=0, enqueue_at_front=False)", "None"),
    ("results expire", -1, 365 * 24 * 60),
    ("exc_info", "Job stopped by user, work-horse terminated.", "cancelled"),
    (
        "exc_info",
        "Work-horse terminated unexpectedly; waitpid returned 9 (signal 9);",
        "its process ended before the function returned: killed by SIGKILL",
    ),
)


def _differences(by_rq: dict[str, Any], by_us: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What the two tell differently: as RQ's worker has it, and as the agent does."""
    names = by_rq.keys() | by_us.keys()
    pairs = {name: (by_rq.get(name), by_us.get(name)) for name in names}
    return {
        name: (theirs, ours)
        for name, (theirs, ours) in pairs.items()
        if theirs != ours and (name, theirs, ours) not in KNOWN
    }


Scenario = Callable[[Queue], Jobs]
WITH_BOTH: dict[str, Scenario] = {
    "a value": lambda q: [q.enqueue(tasks.add, 1, 2)],
    "keywords": lambda q: [q.enqueue(tasks.add, a=1, b=2)],
    "None": lambda q: [q.enqueue(tasks.nothing)],
    "an exception": lambda q: [q.enqueue(tasks.fail)],
    "sys.exit": lambda q: [q.enqueue(tasks.leave)],
    "a coroutine": lambda q: [q.enqueue(tasks.later, 5)],
    "what cannot be serialised": lambda q: [q.enqueue(tasks.unspeakable)],
    "an unknown function": lambda q: [q.enqueue("tests.worker.rq_tasks.missing")],
    "an unknown module": lambda q: [q.enqueue("no_such_module.f")],
    "a timeout": lambda q: [q.enqueue(tasks.sleep, 60, job_timeout=1)],
    "a timeout that the job minds": lambda q: [q.enqueue(tasks.sleep_bravely, 60, job_timeout=1)],
    "no timeout": lambda q: [q.enqueue(tasks.add, 1, 2, job_timeout=-1)],
    "result_ttl": lambda q: [q.enqueue(tasks.add, 1, 2, result_ttl=3600)],
    "result_ttl 0": lambda q: [q.enqueue(tasks.add, 1, 2, result_ttl=0)],
    "result_ttl -1": lambda q: [q.enqueue(tasks.add, 1, 2, result_ttl=-1)],
    "failure_ttl": lambda q: [q.enqueue(tasks.fail, failure_ttl=3600)],
    "a process that dies": lambda q: [q.enqueue(tasks.die, on_failure=Callback(tasks.on_failure))],
    "a process that dies, tried again": lambda q: [q.enqueue(tasks.die_once, retry=Retry(max=1))],
    "ttl": lambda q: [q.enqueue(tasks.add, 1, 2, ttl=600)],
    "retry": lambda q: [q.enqueue(tasks.good_from, 3, retry=Retry(max=3))],
    "retry in vain": lambda q: [
        q.enqueue(tasks.fail, retry=Retry(max=2), on_failure=Callback(tasks.on_failure))
    ],
    "retry later": lambda q: [q.enqueue(tasks.good_from, 2, retry=Retry(max=2, interval=[1, 60]))],
    "a returned Retry": lambda q: [q.enqueue(tasks.asks_again, 3, 3)],
    "a returned Retry, later": lambda q: [q.enqueue(tasks.asks_again, 3, 2, 1)],
    "a returned Retry, too often": lambda q: [q.enqueue(tasks.asks_again, 2, 9)],
    "depends_on": lambda q: [
        first := q.enqueue(tasks.sleep, 0.5),
        second := q.enqueue(tasks.add, 3, 4, depends_on=first),
        q.enqueue(tasks.add, 5, 6, depends_on=[first, second]),
    ],
    "allow_failure": lambda q: [
        first := q.enqueue(tasks.fail_slowly),
        q.enqueue(tasks.add, 1, 2, depends_on=Dependency([first], allow_failure=True)),
    ],
    "a dependency that was retried": lambda q: [
        first := q.enqueue(tasks.good_from, 2, retry=Retry(max=1, interval=1)),
        q.enqueue(tasks.add, 1, 2, depends_on=first),
    ],
    "a dependency whose result is not kept": lambda q: [
        first := q.enqueue(tasks.sleep, 0.5, result_ttl=0),
        q.enqueue(tasks.add, 1, 2, depends_on=first),
    ],
    "success callback": lambda q: [
        q.enqueue(tasks.add, 1, 2, on_success=Callback(tasks.on_success))
    ],
    "failure callback": lambda q: [q.enqueue(tasks.fail, on_failure=Callback(tasks.on_failure))],
    "failure callback of a timeout": lambda q: [
        q.enqueue(tasks.sleep, 60, job_timeout=1, on_failure=Callback(tasks.on_failure))
    ],
    "a success callback that fails": lambda q: [
        q.enqueue(
            tasks.add,
            1,
            2,
            on_success=Callback(tasks.bad_success),
            on_failure=Callback(tasks.on_failure),
        )
    ],
    "a failure callback that fails": lambda q: [
        q.enqueue(tasks.fail, on_failure=Callback(tasks.bad_failure))
    ],
    "a callback's timeout": lambda q: [
        q.enqueue(tasks.add, 1, 2, on_success=Callback(tasks.slow_success, timeout=1))
    ],
    "repeat": lambda q: [q.enqueue(tasks.tried, repeat=Repeat(times=2))],
    "repeat later": lambda q: [q.enqueue(tasks.tried, repeat=Repeat(times=1, interval=[1]))],
    "repeat that fails": lambda q: [q.enqueue(tasks.fail, repeat=Repeat(times=2))],
    "meta": lambda q: [q.enqueue(tasks.with_meta, meta={"from": "the application"})],
    "enqueue_in": lambda q: [q.enqueue_in(timedelta(seconds=1), tasks.add, 1, 2)],
}
BY_PICKLE: dict[str, Scenario] = {
    "a method": lambda q: [q.enqueue(tasks.Counter(3).plus, 4)],
    "a return value": lambda q: [q.enqueue(tasks.tomorrow, date(2026, 11, 21))],
    "a function of a class": lambda q: [q.enqueue(tasks.Counter.zero)],
}
CASES = [
    *((name, JSONSerializer, scenario) for name, scenario in WITH_BOTH.items()),
    *((name, PickleSerializer, scenario) for name, scenario in (WITH_BOTH | BY_PICKLE).items()),
]


def _status(job: Job) -> JobStatus | None:
    """None where nothing is kept of it."""
    client: Any = job.connection
    status = client.hget(job.key, "status")
    return JobStatus(status.decode()) if status else None


def _rests(jobs: Jobs) -> bool:
    """All have ended for good: each in a registry of ended jobs, none on its way to run again."""
    return all(status is None or status in ENDS for status in map(_status, jobs)) and not any(
        ScheduledJobRegistry(job.origin, connection=job.connection).get_job_ids() for job in jobs
    )


@pytest.mark.parametrize(
    ("serializer", "scenario"),
    [
        pytest.param(serializer, case, id=f"{name}-{serializer.__name__}")
        for name, serializer, case in CASES
    ],
)
def test_a_job_leaves_the_same_behind(
    sides: tuple[Side, Side], serializer: Any, scenario: Scenario
) -> None:
    both = [scenario(side.queue(serializer)) for side in sides]
    for jobs in both:
        wait_until(partial(_rests, jobs), 20, f"the end of {jobs}")
    stock, ours = ([_told(job) for job in jobs] for jobs in both)
    for by_rq, by_us in zip(stock, ours, strict=True):
        assert _differences(by_rq, by_us) == {}


@pytest.mark.parametrize("serializer", [JSONSerializer, PickleSerializer])
def test_a_job_that_is_stopped_leaves_the_same_behind(
    sides: tuple[Side, Side], serializer: Any
) -> None:
    told = []
    for side in sides:
        queue = side.queue(serializer)
        retry, on_stopped = Retry(max=3), Callback(tasks.on_stopped)
        job = queue.enqueue(tasks.linger, retry=retry, on_stopped=on_stopped)
        after = queue.enqueue(
            tasks.add, 1, 2, depends_on=Dependency([job], allow_failure=True), job_id=f"{job.id}-b"
        )
        wait_until(partial(side.client.exists, f"tried:{job.id}"), told="it has begun")
        send_stop_job_command(side.client, job.id, serializer)
        wait_until(partial(_rests, [job]), told="its end")
        told.append(_told(job))
        assert after.get_status() == JobStatus.DEFERRED
    assert _differences(*told) == {}
