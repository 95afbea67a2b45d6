"""How a job runs and may end: what is taken, and what is refused and how."""

from typing import Any

import pytest

from jober.errors import DefinitionError
from jober.job import Job, memory_bytes
from jober.jobs_file import parse_jobs


def job(**fields: Any) -> Job:
    what = {"call"} & fields.keys()
    return Job(**{"name": "nightly", **({} if what else {"command": "true"}), **fields})


def test_the_agent_is_told_how_a_run_may_end_and_what_its_process_is_given() -> None:
    fields = {
        "env": {"A": "1"},
        "secret": ["A"],
        "user": "backup",
        "umask": "027",
        "nice": 0,
        "memory": "512M",
        "retries": 2,
        "retry_on": ["exit:75", "lost"],
        "skip_exit_codes": [3],
        "expires": 60,
    }
    assert job(**fields).options() == fields
    assert job(call="a:b", retries=1, retry_on=["error:a.b.Busy"]).options()["retries"] == 1
    assert job(env_file="/etc/x", secret=["A"]).options() == {"env_file": "/etc/x", "secret": ["A"]}


def test_what_is_as_by_default_is_refused_nowhere() -> None:
    for kind in ({"call": "a:b"}, {"command": "true"}):
        one = job(
            **kind,
            stderr="split",
            locals=False,
            max_runs_per_process=100,
            retry_delay=10,
            retry_on=["failed", "timeout"],
            ok_exit_codes=[0],
            skip_exit_codes=[],
            secret=[],
        )
        assert one.options() == {}


@pytest.mark.parametrize(
    ("text", "bytes"),
    [
        ("1M", 1 << 20),
        ("1.5 GiB", 3 << 29),
        ("512mb", 512 << 20),
        (1 << 30, 1 << 30),
        ("1048576", 1 << 20),
    ],
)
def test_an_amount_of_memory_is_bytes_or_text(text: str | int, bytes: int) -> None:
    assert memory_bytes(text) == bytes
    assert job(memory=text).memory == text


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"call": "a:b", "user": "x"}, "user", "the agent's own user"),
        ({"call": "a:b", "nice": 0}, "nice", "set process = true"),
        ({"call": "a:b", "memory": "1G"}, "memory", "shares the agent's memory"),
        ({"call": "a:b", "env_file": "x"}, "env_file", "no environment of its own"),
        ({"call": "a:b", "stderr": "merge"}, "stderr", "which writes to two streams"),
        ({"call": "a:b", "max_runs_per_process": 5}, "max_runs_per_process", "set process = true"),
        ({"max_runs_per_process": 5}, "max_runs_per_process", "only the processes of functions"),
        ({"locals": True}, "locals", "writes its own traceback"),
        ({"env_file": ""}, "env_file", "it is empty"),
        ({"user": "a b"}, "user", "'a b' cannot be the name of a user"),
        ({"group": ""}, "group", "'' cannot be the name of a group"),
        ({"user": 1000}, "user", "1000 is not text"),
        ({"umask": "089"}, "umask", "'089' is not an octal number from 000 to 777"),
        ({"umask": "1777"}, "umask", "is not an octal number"),
        ({"umask": 27}, "umask", '27 is not octal digits as text (umask = "027")'),
        ({"nice": 20}, "nice", "20 is not a number from -20 to 19"),
        ({"memory": "much"}, "memory", "'much' is not an amount of memory"),
        ({"memory": 64}, "memory", "64 is less than 1M"),
        ({"memory": "9999T"}, "memory", "more than 1024T"),
        ({"cpus": 0}, "cpus", "0 is not a number above 0"),
        ({"cpu_time": 0}, "cpu_time", "0 is not a number of seconds above 0"),
        ({"output": "disk"}, "output", "use 'memory', 'file' or 'none'"),
        ({"stderr": "merged"}, "stderr", "did you mean 'merge'?"),
        ({"secret": ["TOKEN"]}, "secret", "'TOKEN' is no variable of env"),
        ({"retries": 101}, "retries", "101 is not a number from 0 to 100"),
        ({"retry_delay": 5}, "retry_delay", "there are no retries"),
        ({"retry_on": ["lost"]}, "retry_on", "there are no retries"),
        ({"retries": 1, "retry_delay": 7200}, "retry_delay", "retry_max_delay = 7200"),
        ({"retries": 1, "retry_backoff": 0.5}, "retry_backoff", "0.5 is not a factor"),
        ({"retries": 1, "retry_on": []}, "retry_on", "nothing would be tried again"),
        ({"retries": 1, "retry_on": ["failde"]}, "retry_on", "did you mean 'failed'?"),
        ({"retries": 1, "retry_on": ["exit:256"]}, "retry_on", "'256' is not an exit status"),
        ({"retries": 1, "retry_on": ["exit:"]}, "retry_on", "'' is not an exit status"),
        ({"retries": 1, "retry_on": ["error:a b"]}, "retry_on", "not the name of an exception"),
        ({"retries": 1, "retry_on": ["error:ValueError"]}, "retry_on", "no exception"),
        ({"ok_exit_codes": []}, "ok_exit_codes", "no run could succeed"),
        ({"ok_exit_codes": [256]}, "ok_exit_codes", "256 is not an exit status from 0 to 255"),
        ({"ok_exit_codes": ["0"]}, "ok_exit_codes", '["0"] is not a list of numbers'),
        ({"skip_exit_codes": [0]}, "skip_exit_codes", "0 is one of ok_exit_codes too"),
        ({"call": "a:b", "skip_exit_codes": [3]}, "skip_exit_codes", "raises jober.Skip"),
        ({"expires": 0}, "expires", "0 is not a number of seconds above 0"),
    ],
)
def test_what_is_wrong_is_told_with_field_value_and_mend(
    fields: dict[str, Any], field: str, told: str
) -> None:
    with pytest.raises(DefinitionError) as error:
        job(**fields)
    assert told in str(error.value)
    assert error.value.field == field
    assert error.value.mend
    assert str(error.value).count("\n") == 0


def test_defaults_that_are_for_another_kind_of_job_do_not_count() -> None:
    text = """
        [defaults]
        locals = true
        stderr = "merge"
        max_runs_per_process = 5
        retry_delay = 1
        skip_exit_codes = [3]
        [jobs.program]
        command = "true"
        [jobs.thread]
        call = "a:b"
        [jobs.process]
        call = "a:b"
        process = true
        retries = 1
    """
    file = parse_jobs(text, "toml", "jobs.toml")
    assert {one.name: one.options() for one in file.jobs} == {
        "program": {"stderr": "merge", "skip_exit_codes": [3]},
        "thread": {"locals": True},
        "process": {
            "process": True,
            "max_runs_per_process": 5,
            "stderr": "merge",
            "locals": True,
            "retries": 1,
            "retry_delay": 1,
        },
    }
