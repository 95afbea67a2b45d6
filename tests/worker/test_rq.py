"""What RQ's own tools send to an agent, and the jobs that an application enqueues with RQ."""

import json
from pathlib import Path

import pytest
import rq
from redis import Redis
from rq.command import send_shutdown_command, send_stop_job_command
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.suspension import resume, suspend

from jober.run import RunState
from jober_worker.call import RqCall
from jober_worker.rq_run import at_most_s
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker import rq_tasks
from tests.worker.agents import ROLE, agent_of, joined, numbers, output, start
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
    assert handle.wait(45).state is RunState.CANCELLED
    wait_until(lambda: not lives(pid))
    assert Job.fetch(handle.id, redis, JSONSerializer).get_status() == JobStatus.STOPPED


def test_rq_shuts_an_agent_down_in_order(fleet: Fleet, redis: Redis) -> None:
    guardian = fleet.agent("web1", ROLE)
    handle = start(fleet, "short", command="echo up; sleep 0.5; echo down", shell=True)
    wait_until(lambda: output(fleet, handle.id) == "up\n")
    send_shutdown_command(redis, joined(fleet))
    assert guardian.wait(45) == 0
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
    assert handle.wait(45).state is RunState.SUCCESS


def test_a_plain_rq_job_runs_on_an_agent(fleet: Fleet, redis: Redis) -> None:
    fleet.agent("adder1", "adder")
    queue = rq.Queue("adder", connection=redis, serializer=JSONSerializer)
    job = queue.enqueue("operator.add", 1, 2)
    failing = queue.enqueue("operator.truediv", 1, 0)
    wait_until(lambda: job.get_status() == JobStatus.FINISHED)
    assert fleet.jober.handle(job.id).result() == 3
    wait_until(lambda: failing.get_status() == JobStatus.FAILED)
    result = failing.latest_result()
    assert result and "ZeroDivisionError: division by zero" in (result.exc_string or "")


def test_rq_reads_the_result_with_the_serializer_of_its_queue(fleet: Fleet, redis: Redis) -> None:
    fleet.agent("adder1", "adder")
    queue = rq.Queue("adder", connection=redis, serializer=JSONSerializer)
    job = queue.enqueue("operator.add", 1, 2)
    wait_until(lambda: job.get_status() == JobStatus.FINISHED)
    assert job.return_value() == 3
    assert Job.fetch(job.id, redis, JSONSerializer).return_value() == 3


def test_a_pickled_rq_job_is_refused_with_the_reason(fleet: Fleet, redis: Redis) -> None:
    fleet.agent("adder1", "adder")
    queue = rq.Queue("adder", connection=redis)
    job = queue.enqueue("operator.add", 1, 2)
    wait_until(lambda: job.get_status() == JobStatus.FAILED)
    run = fleet.jober.handle(job.id).run
    assert run.reason == (
        "its data is not JSON, and pickle is refused (enqueue with rq.serializers.JSONSerializer, "
        "or start the agent with --accept-pickle)"
    )
    result = job.latest_result()
    assert result and "pickle is refused" in (result.exc_string or "")


@pytest.mark.parametrize("accepted", [False, True])
def test_a_pickle_is_never_read_by_an_agent(
    fleet: Fleet, redis: Redis, tmp_path: Path, accepted: bool
) -> None:
    noted = tmp_path / "pid"
    guardian = fleet.agent("adder1", "adder", *(["--accept-pickle"] if accepted else []))
    queue = rq.Queue("adder", connection=redis)
    job = queue.enqueue("builtins.str", rq_tasks.Bomb(str(noted)), meta={"of": "the job"})
    wait_until(lambda: fleet.jober.handle(job.id).state.is_final, 15)
    assert fleet.jober.handle(job.id).state == ("success" if accepted else "failed")
    assert noted.exists() is accepted
    if accepted:
        assert int(noted.read_text()) not in (guardian.pid, agent_of(guardian))


def test_a_process_of_rq_jobs_which_may_know_redis_serves_no_run_of_ours(
    fleet: Fleet, redis: Redis
) -> None:
    fleet.agent("web1", ROLE)
    queue = rq.Queue(ROLE, connection=redis, serializer=JSONSerializer)
    jobs = []
    for _ in range(2):
        jobs.append(queue.enqueue("os.getpid"))
        wait_until(lambda: jobs[-1].get_status() == JobStatus.FINISHED)
    theirs = {job.return_value() for job in jobs}
    assert len(theirs) == 1, "the second is served by the process of the first"
    run = start(fleet, "ours", call="os:getpid", process=True).wait(45)
    assert json.loads(run.return_value or "") not in theirs


def test_a_job_whose_agent_is_stopped_is_tried_again_elsewhere(fleet: Fleet, redis: Redis) -> None:
    first = fleet.agent("adder1", "adder", drain=0)
    queue = rq.Queue("adder", connection=redis, serializer=JSONSerializer)
    again = queue.enqueue(rq_tasks.linger_once, retry=rq.Retry(max=1))
    never = queue.enqueue(rq_tasks.linger)
    wait_until(lambda: all(redis.exists(f"tried:{job.id}") for job in (again, never)))
    first.terminate()
    first.wait(20)
    assert (again.get_status(), never.get_status()) == (JobStatus.QUEUED, JobStatus.FAILED)
    fleet.agent("adder2", "adder")
    wait_until(lambda: again.get_status() == JobStatus.FINISHED)
    result = never.latest_result()
    assert result and result.exc_string == "its agent was stopped"
    assert [attempt.host for attempt in fleet.jober.store.runs.attempts(again.id)] == [
        "adder1",
        "adder2",
    ]


def test_rq_is_told_of_queues_that_come_up_later(fleet: Fleet, redis: Redis) -> None:
    fleet.agent("adder1", "adder,db")
    fleet.jober.add_job("later", command="true", roles=["adder+db"])
    queue = rq.Queue("adder+db", connection=redis)
    [worker] = wait_until(lambda: rq.Worker.all(queue=queue), told="a worker of the queue")
    assert worker.name == joined(fleet)
    assert "adder+db" in worker.queue_names()


@pytest.mark.parametrize(
    ("record", "at_most"),
    [
        ({}, 180 + 60),
        ({b"timeout": b"10"}, 10 + 60),
        ({b"timeout": b"-1"}, None),
        ({b"timeout": b"10", b"success_callback_name": b"f"}, 10 + 60 + 60),
        (
            {
                b"timeout": b"10",
                b"success_callback_name": b"f",
                b"success_callback_timeout": b"5",
                b"failure_callback_name": b"g",
                b"failure_callback_timeout": b"7",
            },
            10 + 5 + 7 + 60,
        ),
    ],
)
def test_a_job_that_goes_on_after_its_alarm_is_ended_from_outside(
    record: dict[bytes, bytes], at_most: float | None
) -> None:
    call = RqCall(id="a-job", record=record, url="unix:///nowhere", pickled=False)
    assert at_most_s(call) == at_most


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
