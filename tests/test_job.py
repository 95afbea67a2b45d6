"""The definition of a job: what is taken, what is refused and how, and what it becomes."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from jober.errors import DefinitionError, NextFireTimeError, ScheduleError
from jober.job import (
    KNOWN_FIELDS,
    SCHEDULE_FIELDS,
    InvalidDefinitions,
    Job,
    Kind,
)


def job(**fields: Any) -> Job:
    what = {"command", "call", "module", "script"} & fields.keys()
    return Job(**{"name": "nightly", **({} if what else {"command": "true"}), **fields})


def refused(**fields: Any) -> DefinitionError:
    with pytest.raises(DefinitionError) as error:
        job(**fields)
    return error.value


def call_of(one: Job, **arguments: Any) -> Any:
    return json.loads(one.payload(**arguments))


# What there is


def test_the_doc_of_every_field_ends_with_its_default() -> None:
    for name, field in Job.model_fields.items():
        assert field.description is not None, name
        assert field.description.rpartition("Default: ")[2].endswith("."), name
        assert "Default: " in field.description, name


def test_every_field_says_what_it_expects_and_the_mend() -> None:
    for name, field in Job.model_fields.items():
        assert isinstance(field.json_schema_extra, dict), name
        assert field.json_schema_extra.keys() >= {"expects", "mend"}, name


def test_all_that_decides_when_a_job_fires_is_a_field() -> None:
    assert set(SCHEDULE_FIELDS) < set(KNOWN_FIELDS)
    assert "timezone" in SCHEDULE_FIELDS


def test_a_job_cannot_be_changed() -> None:
    with pytest.raises(Exception, match="frozen"):
        job().title = "other"


# What runs


@pytest.mark.parametrize(
    ("fields", "kind", "call", "description"),
    [
        (
            {"command": "df -h 'a b'"},
            Kind.COMMAND,
            ["jober_worker.functions.command", None, [["df", "-h", "a b"]], {}],
            "df -h 'a b'",
        ),
        (
            {"command": ["run", "x y"], "args": ["in", 2], "kwargs": {"dry_run": True}},
            Kind.COMMAND,
            ["jober_worker.functions.command", None, [["run", "x y", "in", "2", "--dry-run"]], {}],
            "run 'x y' in 2 --dry-run",
        ),
        (
            {"command": "echo $HOME\n", "shell": True},
            Kind.SHELL,
            ["jober_worker.functions.shell", None, ["echo $HOME\n"], {}],
            "sh -c 'echo $HOME '",
        ),
        (
            {"command": "ls >\\\nout\n", "shell": True, "args": ["a b"]},
            Kind.SHELL,
            ["jober_worker.functions.shell", None, ["ls >\\\nout 'a b'"], {}],
            None,
        ),
        (
            {"call": "pkg.mod:func", "args": [1, [None]], "kwargs": {"c": 3}},
            Kind.CALL,
            ["pkg.mod.func", None, [1, [None]], {"c": 3}],
            "pkg.mod.func(1, [None], c=3)",
        ),
        (
            {"module": "http.server", "args": [8000]},
            Kind.MODULE,
            ["jober_worker.functions.module", None, ["http.server", ["8000"]], {}],
            "python -m http.server 8000",
        ),
        (
            {"script": "./x.py", "kwargs": {"tag": ["a", "b"]}},
            Kind.SCRIPT,
            [
                "jober_worker.functions.script",
                None,
                ["./x.py", ["--tag", "a", "--tag", "b"]],
                {},
            ],
            "python ./x.py --tag a --tag b",
        ),
        (
            {"script": "./x.py:func", "args": ["a"], "kwargs": {"b": False}},
            Kind.SCRIPT_CALL,
            ["jober_worker.functions.script_call", None, ["./x.py:func", ["a"], {"b": False}], {}],
            "./x.py:func('a', b=False)",
        ),
    ],
)
def test_each_way_of_running_becomes_a_call_that_rq_reads(
    fields: dict[str, Any], kind: Kind, call: list[Any], description: str | None
) -> None:
    one = job(**fields)
    assert one.kind is kind
    assert call_of(one) == call
    assert description is None or one.description == description


def test_the_payload_is_compact_json_in_the_letters_of_its_language() -> None:
    assert job(call="a:b", args=["ż"]).payload() == '["a.b",null,["ż"],{}]'.encode()


def test_options_are_left_out_where_they_are_false_or_null() -> None:
    one = job(kwargs={"a": False, "b": None, "c_d": 1.5, "e": [True, None, {"x": 1}]})
    arguments = ["true", "--c-d", "1.5", "--e", "--e", '{"x":1}']
    assert call_of(one)[2] == [arguments]


def test_arguments_of_a_run_take_the_place_of_the_definition_s() -> None:
    one = job(call="a:b", args=[1], kwargs={"c": 2})
    assert call_of(one, args=[5])[2:] == [[5], {"c": 2}]
    assert call_of(one, kwargs={})[2:] == [[1], {}]
    assert call_of(one, args=[], kwargs={"d": 0})[2:] == [[], {"d": 0}]
    assert one.describe(args=[5]) == "a.b(5, c=2)"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"args": [{1}]}, "args[0] is a set, which JSON cannot hold"),
        ({"args": "abc"}, "'abc' is not a list"),
        ({"kwargs": [1]}, "[1] is not a table"),
        ({"kwargs": {"a b": 1}}, "'a b' cannot be the name of an option"),
        ({"args": ["\0"]}, "null character"),
    ],
)
def test_arguments_of_a_run_are_checked_as_those_of_a_definition(
    arguments: dict[str, Any], told: str
) -> None:
    with pytest.raises(DefinitionError) as error:
        job().payload(**arguments)
    assert told in str(error.value)
    assert error.value.job == "nightly"


def test_a_description_is_one_line_of_at_most_two_hundred_characters() -> None:
    text = job(command="echo 'a\nb\x1b[0m' " + "x" * 300).description
    assert text.startswith("echo 'a b [0m' xxx")
    assert len(text) == 200
    assert text.endswith("…")


def test_the_agent_is_told_only_the_options_that_are_set() -> None:
    assert job().options() == {}
    fields = {"cwd": "/srv", "env": {"A": "1"}, "timeout": 2.5, "grace": 1}
    assert job(**fields).options() == fields
    assert job(call="a:b", process=True, grace=5).options() == {"process": True}


# When


def test_a_job_without_a_schedule_is_by_hand_only() -> None:
    assert job().schedule is None
    assert job().schedule_text == "by hand"


def test_a_job_fires_in_its_time_zone() -> None:
    one = job(cron="0 3 * * *", timezone="Europe/Warsaw")
    assert one.schedule is not None
    fire = one.schedule.next_after(datetime(2026, 7, 1, tzinfo=UTC))
    assert fire == datetime(2026, 7, 1, 1, tzinfo=UTC)
    assert "Europe/Warsaw" in one.schedule_text


def test_every_takes_seconds_or_a_number_and_a_unit() -> None:
    for every in (5, 0.5, [1, "hour"], (1, "hour")):
        assert job(every=every).schedule is not None
    assert job(every=[1, "day"], at={"hour": 3, "minute": 0}).schedule is not None


def test_a_date_becomes_iso_text() -> None:
    moment = datetime(2026, 11, 21, 3, tzinfo=UTC)
    assert job(date=moment).date == "2026-11-21T03:00:00+00:00"
    assert job(date=date(2026, 11, 21)).date == "2026-11-21"
    assert job(date="2026-11-21T03:00:00").date == "2026-11-21T03:00:00"
    assert job(cron="0 0 * * *", end=date(2026, 12, 31)).end == "2026-12-31"


def test_the_other_parts_of_a_schedule_are_passed_on() -> None:
    one = job(
        any_of=[{"cron": "30 2 * * *"}, {"every": 3600}],
        dst_gap="skip",
        dst_repeat="last",
        start="2026-01-01",
        jitter=2,
    )
    assert one.schedule is not None
    assert one.spec().keys() >= {"any_of", "dst_gap", "dst_repeat", "start", "jitter"}


# Where, and how many


def test_the_queue_is_the_canonical_text_of_the_roles() -> None:
    assert job().queue == "default"
    assert job(roles=["web", "!primary+db"]).queue == "db+!primary|web"


@pytest.mark.parametrize(
    ("fields", "fleet", "host"),
    [
        ({}, 1, None),
        ({"concurrency": 3}, 3, None),
        ({"on": "every"}, None, 1),
        ({"on": "every", "concurrency": 3}, 3, None),
    ],
)
def test_one_run_at_a_time_over_the_fleet_or_on_each_host_unless_a_number_says_otherwise(
    fields: dict[str, Any], fleet: int | None, host: int | None
) -> None:
    assert (job(**fields).fleet_limit, job(**fields).host_limit) == (fleet, host)


# What is refused


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"crn": "* * * * *"}, "crn", "unknown field 'crn', did you mean 'cron'?"),
        ({"paused": True}, "paused", "pause a job with `jober pause NAME`"),
        ({"name": "a b"}, "name", "'a b' is not a job name"),
        ({"name": 5}, "name", "5 is not a name"),
        ({"command": None}, None, "there is nothing to run"),
        ({"command": "a", "call": "b:c"}, "call", "command and call are given"),
        ({"command": ""}, "command", "it is empty"),
        ({"command": []}, "command", "it is empty"),
        ({"command": [""]}, "command", "names no program"),
        ({"command": "df 'x"}, "command", "no closing quotation"),
        ({"command": ["df", 1]}, "command", '["df", 1] is not text or a list of texts'),
        ({"command": "a\0b"}, "command", "null character"),
        ({"command": ["ls"], "shell": True}, "command", "a shell takes text"),
        ({"call": "a:b", "shell": True}, "shell", "a shell runs a command"),
        ({"command": "ls", "shell": "yes"}, "shell", "'yes' is not true or false"),
        ({"call": "pkg.mod.func"}, "call", 'call = "pkg.mod:func"'),
        ({"call": "mod:"}, "call", "'mod:' is not a module and a function of it"),
        ({"call": "a:b:c"}, "call", "is not a module and a function"),
        ({"module": "a:b"}, "module", "a function of it is called by call = 'a:b'"),
        ({"script": "./x.sh"}, "script", "other programs are run by command"),
        ({"script": ":func"}, "script", "is not the path of a Python file"),
        ({"args": "x"}, "args", "'x' is not a list"),
        ({"args": [float("nan")]}, "args", "args[0] is nan, which JSON cannot hold"),
        ({"args": [date(2026, 1, 1)]}, "args", 'write it as text: "2026-01-01"'),
        ({"args": [2**2000]}, "args", "the number at args[0] is too large"),
        ({"args": ["\ud800"]}, "args", "surrogate"),
        ({"args": ["x" * 2_000_000]}, "args", "larger than a megabyte"),
        ({"kwargs": {1: 2}}, "kwargs", "a key of kwargs is int, not text"),
        ({"kwargs": {"a b": 2}}, "kwargs", "cannot be the name of an option"),
        ({"kwargs": {"-x": 2}}, "kwargs", "cannot be the name of an option"),
        ({"cron": "61 * * * *"}, "cron", "minute 61 is not in 0-59"),
        ({"cron": "0 3 * * *", "every": 5}, "every", "cron and every are given"),
        ({"every": 0}, "every", "0 is not a positive number"),
        ({"every": True}, "every", "true is not a number of seconds or [n, unit]"),
        ({"every": [1, "hours"]}, "every", "'hours' is not a unit, did you mean 'hour'?"),
        ({"at": {"hour": 3}}, "at", "a part of every, which is not given"),
        ({"jitter": 3}, "jitter", "a part of a schedule, which is not given"),
        ({"date": "soon"}, "date", "'soon' is not a moment"),
        ({"date": 5}, "date", "5 is not a date or ISO text"),
        ({"timezone": "Europ/Warsaw"}, "timezone", "did you mean 'Europe/Warsaw'?"),
        ({"timezone": "Mars", "every": 5}, "timezone", "'Mars' is not a time zone"),
        ({"roles": "db"}, "roles", 'roles = ["db"]'),
        ({"roles": ["a,b"]}, "roles", 'roles = ["a", "b"]'),
        ({"on": 0}, "on", "use 'any', 'every' or on = 3"),
        ({"on": "evry"}, "on", "did you mean 'every'?"),
        ({"concurrency": 0}, "concurrency", "0 is not a number of runs, 1 or more"),
        ({"concurrency": True}, "concurrency", "true is not a number of runs"),
        ({"overlap": "queueone"}, "overlap", "did you mean 'queue-one'?"),
        ({"overlap": "skp"}, "overlap", "did you mean 'skip'?"),
        ({"catch_up": "some"}, "catch_up", "use 'latest', 'all' or 'none'"),
        ({"catch_up_limit": 1001}, "catch_up_limit", "1001 is not a number from 1 to 1000"),
        ({"catch_up_window": 0}, "catch_up_window", "0 is not a number of seconds above 0"),
        ({"every": 5, "max_fires": 0}, "max_fires", "0 is not a number of fires, 1 or more"),
        ({"max_fires": 3}, "max_fires", "a part of a schedule, which is not given"),
        ({"exclude": ["sat"]}, "exclude", "a part of a schedule, which is not given"),
        ({"every": 5, "exclude": "sat"}, "exclude", "'sat' is not a list of texts"),
        ({"every": 5, "exclude": ["26-12-25"]}, "exclude", "'26-12-25' is not a date"),
        ({"every": 5, "only_between": "8-18"}, "only_between", "'8-18' is not a pair of times"),
        ({"every": 5, "shift": "nxt"}, "shift", "did you mean 'next'?"),
        ({"every": 5, "shift": "next"}, "shift", "goes with exclude"),
        ({"timeout": 0}, "timeout", "0 is not a number of seconds above 0"),
        ({"timeout": "5m"}, "timeout", "'5m' is not a number of seconds"),
        ({"timeout": float("inf")}, "timeout", "inf"),
        ({"grace": -1}, "grace", "-1 is not a number of seconds"),
        ({"call": "a:b", "timeout": 5}, "timeout", "set process = true"),
        ({"script": "x.py:f", "timeout": 5}, "timeout", "which cannot be stopped"),
        ({"call": "a:b", "cwd": "/srv"}, "cwd", "set process = true"),
        ({"call": "a:b", "env": {"A": "b"}}, "env", "set process = true"),
        ({"command": "ls", "process": True}, "process", "a process of its own anyhow"),
        ({"cwd": ""}, "cwd", "it is empty"),
        ({"env": {"A": 1}}, "env", '{"A": 1} is not a table of texts'),
        ({"env": {"A=B": "1"}}, "env", "cannot be the name of a variable"),
        ({"tags": "backup"}, "tags", "'backup' is not a list of texts"),
    ],
)
def test_what_is_wrong_is_told_with_field_value_and_mend(
    fields: dict[str, Any], field: str | None, told: str
) -> None:
    error = refused(**fields)
    assert told in str(error)
    assert error.field == field
    assert error.mend or "did you mean" in error.problem or " is not in " in error.problem
    assert str(error).count("\n") == 0


def test_all_that_is_wrong_with_a_job_is_told_at_once() -> None:
    error = refused(crn=1, on=0, timezone="Mars", timeout=-1, roles=["a,b"])
    assert isinstance(error, InvalidDefinitions)
    assert [one.field for one in error.errors] == ["crn", "on", "timeout", "roles", "timezone"]
    assert all(one.job == "nightly" for one in error.errors)
    assert len(str(error).splitlines()) == 5


def test_no_mistake_of_a_schedule_hides_another() -> None:
    wrong = {"cron": "99 3 * * *", "jitter": "x", "start": "soon", "timezone": "Mars/Base"}
    error = refused(**wrong)
    assert isinstance(error, InvalidDefinitions)
    assert sorted(str(one.field) for one in error.errors) == sorted(wrong)
    assert all(one.mend for one in error.errors)
    twice = refused(cron="99 3 * * *", every=5, at={"hour": 99})
    assert isinstance(twice, InvalidDefinitions)
    assert [one.field for one in twice.errors] == ["every", "at", "cron"]


def test_one_error_keeps_its_own_class() -> None:
    assert type(refused(cron="61 * * * *")) is ScheduleError
    assert type(refused(every=-1)) is NextFireTimeError
    assert type(refused(grace=-1)) is DefinitionError


def test_a_field_that_is_there_but_wrong_is_not_missed_as_well() -> None:
    assert refused(command=5).field == "command"
    assert refused(every="x", at={"hour": 1}).field == "every"


def test_an_endless_value_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert "nested deeper than 32 levels" in str(refused(args=endless))


def test_a_value_in_a_message_is_short() -> None:
    assert len(refused(on="x" * 1000).problem) < 120


def test_a_spec_that_is_no_table_is_refused() -> None:
    with pytest.raises(DefinitionError, match="is not a table of fields"):
        Job.from_spec("x", ["command"])  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match=r"job 'x': name: unknown field 'name'.*\[jobs.NAME"):
        Job.from_spec("x", {"command": "true", "name": "y"})
    with pytest.raises(DefinitionError, match="job 'x': 5: unknown field 5"):
        Job.from_spec("x", {"command": "true", 5: 6})  # type: ignore[dict-item]
    for text in ("{", "[]", "NaN", "[" * 100_000):
        with pytest.raises(DefinitionError, match="job 'x'"):
            Job.from_json("x", text)
