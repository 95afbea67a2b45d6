"""Runs that are tried again, skipped, or missed: real agents, and a real scheduler."""

import os
import signal
from typing import Any

import pytest
from redis import Redis
from rq.job import Job, JobStatus
from rq.registry import CanceledJobRegistry, FailedJobRegistry, FinishedJobRegistry
from rq.serializers import JSONSerializer

from jober.client import RunHandle
from jober.run import Run, RunState
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, agent_of, ended, lease_of, numbers, output, start

SOON: dict[str, Any] = {"retry_delay": 0.1, "retry_backoff": 1}


@pytest.fixture
def ready(fleet: Fleet) -> Fleet:
    """A scheduler and one host."""
    fleet.scheduler()
    fleet.agent("web1", ROLE)
    return fleet


@pytest.fixture
def redis(fleet: Fleet) -> Redis:
    client: Redis = fleet.jober.store.connection.client
    return client


def told(handle: RunHandle) -> list[tuple[str, str | None]]:
    """How each attempt ended, and where."""
    return [(str(one.state), one.host) for one in handle.attempts]


def test_a_run_that_fails_is_tried_again_until_it_succeeds(ready: Fleet) -> None:
    command = "echo attempt $JOBER_ATTEMPT; [ $JOBER_ATTEMPT = 3 ]"
    run = ended(ready, "flaky", command=command, shell=True, retries=5, **SOON)
    assert (run.state, run.attempt, run.exit_code, run.reason) == (RunState.SUCCESS, 3, 0, None)
    assert output(ready, run.id) == "attempt 1\nattempt 2\nattempt 3\n"
    attempts = ready.jober.handle(run.id).attempts
    assert [(one.attempt, one.exit_code, one.reason) for one in attempts] == [
        (1, 1, "exit code 1"),
        (2, 1, "exit code 1"),
        (3, 0, None),
    ]


def test_a_run_has_failed_when_its_retries_are_used_up(ready: Fleet, redis: Redis) -> None:
    run = ended(ready, "broken", command="exit 3", shell=True, retries=2, **SOON)
    assert (run.state, run.attempt, run.exit_code) == (RunState.FAILED, 3, 3)
    assert told(ready.jober.handle(run.id)) == [("failed", "web1")] * 3
    assert Job.fetch(run.id, redis, JSONSerializer).get_status() == JobStatus.FAILED
    assert run.id in FailedJobRegistry(run.queue, redis).get_job_ids(cleanup=False)


def test_the_delay_is_kept_and_grows(ready: Fleet) -> None:
    run = ended(ready, "slower", command="false", retries=2, retry_delay=0.4, retry_backoff=2)
    attempts = ready.jober.handle(run.id).attempts
    waits = [
        (after.started_at_ms or 0) - (before.ended_at_ms or 0)
        for before, after in zip(attempts, attempts[1:], strict=False)
    ]
    assert waits[0] >= 400
    assert waits[1] >= 800


@pytest.mark.parametrize(
    ("fields", "attempts"),
    [
        ({"command": "exit 75", "shell": True, "retry_on": ["exit:75"]}, 2),
        ({"command": "exit 74", "shell": True, "retry_on": ["exit:75"]}, 1),
        ({"command": "sleep 60", "timeout": 0.1, "retry_on": ["timeout"]}, 2),
        ({"command": "sleep 60", "timeout": 0.1, "retry_on": ["failed"]}, 1),
        ({"command": "not-there", "retry_on": ["exit:127"]}, 2),
        ({"call": "operator:truediv", "retry_on": ["error:ZeroDivisionError"]}, 2),
        ({"call": "operator:truediv", "retry_on": ["error:builtins.ArithmeticError"]}, 2),
        ({"call": "operator:truediv", "retry_on": ["error:ValueError"]}, 1),
        ({"call": "operator:truediv", "process": True, "retry_on": ["error:ArithmeticError"]}, 2),
        ({"call": "operator:truediv", "process": True, "retry_on": ["error:ValueError"]}, 1),
    ],
)
def test_only_what_retry_on_names_is_tried_again(
    ready: Fleet, fields: dict[str, Any], attempts: int
) -> None:
    if "call" in fields:
        fields = {**fields, "args": [1, 0]}
    run = ended(ready, "some", retries=1, **SOON, **fields)
    assert run.state in (RunState.FAILED, RunState.TIMEOUT)
    assert run.attempt == attempts


