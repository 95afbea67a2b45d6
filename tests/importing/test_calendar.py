"""OnCalendar as schedules. What is expected was worked out by hand from systemd.time(7)."""

from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest

from jober.errors import DefinitionError
from jober.importing.calendar import read_calendar
from jober.schedule import parse


def spec(text: str) -> dict[str, Any]:
    """The one schedule of an event that needs no more."""
    (found,) = read_calendar(text).specs
    return found


def fires(text: str, after: str, number: int = 3) -> list[str]:
    specs = [*read_calendar(text).specs]
    schedule = parse({"any_of": specs, "dst_gap": "skip", "dst_repeat": "first"})
    start = datetime.fromisoformat(after).replace(tzinfo=UTC)
    found = schedule.between(start, datetime(2100, 1, 1, tzinfo=UTC))
    return [f"{fire:%a %Y-%m-%d %H:%M:%S}" for fire in islice(found, number)]


@pytest.mark.parametrize(
    ("text", "cron"),
    [
        ("minutely", "* * * * *"),
        ("hourly", "0 * * * *"),
        ("Daily", "0 0 * * *"),
        ("weekly", "0 0 * * 1"),
        ("monthly", "0 0 1 * *"),
        ("quarterly", "0 0 1 */3 *"),
        ("semiannually", "0 0 1 1,7 *"),
        ("yearly", "0 0 1 1 *"),
        ("03:30", "30 3 * * *"),
        ("*-*-* 03:30:15", "15 30 3 * * *"),
        ("Mon..Fri 08:00", "0 8 * * 1-5"),
        ("Mon-Fri,Sun 8:0", "0 8 * * 0-5"),
        ("saturday,Sun *-*-*", "0 0 * * 0,6"),
        ("Mon..Sun 1:0", "0 1 * * *"),
        ("*:0/15", "*/15 * * * *"),
        ("*:5/15", "5-50/15 * * * *"),
        ("*:0/40", "0,40 * * * *"),
        ("*:*:0/10", "*/10 * * * * *"),
        ("8..18/2:00", "0 8-18/2 * * *"),
        ("8..10,12,20..22:00", "0 8-10,12,20-22 * * *"),
        ("0/1:30", "30 * * * *"),
        ("*-*-1,15 1:0", "0 1 1,15 * *"),
        ("*-*-01/10", "0 0 */10 * *"),
        ("*-02-29", "0 0 29 2 *"),
        ("12-24 18:00", "0 18 24 12 *"),
        ("*-*~1", "0 0 L * *"),
        ("*-*~3", "0 0 L-2 * *"),
        ("*-02~1..3", "0 0 L,L-1,L-2 2 *"),
        ("*-*~5/2", "0 0 L,L-2,L-4 * *"),
        ("*-*-* *:*:*", "* * * * * *"),
        ("10:00:00.000", "0 10 * * *"),
        ("Mon,", "0 0 * * 1"),
        ("10..10:5..6/9", "5 10 * * *"),
    ],
)
def test_an_event_is_the_cron_that_says_the_same(text: str, cron: str) -> None:
    assert spec(text) == {"cron": cron}


@pytest.mark.parametrize(
    ("text", "cron", "expected"),
    [
        (
            "Mon *-*-1..7",
            "0 0 * * 1#1",
            ["Mon 2026-12-07 00:00:00", "Mon 2027-01-04 00:00:00", "Mon 2027-02-01 00:00:00"],
        ),
        (
            "Tue,Thu *-*-8..14,22..28",
            "0 0 * * 2#2,2#4,4#2,4#4",
            ["Tue 2026-11-24 00:00:00", "Thu 2026-11-26 00:00:00", "Tue 2026-12-08 00:00:00"],
        ),
        (
            "Fri *-*~7/1 20:00",
            "0 20 * * 5L",
            ["Fri 2026-11-27 20:00:00", "Fri 2026-12-25 20:00:00", "Fri 2027-01-29 20:00:00"],
        ),
        (
            "Fri *-*-1,13",
            "0 0 */31,13 * 5",
            ["Fri 2027-01-01 00:00:00", "Fri 2027-08-13 00:00:00", "Fri 2027-10-01 00:00:00"],
        ),
        (
            "Sun *-*-13",
            "0 0 13 * */7",
            ["Sun 2026-12-13 00:00:00", "Sun 2027-06-13 00:00:00", "Sun 2028-02-13 00:00:00"],
        ),
        (
            "Sat,Sun *-*~1",
            "0 0 L * */7,6",
            ["Sun 2027-01-31 00:00:00", "Sun 2027-02-28 00:00:00", "Sat 2027-07-31 00:00:00"],
        ),
    ],
)
def test_weekday_and_date_both_have_to_match(text: str, cron: str, expected: list[str]) -> None:
    assert spec(text) == {"cron": cron}
    assert fires(text, "2026-11-21") == expected


