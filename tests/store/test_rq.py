"""RQ's own tools read our records, with no setting at all."""

import subprocess
import sys
from pathlib import Path

from rq import Queue, Worker
from rq.job import Job as RqJob
from rq.job import JobStatus
from rq.registry import FailedJobRegistry, FinishedJobRegistry, StartedJobRegistry
from rq.results import Result
from rq.serializers import JSONSerializer

from jober.embedded import RedisServer
from jober.run import RQ_STATUS, RunState
from jober.store import Store, keys
from tests.store.hand import Hand


def test_our_names_of_rq_s_keys_are_rq_s(store: Store) -> None:
    queue = Queue("adder", connection=store.connection.client)
    assert keys.rq_queue("adder") == queue.key
    assert keys.RQ_QUEUES == Queue.redis_queues_keys
    assert keys.rq_job("x") == RqJob.key_for("x")
    assert Result.get_key("x") == "rq:results:x"
    assert keys.rq_worker("w") == Worker.redis_worker_namespace_prefix + "w"
    assert keys.RQ_WORKERS == Worker.redis_workers_keys
    assert StartedJobRegistry("q", connection=store.connection.client).key == "rq:wip:q"
    assert FinishedJobRegistry("q", connection=store.connection.client).key == "rq:finished:q"
    assert FailedJobRegistry("q", connection=store.connection.client).key == "rq:failed:q"


def test_every_state_has_a_status_that_rq_knows() -> None:
    assert set(RQ_STATUS) == set(RunState)
    for status in RQ_STATUS.values():
        JobStatus(status)


def test_rq_tells_status_times_worker_and_return_value(store: Store, hand: Hand) -> None:
    hand.job(command=None, call="operator:add", args=[1, 2])
    hand.agent()
    id = hand.run()
    client = store.connection.client
    assert RqJob.fetch(id, connection=client).get_status() == "queued"
    (claim,) = hand.claim()
    job = RqJob.fetch(id, connection=client)
    assert job.get_status() == "started"
    assert job.worker_name == "host1-aaaaaa"
    assert job.started_at is not None
    registry = StartedJobRegistry("default", connection=client)
    assert registry.get_job_ids() == [id]
    hand.finish(claim, exit_code=0, return_value={"sum": 3})
    job = RqJob.fetch(id, connection=client)
    assert job.get_status() == "finished"
    assert job.return_value() == {"sum": 3}
    assert job.ended_at is not None and job.started_at is not None
    assert job.ended_at >= job.started_at
    assert job.origin == "default"
    assert job.description == "operator.add(1, 2)"
    result = job.latest_result()
    assert result is not None and result.worker_name == "host1-aaaaaa"
    assert FinishedJobRegistry("default", connection=client).get_job_ids() == [id]
    by_json = RqJob.fetch(id, connection=client, serializer=JSONSerializer)
    assert (by_json.func_name, by_json.args, by_json.kwargs) == ("operator.add", [1, 2], {})


def test_rq_tells_why_a_run_failed(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    hand.finish(claim, RunState.FAILED, exit_code=3, reason="exit code 3")
    job = RqJob.fetch(id, connection=store.connection.client)
    assert job.get_status() == "failed"
    result = job.latest_result()
    assert result is not None and result.exc_string == "exit code 3"
    registry = FailedJobRegistry("default", connection=store.connection.client)
    assert registry.get_job_ids() == [id]


def test_rq_s_cleanup_leaves_a_run_that_goes_on_alone(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    hand.claim()
    registry = StartedJobRegistry("default", connection=store.connection.client)
    registry.cleanup(timestamp=10**12)
    assert registry.get_job_ids(cleanup=True) == [id]
    assert hand.state(id) is RunState.RUNNING


def test_rq_info_lists_queues_workers_and_jobs(
    redis_server: RedisServer, store: Store, hand: Hand
) -> None:
    hand.job(roles=["adder"])
    hand.agent("web1-aaaaaa", ("adder",))
    hand.run()
    told = subprocess.run(
        [Path(sys.executable).parent / "rq", "info", "--url", redis_server.url, "--raw"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert "queue adder 1" in told
    assert "worker web1-aaaaaa (web1 " in told and " idle @web1, adder" in told
    workers = Worker.all(connection=store.connection.client)
    assert [(worker.name, worker.hostname, worker.pid) for worker in workers] == [
        ("web1-aaaaaa", "web1", 1)
    ]


def test_a_requeue_by_a_dashboard_runs_again(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    hand.finish(claim, RunState.FAILED, exit_code=1)
    FailedJobRegistry("default", connection=store.connection.client).requeue(id)
    (again,) = hand.claim()
    assert (again.id, again.attempt) == (id, 2)
    hand.finish(again, exit_code=0)
    assert hand.state(id) is RunState.SUCCESS
    assert hand.held() == {}