def test_another_host_is_preferred_on_a_retry(ready: Fleet) -> None:
    ready.agent("web2", ROLE)
    runs = [
        ready.jober.handle(run.id)
        for run in _many(ready, 10, command="false", retries=1, overlap="allow", **SOON)
    ]
    hosts = [[one.host for one in handle.attempts] for handle in runs]
    assert all(sorted(pair, key=str) == ["web1", "web2"] for pair in hosts), hosts


def _many(fleet: Fleet, n: int, **fields: Any) -> list[Run]:
    fleet.jober.add_job("many", roles=[ROLE], **fields)
    handles = [fleet.jober.run("many") for _ in range(n)]
    return [handle.wait(20) for handle in handles]


def test_a_limit_holds_over_all_attempts_and_nothing_is_left(ready: Fleet) -> None:
    ready.agent("web2", ROLE)
    command = "sleep 0.05; [ $JOBER_ATTEMPT = 2 ]"
    flaky: dict[str, Any] = {"retries": 2, "retry_delay": 0, "retry_max_delay": 0}
    runs = _many(ready, 20, command=command, shell=True, concurrency=2, **flaky)
    assert {(run.state, run.attempt) for run in runs} == {(RunState.SUCCESS, 2)}
    attempts = [one for run in runs for one in ready.jober.handle(run.id).attempts]
    assert len(attempts) == 40
    moments = sorted(
        moment
        for one in attempts
        for moment in (((one.started_at_ms or 0), 1), ((one.ended_at_ms or 0), -1))
    )
    going = most = 0
    for _, step in moments:
        going += step
        most = max(most, going)
    assert most == 2
    command_ = ready.jober.store.connection.command
    for key in ("slots:many", "active:many", "parked:many", "delayed", "leases"):
        assert not command_("EXISTS", f"jober:{key}"), key


def test_the_only_host_tries_again_itself_though_others_have_other_roles(ready: Fleet) -> None:
    ready.agent("db1", "db")
    run = ended(ready, "alone", command="false", retries=1, **SOON)
    assert told(ready.jober.handle(run.id)) == [("failed", "web1")] * 2


def test_a_host_that_does_not_take_it_is_not_waited_for_without_end(ready: Fleet) -> None:
    other = ready.agent("web2", ROLE)
    command = "[ $JOBER_ATTEMPT = 2 ]"
    handle = start(ready, "picky", command=command, shell=True, retries=1, retry_delay=1)
    first = wait_until(lambda: handle.attempts)[0].host
    # It is believed to live, and asks for nothing.
    paused = agent_of(other if first == "web1" else ready.processes[1])
    os.kill(paused, signal.SIGSTOP)
    try:
        assert handle.wait(20).state is RunState.SUCCESS
        assert told(handle) == [("failed", first), ("success", first)]
    finally:
        os.kill(paused, signal.SIGCONT)


def test_a_lost_run_goes_on_on_another_host(ready: Fleet) -> None:
    handle = start(
        ready,
        "nomad",
        command='echo $$; [ "$JOBER_HOST" = web2 ] || sleep 60',
        shell=True,
        retries=1,
        retry_on=["lost"],
        **SOON,
    )
    numbers(ready, handle)
    ready.agent("web2", ROLE)
    guardian = ready.processes[1]
    agent = agent_of(guardian)
    # As when the power goes.
    for pid in (guardian.pid, agent):
        os.kill(pid, signal.SIGKILL)
    store = ready.jober.store
    store.connection.command("ZADD", "jober:leases", "1", lease_of(ready, handle.id)[0])
    assert store.leases.reclaim().again == (handle.id,)
    assert handle.wait(45).state is RunState.SUCCESS
    assert told(handle) == [("lost", "web1"), ("success", "web2")]


def test_a_run_that_kills_its_agent_is_poisoned_before_it_has_killed_them_all(fleet: Fleet) -> None:
    fleet.agent("web1", ROLE)
    store = fleet.jober.store
    handle = start(
        fleet,
        "deadly",
        command="kill -9 $PPID; sleep 60",
        shell=True,
        retries=9,
        retry_on=["lost"],
        retry_delay=0,
    )

    def poisoned() -> bool:
        live = {agent.id for agent in fleet.jober.agents()}
        for member in store.connection.command("ZRANGE", "jober:leases", 0, -1):
            holder = member.split(b" ")[3].decode()
            if live - {holder}:
                # Another has taken its place: the lease need not be waited for.
                store.connection.command("ZADD", "jober:leases", "XX", "1", member)
        store.leases.reclaim()
        store.leases.promote()
        return handle.state is RunState.POISONED

    wait_until(poisoned, 40)
    assert told(handle) == [("lost", "web1"), ("lost", "web1"), ("poisoned", "web1")]
    assert wait_until(fleet.jober.agents)


