"""The form of a definition, and what is wrong with one, told at its fields."""

from typing import Any

import pytest

from jober.errors import DefinitionError
from jober.job import Job
from jober_web.pages.views.form import filled, read, wrong_fields

SPECS: list[dict[str, Any]] = [
    {"command": "df -h"},
    {"command": ["df", "-h", "a b"], "cron": "0 3 * * *", "timezone": "Europe/Warsaw"},
    {"command": "echo $HOME", "shell": True, "every": 60},
    {"call": "operator:add", "args": [1, 2], "every": [2, "hour"], "at": {"minute": 5}},
    {"module": "platform", "date": "2027-01-01 12:00", "tags": ["a", "b"], "on": "every"},
    {
        "script": "./x.py:f",
        "kwargs": {"day": 1},
        "roles": ["db", "web+ssd"],
        "on": 3,
        "timeout": 1.5,
        "retries": 2,
        "process": True,
        "concurrency": 4,
        "overlap": "queue",
        "notes": "two\nlines",
        "needs": ["other"],
        "env": {"A": "1"},
        "any_of": [{"cron": "0 3 * * *"}, {"every": 60}],
    },
]


@pytest.mark.parametrize("spec", SPECS)
def test_a_definition_that_goes_through_the_form_comes_out_the_same(spec: dict[str, Any]) -> None:
    job = Job.from_spec("job", spec)
    told = read(filled("job", job.spec()))
    assert told.wrong == {}
    assert Job.from_spec(told.name, told.spec) == job


def test_lines_end_as_they_did_whatever_the_browser_makes_of_them() -> None:
    sent = {"name": "job", "what": "command", "what_value": "true", "notes": "one\r\ntwo\r\n"}
    assert read(sent).spec["notes"] == "one\ntwo"


def _wrong(**fields: str) -> dict[str, str]:
    told = read({"name": "job", "what": "command", "what_value": "true", "when": "hand", **fields})
    if told.wrong:
        return dict(told.wrong)
    try:
        Job.from_spec(told.name, told.spec)
    except DefinitionError as error:
        return wrong_fields(error)
    return {}


def test_what_is_wrong_is_told_at_its_field() -> None:
    assert _wrong() == {}
    assert "61" in _wrong(when="cron", when_value="61 * * * *")["when_value"]
    assert "when_value" in _wrong(when="cron", when_value="")
    assert "when_value" in _wrong(when="every", when_value="soon")
    assert (
        "Europe/Warsaw"
        in _wrong(when="cron", when_value="0 3 * * *", timezone="Europe/Warsw")["timezone"]
    )
    assert set(_wrong(timeout="soon", retries="-1")) == {"timeout", "retries"}
    assert "what_value" in _wrong(what_value="")
    assert "roles" in _wrong(roles="db, ?")


def test_what_has_no_field_of_its_own_is_told_at_the_rest() -> None:
    assert _wrong(more='{"crn": "* * * * *"}')["more"].startswith("crn: unknown field")
    assert _wrong(more='{"grace": -1}')["more"].startswith("grace: ")
    assert "no table" in _wrong(more="[1]")["more"]
    assert "at its character 2" in _wrong(more="{oops}")["more"]
    assert "no JSON" in _wrong(args="[1,")["args"]
    assert "no JSON" in _wrong(what_value='["ls"')["what_value"]
