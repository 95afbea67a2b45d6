"""`Jober.from_jobs`: all jobs of a program as one dict, scheduled until it closes."""

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jober import Jober
from jober.clock import iso, to_ms
from jober.embedded import RedisServer
from jober.errors import DefinitionError, JobExistError, JobNotFound, NextFireTimeError
from jober.job import InvalidDefinitions
from tests.fleet import Fleet
from tests.waiting import wait_until

ADDING: dict[str, Any] = {
    "func": "operator:add",
    "args": [1, 2],
    "every": [1, "hour"],
    "at": {"minute": 0, "second": 0},
    "timezone": "Asia/Shanghai",
    "concurrence_n": 2,
    "roles": ["adder"],
}


def test_each_job_of_the_dict_is_made_as_it_says(redis_server: RedisServer) -> None:
    with Jober.from_jobs({"job_a": ADDING}, redis_server.url) as jober:
        job = jober.job("job_a").job
        assert job.spec() == {
            "call": "operator:add",
            "args": [1, 2],
            "every": [1, "hour"],
            "at": {"minute": 0, "second": 0},
            "timezone": "Asia/Shanghai",
            "roles": ["adder"],
            "concurrency": 2,
        }
        assert job.fleet_limit == 2


def test_what_is_there_already_becomes_as_it_is_told(redis_server: RedisServer) -> None:
    Jober.from_jobs({"a": {"func": "true"}, "b": {"func": "true"}}, redis_server.url).close()
    with Jober.from_jobs({"a": {"func": "false"}}, redis_server.url) as jober:
        assert [record.job.command for record in jober.jobs()] == ["false", "true"]


def test_jobs_that_the_filter_refuses_are_not_made(redis_server: RedisServer) -> None:
    asked: list[tuple[str, Mapping[str, Any]]] = []

    def is_for_adders(name: str, conf: Mapping[str, Any]) -> bool:
        asked.append((name, conf))
        return "adder" in conf.get("roles", [])

    jobs = {"a": ADDING, "b": {"func": "true"}}
    with Jober.from_jobs(jobs, redis_server.url, filter_job=is_for_adders) as jober:
        assert jober.store.jobs.names() == ["a"]
    assert asked == list(jobs.items())


def test_all_that_is_wrong_is_told_and_no_job_is_made(redis_server: RedisServer) -> None:
    jobs: dict[str, dict[str, Any]] = {
        "good": {"func": "true"},
        "a": {"func": "x", "evry": 1},
        "b": {"func": 7},
    }
    with pytest.raises(InvalidDefinitions) as error:
        Jober.from_jobs(jobs, redis_server.url)
    told = str(error.value)
    assert "job 'a': evry: unknown field 'evry', did you mean 'every'?" in told
    assert "job 'b': what: 7 is nothing that can be run" in told
    with Jober(redis_server.url) as jober:
        assert jober.store.jobs.names() == []


@pytest.mark.parametrize("every", [[1, "fortnight"], [0, "hour"], 0])
def test_an_interval_that_is_none_is_a_next_fire_time_error(
    redis_server: RedisServer, every: object
) -> None:
    with pytest.raises(NextFireTimeError, match="job 'a'"):
        Jober.from_jobs({"a": {"func": "true", "every": every}}, redis_server.url)
    with Jober(redis_server.url) as jober, pytest.raises(NextFireTimeError):
        jober.add_job("a", {"func": "true", "every": every})


def test_jobs_come_and_go(redis_server: RedisServer) -> None:
    with Jober.from_jobs({"a": {"func": "true"}}, redis_server.url) as jober:
        jober.add_job("b", {"func": "operator:add", "args": [1, 2]})
        with pytest.raises(JobExistError, match="'b' exists already"):
            jober.add_job("b", {"func": "true"})
        jober.delete_job("a")
        with pytest.raises(JobNotFound):
            jober.delete_job("a")
        assert jober.store.jobs.names() == ["b"]


@pytest.mark.parametrize(
    ("status", "told"),
    [(["a"], "returned no dict"), ({"a": "soon"}, "is no moment"), ({"a": "2026-11-21"}, "offset")],
)
def test_a_status_that_cannot_be_read_is_told(
    redis_server: RedisServer, status: Any, told: str
) -> None:
    with pytest.raises(DefinitionError, match=told):
        Jober.from_jobs({"a": {"func": "true"}}, redis_server.url, reload_status=lambda: status)


def test_jobs_fire_while_it_schedules_and_what_fired_last_is_dumped(
    fleet: Fleet, tmp_path: Path
) -> None:
    fleet.agent("alpha", "adder")
    fleet.scheduler()
    file = tmp_path / "status.json"
    job = {"func": "operator:add", "args": [1, 2], "every": 1, "roles": ["adder"]}
    jober = Jober.from_jobs(
        {"often": job}, fleet.url, dump_status=lambda status: file.write_text(json.dumps(status))
    )
    added = jober.status()["often"]
    blocked = threading.Thread(target=jober.schedule)
    blocked.start()
    wait_until(lambda: len(jober.runs("often")) >= 2, 60, "two fires")
    wait_until(lambda: file.exists() and json.loads(file.read_text())["often"] > added)
    assert blocked.is_alive()
    assert jober.handle(jober.runs("often")[-1].id).result(timeout=30) == 3
    last = jober.status()["often"]
    jober.close()
    blocked.join(30)
    assert not blocked.is_alive()
    assert json.loads(file.read_text())["often"] >= last


def test_a_hook_that_fails_is_called_again(redis_server: RedisServer) -> None:
    calls: list[dict[str, str]] = []

    def dump(status: dict[str, str]) -> None:
        calls.append(status)
        if len(calls) == 1:
            raise OSError("the disk is full")

    jober = Jober.from_jobs({"a": {"func": "true"}}, redis_server.url, dump_status=dump)
    blocked = threading.Thread(target=jober.schedule)
    blocked.start()
    wait_until(lambda: len(calls) == 2)
    jober.close()
    blocked.join(30)
    assert calls[0] == calls[1] == {"a": calls[0]["a"]}


def test_a_new_job_goes_on_from_the_status_and_catches_up(fleet: Fleet) -> None:
    fleet.agent("alpha")
    fleet.scheduler()
    last = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=90)
    status = {"hourly": str(iso(to_ms(last))), "not-mine": str(iso(to_ms(last)))}
    jobs: dict[str, dict[str, Any]] = {
        "hourly": {"func": "true", "every": [1, "hour"]},
        "new": {"func": "true", "every": 3600},
    }
    with Jober.from_jobs(jobs, fleet.url, reload_status=lambda: status) as jober:
        [run] = wait_until(lambda: jober.runs("hourly"), 60, "the fire that was missed")
        assert run.fire_at_ms == to_ms(last + timedelta(hours=1))
        assert jober.job("hourly").next_ms == to_ms(last + timedelta(hours=2))
        assert jober.runs("new") == []
    # It is there by now, so what was dumped is older than what is known.
    with Jober.from_jobs(jobs, fleet.url, reload_status=lambda: status) as jober:
        assert jober.job("hourly").cursor_ms == to_ms(last + timedelta(hours=1))