def test_a_run_that_waits_for_another_attempt_is_cancelled_at_once(
    ready: Fleet, redis: Redis
) -> None:
    handle = start(ready, "later", command="false", retries=1, retry_delay=600)
    wait_until(lambda: handle.state is RunState.DELAYED)
    job = Job.fetch(handle.id, redis, JSONSerializer)
    assert job.get_status() == JobStatus.SCHEDULED
    assert handle.cancel("enough") == "withdrawn"
    run = handle.wait(45)
    assert (run.state, run.reason) == (RunState.CANCELLED, "enough")
    assert told(handle) == [("failed", "web1")]


def test_a_run_that_ends_with_its_agent_is_tried_again_elsewhere_as_one_whose_host_died(
    fleet: Fleet,
) -> None:
    fleet.scheduler()
    guardian = fleet.agent("web1", ROLE, drain=0)
    waits: dict[str, Any] = {"command": "echo up; sleep 60", "shell": True, "retries": 1, **SOON}
    program = start(fleet, "program", retry_on=["lost"], **waits)
    other = start(fleet, "other", **waits)
    wait_until(lambda: output(fleet, program.id) == output(fleet, other.id) == "up\n")
    fleet.agent("web2", ROLE)
    guardian.send_signal(signal.SIGTERM)
    assert guardian.wait(30) == 0
    wait_until(lambda: (program.state, program.run.host) == (RunState.RUNNING, "web2"))
    assert told(program)[0] == ("cancelled", "web1")
    assert (other.state, other.run.attempt) == (RunState.CANCELLED, 1)


def test_a_run_that_was_stopped_is_not_tried_again(ready: Fleet) -> None:
    handle = start(ready, "long", command="echo $$; sleep 60", shell=True, retries=5, **SOON)
    numbers(ready, handle)
    handle.cancel()
    run = handle.wait(45)
    assert (run.state, run.attempt) == (RunState.CANCELLED, 1)


def test_an_exit_status_may_be_good_or_mean_that_there_was_nothing_to_do(
    ready: Fleet, redis: Redis
) -> None:
    rules: dict[str, Any] = {"shell": True, "ok_exit_codes": [0, 4], "skip_exit_codes": [75]}
    rules |= {"retries": 3, **SOON}
    for status, state in ((4, RunState.SUCCESS), (75, RunState.SKIPPED)):
        run = ended(ready, f"exits-{status}", command=f"exit {status}", **rules)
        assert (run.state, run.exit_code, run.attempt) == (state, status, 1)
        assert Job.fetch(run.id, redis, JSONSerializer).get_status() == JobStatus.FINISHED
        assert run.id in FinishedJobRegistry(run.queue, redis).get_job_ids(cleanup=False)
        assert ready.jober.handle(run.id).result() is None


def test_a_run_that_no_host_has_taken_in_time_is_missed_though_no_agent_is_up(
    fleet: Fleet, redis: Redis
) -> None:
    fleet.scheduler()
    handle = start(fleet, "stale", command="true", expires=0.2)
    run = handle.wait(45)
    assert run.state is RunState.MISSED
    assert run.reason is not None and "was not started by" in run.reason
    assert Job.fetch(run.id, redis, JSONSerializer).get_status() == JobStatus.CANCELED
    assert run.id in CanceledJobRegistry(run.queue, redis).get_job_ids(cleanup=False)
    fleet.agent("web1", ROLE)
    assert ended(fleet, "fresh", command="true", expires=60).state is RunState.SUCCESS
    assert fleet.jober.store.runs.get(handle.id).state is RunState.MISSED


def test_delayed_runs_survive_the_scheduler(fleet: Fleet) -> None:
    fleet.agent("web1", ROLE)
    handle = start(
        fleet, "patient", command="[ $JOBER_ATTEMPT = 2 ]", shell=True, retries=1, **SOON
    )
    wait_until(lambda: handle.state is RunState.DELAYED)
    for _ in range(2):
        fleet.scheduler()
    assert handle.wait(45).state is RunState.SUCCESS
    assert handle.run.attempt == 2
