"""What a later version has written is refused in words, or kept where it is not known."""

import json
import subprocess
from pathlib import Path

import pytest

from jober import Jober
from jober.errors import NewerSchema
from jober.job import Job
from jober.schema import READ_UP_TO, SCHEMA
from jober.service import PlaceState
from jober.store import Store, keys
from jober.store.report import checked_report
from tests.fleet import BIN, Fleet
from tests.waiting import wait_until

LATER = READ_UP_TO + 1


def test_what_is_read_is_what_is_written_or_more() -> None:
    assert 1 <= SCHEMA <= READ_UP_TO


def test_fields_of_a_later_version_stay_and_reach_agent_and_leader(store: Store) -> None:
    jober = Jober(store.connection.url)
    jober.add_job("true", name="job", timeout=5, cron="0 3 * * *")
    key = keys.job("job")
    spec = json.loads(store.connection.command("HGET", key, "spec"))
    store.connection.command("HSET", key, "spec", json.dumps({**spec, "sandbox": "strict"}))

    jober.update_job("job", timeout=6)
    told = {
        field: json.loads(store.connection.command("HGET", key, field))
        for field in ("spec", "options", "policy")
    }
    assert told["spec"] == {**spec, "timeout": 6, "sandbox": "strict"}
    assert told["options"] == {"schema": SCHEMA, "timeout": 6, "sandbox": "strict"}
    assert told["policy"]["sandbox"] == "strict"
    with_calendars = jober.job("job").job.with_calendars({})
    assert with_calendars.spec() == told["spec"]
    assert with_calendars != Job.from_spec("job", {**spec, "timeout": 6})


def test_what_is_kept_of_services_and_reports_may_have_a_field_more() -> None:
    assert PlaceState.read('{"run": "r", "later": 1}') == PlaceState(run="r")
    report = {
        "id": "r",
        "attempt": 1,
        "job": "",
        "queue": "q",
        "host": "h",
        "limits": "",
        "outcome": {"state": "success", "later": 1},
        "later": 1,
    }
    checked = checked_report(report)
    assert checked == {**{name: report[name] for name in checked}, "outcome": {"state": "success"}}
    assert "later" not in checked


def test_a_redis_of_a_later_schema_is_not_worked_with(fleet: Fleet) -> None:
    fleet.jober.store.connection.command("SET", keys.SCHEMA, LATER)
    told = f"has schema {LATER}, of a later jober; this one reads schemas up to {READ_UP_TO}"
    for program in ("jober-scheduler", "jober-worker", "jober-web"):
        arguments = ["--bind", "127.0.0.1:0"] if program == "jober-web" else []
        assert fleet.start(program, *arguments).wait(60) == 78, fleet.logs()
        assert told in next(fleet.folder.glob(f"{program}-*.log")).read_text()
    with pytest.raises(NewerSchema, match=told):
        Jober(fleet.url).add_job("true", name="job")
    asked = subprocess.run(
        [str(BIN / "jober"), "apply", "examples/fleet.toml", "--redis", fleet.url],
        capture_output=True,
        text=True,
    )
    assert asked.returncode == 1 and told in asked.stderr, asked


def test_a_job_and_a_run_of_a_later_schema_are_refused_and_all_others_go_on(
    fleet: Fleet, tmp_path: Path
) -> None:
    fleet.scheduler()
    fleet.agent("db1", "db")
    jober, redis = fleet.jober, fleet.jober.store.connection
    wait_until(lambda: redis.command("GET", keys.SCHEMA) == str(SCHEMA).encode(), 60, "a leader")
    for name in ("later", "now"):
        jober.add_job("true", name=name, roles=["db"], cron="0 0 1 1 *")
    key = keys.job("later")
    assert redis.command("HGET", key, "schema") == str(SCHEMA).encode()
    redis.command("HSET", key, "policy", json.dumps({"schema": LATER}))
    each_second = json.dumps({"cron": "* * * * * *"})
    for name in ("later", "now"):
        redis.command("HSET", keys.job(name), "schedule", each_second)
        # The leader may know the schedule of the revision before.
        redis.command("HINCRBY", keys.job(name), "revision", 1)
        redis.command("ZADD", keys.DUE, 0, name)

    wait_until(lambda: jober.runs("now"), 60, "the other one fires")
    told = f"job 'later' has schema {LATER}, of a later jober"
    wait_until(lambda: told in fleet.logs(), 60, told)
    assert not jober.runs("later")
    redis.command("HSET", key, "schema", LATER)
    with pytest.raises(NewerSchema, match=told):
        jober.job("later")

    options = json.dumps({"schema": LATER})
    redis.command("HSET", keys.job("now"), "options", options)
    run = jober.run("now").wait(60)
    assert run.state == "failed"
    assert f"run '{run.id}' has schema {LATER}" in (run.reason or "")
