"""docs/jobs.md tells of every field of a job, with the default that it has, and of no other."""

import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from jober.errors import DefinitionError
from jober.job import KNOWN_FIELDS, Job
from jober.job.fields import JobFields

PAGE = (Path(__file__).parent.parent / "docs" / "jobs.md").read_text("utf-8")


def rows() -> list[tuple[str, str, str]]:
    """Field, default and text of each row of the tables."""
    row = re.compile(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", re.MULTILINE)
    return [(found[1], found[2], found[3]) for found in row.finditer(PAGE)]


def words_of(annotation: Any) -> set[str]:
    """The words that a field may hold, where it holds one of a few."""
    branches = (annotation, *get_args(annotation))
    return {word for one in branches if get_origin(one) is Literal for word in get_args(one)}


def test_every_field_is_on_the_page_once_and_in_the_order_of_the_definition() -> None:
    assert [field for field, _, _ in rows()] == list(KNOWN_FIELDS)


def test_the_defaults_on_the_page_are_those_of_the_fields() -> None:
    for field, default, _ in rows():
        told = JobFields.model_fields[field].description or ""
        assert told.rpartition("Default: ")[2].removesuffix(".") == default, field


def test_the_page_tells_each_word_that_a_field_may_hold() -> None:
    for field, _, text in rows():
        for word in words_of(JobFields.model_fields[field].annotation):
            assert f"`{word}`" in text, f"{field} may be '{word}', and the page does not say so"


def test_the_words_on_cron_are_what_the_schedule_reads() -> None:
    told = PAGE.split("### Cron", 1)[1].split("### Intervals", 1)[0]
    for text, cron in {
        "`H 3 * * *`": "H 3 * * *",
        "`H(0-29)`": "H(0-29) 3 * * *",
        "`H/15`": "H/15 * * * *",
        "`0~29`": "0~29 3 * * *",
        "`L`": "0 3 L * *",
        "`L-2`": "0 3 L-2 * *",
        "`15W`": "0 3 15W * *",
        "`LW`": "0 3 LW * *",
        "`?`": "0 3 ? * ?",
        "`5L`": "0 3 ? * 5L",
        "`2#3`": "0 3 ? * 2#3",
    }.items():
        assert text in told
        assert Job(name="nightly", command="true", cron=cron).schedule


def test_what_the_page_calls_too_much_is_refused_and_the_rest_taken() -> None:
    for field, good, bad in (
        ("every", 0.1, 0.05),
        ("jitter", 86_400, 86_401),
        ("catch_up_limit", 1000, 1001),
        ("grace", 3600, 3601),
    ):
        fields: dict[str, Any] = {"every": 60, field: good}
        Job(name="nightly", command="true", **fields)
        with pytest.raises(DefinitionError):
            Job(name="nightly", command="true", **{**fields, field: bad})
