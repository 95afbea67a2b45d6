"""Jobs that exclude calendars: known, not known, and missing."""

from datetime import UTC, datetime
from typing import Any

import pytest

from jober.errors import DefinitionError, ScheduleError
from jober.job import Job, changes
from jober.schedule import Calendar

HOLIDAYS = {"holidays": Calendar.from_spec("holidays", ["2026-12-25"])}
SPEC: dict[str, Any] = {"command": "true", "cron": "0 3 * * *", "exclude": ["holidays", "sat"]}
EVE = datetime(2026, 12, 24, 12, tzinfo=UTC)


def day_after(job: Job) -> int:
    assert job.schedule is not None
    fire = job.schedule.next_after(EVE)
    assert fire is not None
    return fire.day


def test_a_job_does_not_fire_on_the_days_of_its_calendars() -> None:
    job = Job.from_spec("nightly", SPEC, HOLIDAYS)
    assert job.calendars == ("holidays",)
    assert job.missing_calendars == ()
    assert day_after(job) == 27
    assert day_after(Job.from_json("nightly", job.to_json(), HOLIDAYS)) == 27


def test_a_replaced_job_keeps_its_calendars() -> None:
    job = Job.from_spec("nightly", SPEC, HOLIDAYS).replace(title="T", shift="next")
    assert job.missing_calendars == ()
    assert day_after(job) == 27
    with pytest.raises(ScheduleError, match="did you mean 'holidays'"):
        job.replace(exclude=["holiday"])


def test_a_calendar_that_is_not_among_those_known_is_refused() -> None:
    for calendars in ({}, {"other": HOLIDAYS["holidays"]}):
        with pytest.raises(ScheduleError, match="'holidays' is not a calendar that is known") as e:
            Job.from_spec("nightly", SPEC, calendars)
        assert (e.value.field, e.value.job, e.value.value) == ("exclude", "nightly", "holidays")


def test_a_job_read_where_no_calendars_are_known_tells_which_it_lacks() -> None:
    job = Job.from_json("nightly", Job.from_spec("nightly", SPEC, HOLIDAYS).to_json())
    assert job.calendars == job.missing_calendars == ("holidays",)
    assert "holidays (not known here)" in job.schedule_text
    assert day_after(job) == 25
    assert day_after(job.replace(title="T")) == 25


def test_a_job_can_be_given_its_calendars_later_and_lacks_those_that_are_not_there() -> None:
    job = Job.from_spec("nightly", {**SPEC, "exclude": ["holidays", "freeze"]})
    later = job.with_calendars(HOLIDAYS)
    assert later == job and changes(job, later) == []
    assert (later.calendars, later.missing_calendars) == (("holidays", "freeze"), ("freeze",))
    assert day_after(later) == 26
    assert later.schedule_text.count("not known here") == 1


def test_the_calendars_of_the_parts_of_a_schedule_are_told_too() -> None:
    spec = {"command": "true", "any_of": [{"cron": "@daily", "exclude": ["holidays"]}]}
    assert Job.from_spec("nightly", spec).calendars == ("holidays",)
    with pytest.raises(DefinitionError, match=r"any_of\[0\].exclude: 'holidays' is not a cal"):
        Job.from_spec("nightly", spec, {})


def test_a_field_is_not_taken_for_the_calendars() -> None:
    with pytest.raises(DefinitionError, match="unknown field 'calendars'"):
        Job.from_spec("nightly", {"command": "true", "calendars": {}})


def test_the_limits_are_fields_that_the_spec_holds() -> None:
    limits: dict[str, Any] = {
        "only_between": ["00:00-04:00", "22:00-24:00"],
        "exclude": ["2026-12-24..2027-01-01"],
        "shift": "previous",
        "max_fires": 3,
        "overlap": "cancel-old",
        "catch_up_window": 0.5,
    }
    job = Job.from_spec("nightly", {"command": "true", "cron": "@daily", **limits})
    assert job.spec() == {"command": "true", "cron": "@daily", **limits}
    assert Job(name="a", command="true", overlap="queue-one").overlap == "queue-one"
    assert Job(name="a", command="true", shift="skip", exclude=[]).schedule is None


def test_a_job_counts_its_runs_one_by_one_whatever_the_overlap_unless_it_allows_them() -> None:
    for overlap in ("skip", "queue", "queue-one", "cancel-old"):
        assert Job(name="a", command="true", overlap=overlap).fleet_limit == 1
    assert Job(name="a", command="true", overlap="allow").fleet_limit is None
