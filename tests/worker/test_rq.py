"""What RQ's own tools send to an agent, and the jobs that an application enqueues with RQ."""

import pytest
import rq
from redis import Redis
from rq.command import send_shutdown_command, send_stop_job_command
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.suspension import resume, suspend

from jober.run import RunState
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, joined, numbers, output, start
from tests.worker.test_process import lives


@pytest.fixture
def redis(fleet: Fleet) -> Redis:
    client: Redis = fleet.jober.store.connection.client
    return client


def test_rq_stops_a_run(fleet: Fleet, redis: Redis) -> None:
    fleet.agent("web1", ROLE)
    handle = start(fleet, "long", command="echo $$; sleep 60", shell=True)
    [pid] = numbers(fleet, handle)
    send_stop_job_command(redis, handle.id, serializer=JSONSerializer)
    assert handle.wait(5).state is RunState.CANCELLED
    wait_until(lambda: not lives(pid))
    assert Job.fetch(handle.id, redis, JSONSerializer).get_status() == JobStatus.STOPPED


def test_rq_shuts_an_agent_down_in_order(fleet: Fleet, redis: Redis) -> None:
    guardian = fleet.agent("web1", ROLE)
    handle = start(fleet, "short", command="echo up; sleep 0.5; echo down", shell=True)
    wait_until(lambda: output(fleet, handle.id) == "up\n")
    send_shutdown_command(redis, joined(fleet))
    assert guardian.wait(10) == 0
    assert handle.state is RunState.SUCCESS
    assert fleet.jober.agents() == []


def test_while_rq_is_suspended_nothing_is_claimed(fleet: Fleet, redis: Redis) -> None:
    fleet.agent("web1", ROLE)
    suspend(redis)
    handle = start(fleet, "waits", command="true")

    def looks() -> int:
        return int(redis.info("commandstats").get("cmdstat_blpop", {"calls": 0})["calls"])

    looked = looks()
    # It has looked, and left the run where it was.
    wait_until(lambda: looks() > looked)
    assert handle.state is RunState.QUEUED
    resume(redis)
    assert handle.wait(5).state is RunState.SUCCESS


def test_a_plain_rq_job_runs_on_an_agent(fleet: Fleet, redis: Redis) -> None:
    fleet.agent("adder1", "adder")
    queue = rq.Queue("adder", connection=redis, serializer=JSONSerializer)
    job = queue.enqueue("operator.add", 1, 2)
    failing = queue.enqueue("operator.truediv", 1, 0)
    wait_until(lambda: job.get_status() == JobStatus.FINISHED, 5)
    assert fleet.jober.handle(job.id).result() == 3
    wait_until(lambda: failing.get_status() == JobStatus.FAILED, 5)
    result = failing.latest_result()
    assert result and "ZeroDivisionError: division by zero" in (result.exc_string or "")


def test_rq_reads_the_result_with_the_serializer_of_its_queue(fleet: Fleet, redis: Redis) -> None:
    fleet.agent("adder1", "adder")
    queue = rq.Queue("adder", connection=redis, serializer=JSONSerializer)
    job = queue.enqueue("operator.add", 1, 2)
    wait_until(lambda: job.get_status() == JobStatus.FINISHED, 5)
    assert job.return_value() == 3
    assert Job.fetch(job.id, redis, JSONSerializer).return_value() == 3


def test_a_pickled_rq_job_is_refused_with_the_reason(fleet: Fleet, redis: Redis) -> None:
    fleet.agent("adder1", "adder")
    queue = rq.Queue("adder", connection=redis)
    job = queue.enqueue("operator.add", 1, 2)
    wait_until(lambda: job.get_status() == JobStatus.FAILED, 5)
    run = fleet.jober.handle(job.id).run
    assert run.reason == (
        "its data is not JSON, and pickle is refused (enqueue with rq.serializers.JSONSerializer, "
        "or start the agent with --accept-pickle)"
    )
    result = job.latest_result()
    assert result and "pickle is refused" in (result.exc_string or "")


COMMAND, SHELL = "jober_worker.functions.command", "jober_worker.functions.shell"


def test_a_record_that_makes_no_sense_fails_its_run_alone(fleet: Fleet, redis: Redis) -> None:
    fleet.agent("adder1", "adder")
    records = {
        "empty": "",
        "short": "[]",
        "half": '["f", null]',
        "method": '["f", "an object", [], {}]',
        "no-argv": f'["{COMMAND}", null, [], {{}}]',
        "text-argv": f'["{COMMAND}", null, ["ls"], {{}}]',
        "list-shell": f'["{SHELL}", null, [["ls"]], {{}}]',
        "good": '["operator.add", null, [1, 2], {}]',
    }
    for id, data in records.items():
        redis.hset(f"rq:job:{id}", mapping={"data": data, "status": "queued", "origin": "adder"})
    redis.rpush("rq:queue:adder", *records)
    handles = {id: fleet.jober.handle(id) for id in records}
    wait_until(lambda: all(handle.state.is_final for handle in handles.values()))
    runs = {id: handle.run for id, handle in handles.items()}
    assert runs.pop("good").state is RunState.SUCCESS
    for id, run in runs.items():
        assert run.state is RunState.FAILED, id
        assert run.reason and "Error" not in run.reason, id
