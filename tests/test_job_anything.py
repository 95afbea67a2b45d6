"""Any job at all: read back as the same, or refused with an error of ours."""

import json
import string
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jober.errors import JoberError
from jober.job import KNOWN_FIELDS, Job, changes

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=3)
    | st.dates()
    | st.datetimes()
    | st.sampled_from(["every", "any", "* * * * *", "UTC", "a:b", "./x.py:f", "hour", "queue"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3)
        | st.sets(st.integers(), max_size=2)
    ),
    max_leaves=8,
)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
WORDS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=6)
LINES = st.text(st.characters(codec="utf-8"), max_size=10)

MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001

GOOD_JOBS = st.builds(
    lambda what, when, rest: {**what, **when, **rest},
    st.one_of(
        st.fixed_dictionaries(
            {"call": st.just("pkg.mod:func")},
            optional={
                "args": st.lists(JSON_VALUES, max_size=3),
                "kwargs": st.dictionaries(WORDS, JSON_VALUES, max_size=3),
            },
        ),
        st.fixed_dictionaries(
            {"command": st.lists(WORDS, min_size=1, max_size=3)},
            optional={
                "timeout": st.integers(1, 100) | st.floats(0.1, 100),
                "cwd": WORDS,
                "env": st.dictionaries(WORDS, WORDS, max_size=2),
                "memory": st.sampled_from(["512M", "1.5G", 1 << 30]),
                "umask": st.sampled_from(["027", "0", "777"]),
                "nice": st.integers(-20, 19),
                "skip_exit_codes": st.lists(st.integers(1, 255), max_size=2),
                "stderr": st.sampled_from(["split", "merge"]),
            },
        ),
    ),
    st.one_of(
        st.just({}),
        st.fixed_dictionaries(
            {"every": st.integers(1, 100_000)},
            optional={
                "exclude": st.lists(st.sampled_from(["sat", "holidays", "12-25", "2026-12-25"])),
                "only_between": st.sampled_from(["08:00-18:00", ["22:00-06:00"]]),
                "max_fires": st.integers(1, 9),
            },
        ),
        st.fixed_dictionaries({"every": st.just([1, "day"]), "at": st.just({"hour": 3})}),
        st.fixed_dictionaries(
            {"cron": st.sampled_from(["0 3 * * *", "@daily", "*/5 * * * * *"])},
            optional={"timezone": st.sampled_from(["Europe/Warsaw", "UTC", "Asia/Kolkata"])},
        ),
        st.fixed_dictionaries({"date": st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1))}),  # noqa: DTZ001
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "roles": st.lists(st.sampled_from(["a", "a+b", "c+!d", "!e"]), max_size=3),
            "on": st.sampled_from(["any", "every"]),
            "concurrency": st.integers(1, 9) | st.none(),
            "overlap": st.sampled_from(["skip", "queue", "queue-one", "cancel-old", "allow"]),
            "catch_up_window": st.integers(1, 1000) | st.floats(0.5, 100),
            "retries": st.integers(0, 100),
            "expires": st.integers(1, 1000) | st.floats(0.5, 100),
            "output": st.sampled_from(["memory", "file", "none"]),
            "title": LINES | st.none(),
            "tags": st.lists(LINES, max_size=3),
            "notes": LINES,
        },
    ),
)


@given(GOOD_JOBS)
def test_a_job_is_read_back_from_its_spec_and_its_json_as_the_same(fields: dict[str, Any]) -> None:
    one = Job.from_spec("x", fields)
    for again in (Job.from_spec("x", one.spec()), Job.from_json("x", one.to_json())):
        assert again == one
        assert again.spec() == one.spec()
        assert again.schedule == one.schedule
        assert changes(one, again) == []
        assert again.payload() == one.payload()
        assert again.options() == one.options()
    assert json.loads(one.to_json().encode()) == one.spec()


@settings(max_examples=400)
@given(
    st.dictionaries(st.sampled_from([*KNOWN_FIELDS, "name", "crn"]), VALUES, max_size=5)
    | st.dictionaries(st.text(max_size=6), VALUES, max_size=3)
)
def test_anything_at_all_is_a_job_or_an_error_of_ours(spec: dict[str, Any]) -> None:
    for fields in (spec, {"command": "true", **spec}):
        try:
            one = Job.from_spec("x", fields)
        except JoberError as error:
            assert str(error)
        else:
            assert Job.from_json("x", one.to_json()) == one
            assert one.description is not None
            assert json.loads(one.payload())


@settings(max_examples=300)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "cron": st.text("0123456789*/-,?L#W @~H", max_size=14),
            "at": st.dictionaries(
                st.sampled_from(["day", "hour", "minute", "second", "x"]), VALUES, max_size=3
            ),
            "every": VALUES | st.tuples(VALUES, st.sampled_from(["hour", "month", "day", "x"])),
            "date": st.text(max_size=12) | MOMENTS.map(str) | MOMENTS.map(datetime.date),
            "any_of": st.lists(VALUES | st.dictionaries(st.sampled_from(["every"]), VALUES)),
            "start": MOMENTS | VALUES,
            "end": MOMENTS | MOMENTS.map(datetime.date),
            "jitter": VALUES,
            "only_between": VALUES | st.text("0123456789:-", max_size=12),
            "exclude": VALUES | st.lists(st.text("0123456789-.satun", max_size=14) | st.dates()),
            "shift": st.sampled_from(["skip", "next", "previous"]),
            "max_fires": VALUES,
            "timezone": st.sampled_from(["Europe/Warsaw", "UTC", "../../etc/passwd", "", "a\0b"])
            | st.text(max_size=10),
        },
    )
)
def test_any_schedule_is_a_schedule_or_an_error_of_ours(fields: dict[str, Any]) -> None:
    try:
        one = Job.from_spec("x", {"command": "true", **fields})
    except JoberError as error:
        assert str(error)
    else:
        assert one.schedule_text
