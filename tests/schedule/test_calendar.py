"""Calendars: what is read, what is refused, and the sets of days that they are."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jober.errors import DefinitionError
from jober.schedule import Calendar
from jober.schedule.day_set import EPOCH, DaySet, add_up, day_texts, read_days


def calendar(*dates: Any, **rest: Any) -> Calendar:
    return Calendar.from_spec("holidays", {"dates": list(dates), **rest})


def test_a_calendar_has_dates_ranges_and_days_of_each_year() -> None:
    one = calendar("2026-12-25", "2026-12-30..2027-01-02", "05-01", "12-31..01-01", title="T")
    for day in ("2026-12-25", "2026-12-30", "2027-01-02", "2031-05-01", "1999-12-31", "2040-01-01"):
        assert date.fromisoformat(day) in one, day
    for day in ("2027-12-25", "2026-12-29", "2027-01-03", "2031-05-02"):
        assert date.fromisoformat(day) not in one, day
    assert datetime(2026, 12, 25, 23, 59) in one  # noqa: DTZ001
    assert one.title == "T"


def test_the_spec_is_the_same_however_the_days_were_written() -> None:
    one = calendar("2026-12-25..2026-12-26", date(2026, 12, 24), "12-25", "01-06")
    other = calendar("01-06", "12-25", "2026-12-24", "2026-12-24 .. 2026-12-26", "12-25")
    assert one == other and hash(one) == hash(other)
    assert one.spec() == {"dates": ["2026-12-24..2026-12-26", "01-06", "12-25"]}
    assert Calendar.from_spec("holidays", one.spec()) == one
    assert Calendar.from_spec("holidays", one.spec()["dates"]) == one
    assert calendar(title="T").spec() == {"title": "T", "dates": []}


def test_29_february_is_a_day_of_leap_years() -> None:
    one = calendar("02-29")
    assert date(2028, 2, 29) in one
    assert date(2027, 2, 28) not in one and date(2027, 3, 1) not in one


def test_a_missing_calendar_has_no_days_and_says_so() -> None:
    one = Calendar.missing("holidays")
    assert not one.known and calendar().known
    assert one != calendar()
    assert date(2026, 12, 25) not in one


@pytest.mark.parametrize(
    ("spec", "field", "told"),
    [
        (5, "calendars.x", "5 is not a table"),
        ({"dtes": []}, "calendars.x.dtes", "did you mean 'dates'?"),
        ({"file": "a.ics"}, "calendars.x.file", "a file is read where a jobs file names it"),
        ({"dates": "2026-12-25"}, "calendars.x.dates", "is not a list of dates"),
        ({"dates": ["12-25", "2026-02-30"]}, "calendars.x.dates[1]", "'2026-02-30' is not a day"),
        (["02-30"], "calendars.x.dates[0]", "'02-30' is not a day that there is"),
        (["christmas"], "calendars.x.dates[0]", "'christmas' is not a date"),
        (["2026-12-25..12-31"], "calendars.x.dates[0]", "is not a date"),
        (["2026-12-25..2026-12-24"], "calendars.x.dates[0]", "ends before it begins"),
        ([datetime(2026, 1, 1)], "calendars.x.dates[0]", "is not a date"),  # noqa: DTZ001
        ([20261225], "calendars.x.dates[0]", "20261225 is not a date"),
        (["1900-01-01..2026-12-24"], "calendars.x.dates", "at most 20,000"),
        (["01-01..12-31"], "calendars.x.dates", "each day of each year"),
        ({"title": 5, "dates": []}, "calendars.x.title", "5 is not text"),
    ],
)
def test_what_is_wrong_is_told_with_calendar_value_and_mend(
    spec: Any, field: str, told: str
) -> None:
    with pytest.raises(DefinitionError) as error:
        Calendar.from_spec("x", spec)
    assert error.value.field == field
    assert told in str(error.value)
    assert error.value.mend


@pytest.mark.parametrize("name", ["", "sat", "Sunday", "12-25", "a b", "-x", "x" * 101])
def test_a_name_is_none_of_a_date_or_a_day_of_the_week(name: str) -> None:
    with pytest.raises(DefinitionError, match="is not the name of a calendar"):
        Calendar.from_spec(name, [])


DAYS = st.dates(date(2023, 1, 1), date(2026, 12, 31))
TEXTS = st.one_of(
    DAYS.map(date.isoformat),
    st.tuples(DAYS, st.integers(0, 40)).map(lambda p: f"{p[0]}..{p[0] + timedelta(p[1])}"),
    DAYS.map(lambda day: day.isoformat()[5:]),
    st.tuples(DAYS, DAYS).map(lambda p: f"{p[0].isoformat()[5:]}..{p[1].isoformat()[5:]}"),
)


@given(st.lists(TEXTS, max_size=4), st.integers(0, 126), DAYS)
def test_a_set_of_days_finds_what_a_walk_through_the_days_finds(
    texts: list[str], week: int, day: date
) -> None:
    parts = [read_days(text) for text in texts]
    days = add_up([*parts, DaySet(week=week)])
    if days.is_each_day:
        return
    assert add_up(read_days(text) for text in day_texts(days)) == add_up(parts)
    start = day.toordinal() - EPOCH

    def covers(n: int) -> bool:
        bit = week >> date.fromordinal(n + EPOCH).isoweekday() % 7 & 1
        return bool(bit) or any(part.covers(n) for part in parts)

    walk = range(start, start + 12 * 366)
    assert [days.covers(n) for n in walk[:1500]] == [covers(n) for n in walk[:1500]]
    assert days.free_from(start) == next((n for n in walk if not covers(n)), days.free_from(start))
    assert days.covered_from(start) == next((n for n in walk if covers(n)), None)