def test_a_year_is_a_start_and_an_end() -> None:
    assert read_calendar("2026..2027,2030-*-1 5:0").specs == (
        {"cron": "0 5 1 * *", "start": "2026-01-01", "end": "2027-12-31"},
        {"cron": "0 5 1 * *", "start": "2030-01-01", "end": "2030-12-31"},
    )
    assert fires("27-1,12-1", "2026-01-01", 4) == [
        "Fri 2027-01-01 00:00:00",
        "Wed 2027-12-01 00:00:00",
    ]


def test_a_single_moment_is_a_date() -> None:
    assert spec("2026-11-21 03:00") == {"date": "2026-11-21T03:00:00"}
    assert spec("Sat 2026-11-21") == {"date": "2026-11-21T00:00:00"}
    assert spec("@1795222800") == {"date": "2026-11-21T01:00:00+00:00"}


def test_a_zone_may_stand_at_the_end() -> None:
    found = read_calendar("Mon 10:00 Europe/Warsaw")
    assert (found.timezone, found.specs) == ("Europe/Warsaw", ({"cron": "0 10 * * 1"},))
    assert read_calendar("hourly utc").timezone == "UTC"
    assert read_calendar("Mon 10:00").timezone is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        ("Fri..Mon", "'Fri..Mon' are no weekdays"),
        ("Mon ..Fri", "'..Fri' is not a time zone"),
        ("10", "'10' is no date"),
        ("*:*/15", "minute '*/15' is no number"),
        ("*/2:00", "hour '*/2' is no number"),
        ("22..2:00", "hour '22..2' runs nowhere"),
        ("24:00", "hour '24' is not in 0..23"),
        ("*-13-1", "month '13' is not in 1..12"),
        ("*-*-31/5", "day '31/5' never comes to its second value"),
        ("*-*~29", "day '29' is not in 1..28"),
        ("*:*:0/0", "second '0/0' runs nowhere"),
        ("10:10:10.5", "second '10.5' is finer than a second"),
        ("*:*:0/1.5", "second '0/1.5' is finer than a second"),
        ("Wed *-*-10..16", "cron cannot say these weekdays and these days at once"),
        ("2026/2-*-*", "it names 87 separate years"),
        ("Mon 2026-11-21", "2026-11-21 is a Saturday, so it never fires"),
        ("2026-2-30 1:0", "there is no such day"),
        ("10:00 CEST", "'CEST' is not a time zone"),
        ("Mon Tue", "'Tue'"),
        ("*-*-* 1:0 2:0", "'2:0' is too much"),
    ],
)
def test_what_is_wrong_or_cannot_be_said_is_refused(text: str, problem: str) -> None:
    with pytest.raises(DefinitionError) as error:
        read_calendar(text)
    assert problem in str(error.value)


def test_the_clock_changes_as_for_systemd() -> None:
    # systemd skips what does not exist, and runs what is repeated the first time only.
    specs = {"any_of": [*read_calendar("*:0/30").specs], "dst_gap": "skip", "dst_repeat": "first"}
    schedule = parse(specs, "Europe/Warsaw")
    night = schedule.between(
        datetime(2026, 10, 24, 23, tzinfo=UTC), datetime(2026, 10, 25, 3, tzinfo=UTC)
    )
    assert [fire.strftime("%H:%M%z") for fire in night] == [
        "01:30+0200", "02:00+0200", "02:30+0200", "03:00+0100", "03:30+0100", "04:00+0100",
    ]  # fmt: skip
