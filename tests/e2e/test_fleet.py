"""The main job, end to end: real schedulers, real agents, a real Redis."""

import signal
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from jober.ids import fired_run_id
from jober.ledger import Decision
from jober.run import RunState
from tests.fleet import Fleet
from tests.waiting import wait_until

SECONDS = 60
EACH_SECOND = {"cron": "* * * * * *", "overlap": "allow", "catch_up": "all"}


def test_every_fire_of_a_minute_runs_once_on_the_right_host_though_the_leader_is_killed(
    fleet: Fleet,
) -> None:
    fleet.scheduler()
    fleet.scheduler()
    fleet.agent("adder1", "adder")
    fleet.agent("gpu1", "adder,gpu")
    fleet.agent("db1", "db")
    jober = fleet.jober
    killed = fleet.leading()
    allowed = {
        "command": {"adder1", "gpu1"},
        "shell": {"db1"},
        "call": {"gpu1"},
        "module": {"adder1", "db1"},
        "script": {"adder1"},
        "script-call": {"adder1", "gpu1"},
        "everywhere": {"adder1", "gpu1"},
    }
    what: dict[str, dict[str, Any]] = {
        "command": {"command": ["true"], "roles": ["adder"]},
        "shell": {"command": "exit 0", "shell": True, "roles": ["db"]},
        "call": {"call": "operator:add", "args": [1, 2], "roles": ["adder+gpu"]},
        "module": {"module": "this", "roles": ["db", "adder+!gpu"]},
        "script": {
            "script": "./examples/tasks.py",
            "args": ["progress"],
            "kwargs": {"steps": 1},
            "roles": ["adder+!gpu"],
        },
        "script-call": {"script": "./examples/tasks.py:dice", "roles": ["adder"]},
        "everywhere": {"command": ["true"], "roles": ["adder"], "on": "every", "concurrency": 50},
    }
    for name, fields in what.items():
        # The two that start an interpreter each time come every five seconds.
        slow = {"cron": "*/5 * * * * *"} if name in ("module", "script") else {}
        jober.add_job(name, **fields, **{**EACH_SECOND, **slow})
    # Some may have fired by now: what is decided begins where they were made.
    began = {name: jober.job(name).floor_ms for name in what}

    end = time.monotonic() + SECONDS
    wait_until(lambda: time.monotonic() > end - SECONDS / 2, SECONDS)
    killed.send_signal(signal.SIGKILL)
    died = time.monotonic()
    wait_until(lambda: fleet.leading().pid != killed.pid, 10, "the standby leads")
    took_over = time.monotonic() - died
    assert took_over <= 7
    wait_until(lambda: time.monotonic() > end, SECONDS)
    for name in what:
        jober.pause(name)
    wait_until(
        lambda: all(run.state.is_final for name in what for run in jober.runs(name, limit=1000)),
        30,
        "all runs have ended",
    )

    for name, hosts in allowed.items():
        schedule = jober.job(name).job.schedule
        assert schedule is not None
        decided = jober.job(name).cursor_ms
        fires = []
        fire = schedule.next_after_ms(began[name], None)
        while fire is not None and fire <= decided:
            fires.append(fire)
            fire = schedule.next_after_ms(fire, None)
        targets = sorted(hosts) if name == "everywhere" else [None]
        expected = {fired_run_id(name, fire, host) for fire in fires for host in targets}
        assert len(fires) >= (SECONDS - 2) // (5 if name in ("module", "script") else 1)
        runs = jober.runs(name, limit=1000)
        assert {run.id for run in runs} == expected, name
        assert len(runs) == len(expected)
        assert Counter(run.state for run in runs) == {RunState.SUCCESS: len(runs)}, name
        assert {run.host for run in runs} <= hosts, name
        assert {run.attempt for run in runs} == {1}, name
        if name == "everywhere":
            assert all(run.id.endswith(f"-{run.host}") for run in runs)
        fired = [e for e in jober.ledger(name, 1000) if e.decision is Decision.FIRED]
        assert {entry.run for entry in fired} == expected, name
    call = jober.runs("call", limit=1)[0]
    assert jober.handle(call.id).result() == 3


def test_a_fire_that_no_live_host_matches_is_told_in_the_ledger_and_as_an_event(
    fleet: Fleet,
) -> None:
    fleet.scheduler()
    fleet.agent("web1", "web")
    moment = datetime.now(UTC) + timedelta(seconds=1)
    fleet.jober.add_job("lonely", command="true", date=moment.isoformat(), roles=["db+gpu"])
    entry = wait_until(lambda: fleet.jober.ledger("lonely"), 15)[0]
    assert entry.decision is Decision.MISSED
    assert entry.reason == "no live host for role db+gpu"
    events = [e for e in fleet.jober.recent_events() if e.type == "fire.missed"]
    assert [e.facts["reason"] for e in events] == ["no live host for role db+gpu"]
    assert fleet.jober.runs("lonely") == []


def test_a_fire_waits_for_a_host_that_restarts(fleet: Fleet) -> None:
    fleet.scheduler()
    moment = datetime.now(UTC) + timedelta(seconds=0.5)
    fleet.jober.add_job("patient", command="true", date=moment.isoformat(), roles=["db"])
    wait_until(lambda: datetime.now(UTC) > moment)
    fleet.agent("db1", "db")
    run = wait_until(lambda: fleet.jober.runs("patient"))[0]
    assert fleet.jober.handle(run.id).wait(45).state is RunState.SUCCESS


def test_a_leader_that_is_told_to_stop_hands_over_before_its_lease_would_be_over(
    fleet: Fleet,
) -> None:
    fleet.scheduler()
    first = fleet.leading()
    fleet.scheduler()
    # The second has to be there, seeking: its first look is at its start.
    wait_until(lambda: "is node" in fleet.logs().split("jober-scheduler-1.log")[1])
    first.send_signal(signal.SIGTERM)
    assert first.wait(45) == 0
    gone = time.monotonic()
    wait_until(lambda: fleet.leading().pid != first.pid)
    # Of its lease of 6 s, renewed each 2 s, some 4 were left when it resigned.
    assert time.monotonic() - gone < 3


def test_a_job_never_runs_more_often_at_once_than_its_concurrency(fleet: Fleet) -> None:
    fleet.scheduler()
    for n in range(3):
        fleet.agent(f"host{n}", "web")
    jober = fleet.jober
    jober.add_job("tight", command="sleep 0.3", roles=["web"], concurrency=2)
    handles = [jober.run("tight") for _ in range(12)]
    slots = jober.store.connection
    while not all(handle.state.is_final for handle in handles):
        assert slots.command("ZCARD", "jober:slots:tight") <= 2
    runs = [handle.run for handle in handles]
    assert {run.state for run in runs} == {RunState.SUCCESS}
    moments = sorted(
        [(run.started_at_ms or 0, 1) for run in runs] + [(run.ended_at_ms or 0, -1) for run in runs]
    )
    at_once = 0
    for _, step in moments:
        at_once += step
        assert at_once <= 2
    assert slots.command("ZCARD", "jober:slots:tight") == 0
    assert slots.command("ZCARD", "jober:parked:tight") == 0


def test_a_run_is_not_told_how_redis_is_reached(fleet: Fleet) -> None:
    fleet.scheduler()
    fleet.agent("host1")
    fleet.jober.add_job("env", command="env")
    handle = fleet.jober.run("env")
    handle.wait(45)
    told = handle.output.bytes().decode()
    assert "JOBER_RUN_ID=env-m" in told
    assert "JOBER_REDIS_URL" not in told and fleet.url not in told
