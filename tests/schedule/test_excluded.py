"""Hours, excluded days and shifts: the rules one by one, the words, and the errors."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from time import thread_time
from typing import Any

import pytest

from jober.schedule import Calendar, Schedule, ScheduleError, calendar_names, parse

START = datetime(2026, 12, 20, tzinfo=UTC)  # a Sunday
HOLIDAYS = {
    "holidays": Calendar.from_spec("holidays", ["2026-12-25", "2026-12-26", "01-01"]),
    "freeze": Calendar.from_spec("freeze", ["2026-12-24..2027-01-03"]),
}
WEEKEND = ["sat", "sun"]


def read(zone: str = "UTC", name: str = "", **spec: Any) -> Schedule:
    return parse(spec, zone, name=name, calendars=HOLIDAYS)


def stamps(schedule: Schedule, days: float = 14, start: datetime = START) -> list[str]:
    fires = schedule.between(start, start + timedelta(days=days), start)
    return [f"{fire:%m-%d %H:%M}" for fire in fires]


def test_a_fire_on_an_excluded_day_is_skipped() -> None:
    daily = read(cron="0 3 * * *", exclude=["holidays", *WEEKEND])
    assert stamps(daily) == [
        *("12-21 03:00", "12-22 03:00", "12-23 03:00", "12-24 03:00"),
        *("12-28 03:00", "12-29 03:00", "12-30 03:00", "12-31 03:00"),
    ]


def test_several_excluded_days_move_to_one_day_as_one_fire() -> None:
    monthly = read(cron="0 3 25-26 12 *", exclude=["holidays", *WEEKEND], shift="next")
    assert stamps(monthly) == ["12-28 03:00"]
    (fire,) = monthly.between(START, START + timedelta(days=14))
    assert monthly.notes(fire) == (
        "shifted from 2026-12-25 (holidays) and 2026-12-26 (holidays, sat)",
    )
    before = read(cron="0 3 25-26 12 *", exclude=["holidays"], shift="previous")
    assert stamps(before) == ["12-24 03:00"]


def test_a_moved_fire_and_one_that_is_due_there_anyhow_are_one() -> None:
    daily = read(cron="0 3 * * *", exclude=["freeze"], shift="next")
    found = stamps(daily, 16)
    assert found == [*(f"12-2{n} 03:00" for n in range(4)), "01-04 03:00"]
    two = read(
        any_of=[{"cron": "0 3 24 12 *"}, {"cron": "0 4 4 1 *"}], exclude=["freeze"], shift="next"
    )
    assert stamps(two, 16) == ["01-04 03:00", "01-04 04:00"]


def test_inline_dates_ranges_and_days_of_each_year_are_excluded() -> None:
    daily = read(cron="0 3 * * *", exclude=["12-21", "2026-12-23..2026-12-31", "2027-01-02"])
    assert stamps(daily) == ["12-20 03:00", "12-22 03:00", "01-01 03:00"]


def test_the_day_is_that_of_the_fire_s_own_zone() -> None:
    late = read("America/New_York", cron="0 22 * * *", exclude=["2026-12-25"])
    assert "12-25 22:00" not in stamps(late)
    assert late.next_after(datetime(2026, 12, 25, 12, tzinfo=UTC)) == datetime(
        2026, 12, 27, 3, tzinfo=UTC
    )


def test_only_between_leaves_the_hours_without_their_end() -> None:
    hourly = read(cron="0 * * * *", only_between="08:00-10:00")
    assert stamps(hourly, 1) == ["12-20 08:00", "12-20 09:00"]
    night = read(cron="0 */3 * * *", only_between="22:00-06:00")
    assert stamps(night, 1) == ["12-20 03:00", "12-21 00:00"]
    both = read(cron="30 * * * *", only_between=["08:00-09:00", "12:30-12:31", "23:00-24:00"])
    assert stamps(both, 1) == ["12-20 08:30", "12-20 12:30", "12-20 23:30"]


def test_after_midnight_the_day_counts_and_not_the_evening() -> None:
    night = read(cron="0 1,23 * * *", only_between="22:00-06:00", exclude=["fri"])
    assert [at for at in stamps(night, 7) if "12-24" <= at < "12-27"] == [
        *("12-24 01:00", "12-24 23:00", "12-26 01:00", "12-26 23:00"),
    ]


def test_a_fire_outside_the_hours_is_not_moved_and_a_moved_one_stays_in_them() -> None:
    hourly = read(
        cron="0 */6 * * *", only_between="05:00-13:00", exclude=["2026-12-21"], shift="next"
    )
    assert stamps(hourly, 3) == ["12-20 06:00", "12-20 12:00", "12-22 06:00", "12-22 12:00"]
    # 02:30 becomes 03:00 on the Sunday that has no 02:30: out of the hours.
    spring = read(
        "Europe/Warsaw",
        cron="30 2 27 3 *",
        only_between="02:00-03:00",
        exclude=["sat"],
        shift="next",
        start="2027-03-01",
        end="2027-04-01",
    )
    assert stamps(spring, 200) == []
    march = datetime(2027, 3, 1, tzinfo=UTC)
    (told,) = spring.excluded_between(march, march + timedelta(days=31))
    assert told.moved_to is None and told.reason == "sat; no 02:30 to move to on 2027-03-28"


def test_a_moved_fire_is_read_under_the_choices_of_its_schedule() -> None:
    spec: dict[str, Any] = {
        "cron": "30 2 27 3 *",
        "exclude": ["sat"],
        "shift": "next",
        "end": "2027-12-31",
    }
    assert stamps(read("Europe/Warsaw", **spec), 300) == ["03-28 03:00"]
    assert stamps(read("Europe/Warsaw", **spec, dst_gap="skip"), 300) == []
    fire = read("Europe/Warsaw", **spec).next_after(START)
    assert fire is not None
    assert read("Europe/Warsaw", **spec).notes(fire) == ("shifted from 2027-03-27 02:30 (sat)",)


@pytest.mark.parametrize(
    ("repeat", "hours"), [("first", [0]), ("last", [1]), ("both", [0, 1]), (None, [0])]
)
def test_a_fire_moved_to_a_time_that_occurs_twice_follows_the_choice(
    repeat: str | None, hours: list[int]
) -> None:
    spec = {"cron": "30 2 24 10 *", "exclude": ["sat"], "shift": "next", "dst_repeat": repeat}
    schedule = parse(spec, "Europe/Warsaw")
    october = datetime(2026, 10, 1, tzinfo=UTC)
    fires = schedule.between(october, october + timedelta(days=31))
    assert [fire.astimezone(UTC) for fire in fires] == [
        datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in hours
    ]


def test_a_day_that_the_zone_leaves_out_is_passed_over() -> None:
    for shift, day, found in (("next", "29", "12-31 12:00"), ("previous", "31", "12-29 12:00")):
        schedule = read(
            "Pacific/Apia", cron=f"0 12 {day} 12 *", exclude=[f"2011-12-{day}"], shift=shift
        )
        assert stamps(schedule, 12, datetime(2011, 12, 25, tzinfo=UTC)) == [found]


def test_hours_that_the_clock_shows_again_before_midnight_are_hours_again() -> None:
    spec = {"cron": "30,50 23 * * *", "dst_repeat": "both", "only_between": "23:15-23:45"}
    schedule = parse(spec, "America/Sao_Paulo")
    night = datetime(2018, 2, 17, 12, tzinfo=UTC)
    assert stamps(schedule, 1, night) == ["02-17 23:30", "02-17 23:30"]


def test_a_fire_is_moved_by_a_year_at_most() -> None:
    once = read(date="2026-12-25", exclude=["2026-01-01..2027-12-24"], shift="next")
    assert once.next_after(START) == datetime(2027, 12, 25, tzinfo=UTC)
    gone = read(date="2026-12-25", exclude=["2026-01-01..2027-12-26"], shift="next")
    assert gone.next_after(START) is None
    (told,) = gone.excluded_between(START, START + timedelta(days=9))
    assert told.reason.endswith("; no day is free within 366 days")
    back = read(date="2026-12-25", exclude=["2025-12-25..2027-01-01"], shift="previous")
    assert back.next_after(datetime(2020, 1, 1, tzinfo=UTC)) == datetime(2025, 12, 24, tzinfo=UTC)


def test_start_and_end_hold_before_and_after_moving() -> None:
    spec: dict[str, Any] = {"cron": "0 3 * * *", "exclude": ["freeze"]}
    assert stamps(read(**spec, shift="next", start="2026-12-30", end="2027-01-03"), 30) == []
    assert stamps(read(**spec, shift="previous", start="2026-12-24", end="2027-01-03"), 30) == []
    late = read(**spec, shift="next", start="2026-12-30", end="2027-01-05")
    assert stamps(late, 30) == ["01-04 03:00", "01-05 03:00"]
    told = read(**spec, shift="next", end="2026-12-30").excluded_between(
        START, START + timedelta(days=30)
    )
    assert {one.reason for one in told} == {"freeze; after end"}


def test_an_interval_counts_on_through_excluded_days() -> None:
    spec: dict[str, Any] = {"every": [7, "hour"], "start": "2026-12-20T00:00Z"}
    alone = stamps(read(**spec), 10)
    left = stamps(read(**spec, exclude=["holidays", "wed"]), 10)
    assert left == [at for at in alone if at[:5] not in ("12-23", "12-25", "12-26", "12-30")]


def test_an_interval_without_an_anchor_has_no_fire_to_move_from_before_the_moment() -> None:
    schedule = read(every=[6, "hour"], exclude=["2026-12-24"], shift="next")
    moment = datetime(2026, 12, 24, 13, tzinfo=UTC)
    assert schedule.next_after(moment) == datetime(2026, 12, 25, 1, tzinfo=UTC)
    anchored = schedule.next_after(moment, moment - timedelta(hours=12))
    assert anchored == datetime(2026, 12, 25, 1, tzinfo=UTC)
    early = schedule.next_after(moment, moment - timedelta(hours=11))
    assert early == datetime(2026, 12, 25, 2, tzinfo=UTC)


def test_jitter_leaves_neither_the_hours_nor_the_day() -> None:
    strayed: set[str] = set()
    for n in range(20):
        days = read(name=f"j{n}", cron="59 23 * * *", jitter=7200, exclude=["mon"])
        found = stamps(days, 7)
        assert not any(at.startswith("12-21") for at in found)
        assert [at for at in found if at.startswith("12-20")][-1] == "12-20 23:59"
        strayed.update(at[:5] for at in found if at[6:] < "02:00")
        hours = read(name=f"j{n}", cron="50 9 * * *", jitter=3600, only_between="08:00-10:00")
        assert len(stamps(hours, 5)) == 5
        assert all("09:50" <= at[6:] < "10:00" for at in stamps(hours, 5))
    assert strayed >= {"12-23", "12-24", "12-25"}  # over midnight into a free day it may


def test_parts_of_a_union_have_their_own_limits() -> None:
    schedule = read(
        any_of=[
            {"cron": "0 3 * * *", "exclude": WEEKEND},
            {"cron": "0 4 * * *", "only_between": "05:00-06:00"},
            {"cron": "0 5 * * *", "exclude": ["holidays"], "shift": "next"},
        ],
        exclude=["2026-12-22", "2026-12-23"],
    )
    assert stamps(schedule, 8.5) == [
        *("12-20 05:00", "12-21 03:00", "12-21 05:00", "12-24 03:00", "12-24 05:00"),
        *("12-25 03:00", "12-27 05:00", "12-28 03:00", "12-28 05:00"),
    ]
    told = schedule.excluded_between(START, START + timedelta(days=2))
    assert [f"{one.at:%m-%d %H:%M} {one}" for one in told] == [
        "12-20 03:00 not made: sun",
        "12-20 04:00 not made: not in 05:00-06:00",
        "12-21 04:00 not made: not in 05:00-06:00",
    ]


def test_the_calendars_of_a_definition_are_told_each_once() -> None:
    spec = {"any_of": [{"exclude": ["a", "sat"]}, {"exclude": ["b"]}], "exclude": ["b", "12-25"]}
    assert calendar_names(spec) == ("b", "a")


def test_the_words_tell_of_hours_days_and_shift() -> None:
    daily = read(cron="0 3 * * *", exclude=["holidays", "Sat"], only_between="02:00-04:00")
    assert daily.describe() == ("every day at 03:00, only 02:00-04:00, not on holidays, sat (UTC)")
    moved = read(every=3600, exclude=["12-25"], shift="next").describe()
    assert moved == "every hour, not on exclude 12-25, but on the next day that is free (UTC)"
    gone = parse({"every": 60, "exclude": ["x"]}, calendars={"x": Calendar.missing("x")})
    assert gone.describe() == "every minute, not on x (not known here) (UTC)"


def test_why_a_fire_is_not_made_is_told() -> None:
    moved = read(
        cron="0 3 * * *", exclude=["holidays", "sat"], shift="next", only_between="00:00-09:00"
    )
    christmas = datetime(2026, 12, 25, 3, tzinfo=UTC)
    assert moved.why_not(christmas) == "shifted to 2026-12-27 03:00 (holidays)"
    assert moved.why_not(christmas + timedelta(days=2)) is None
    assert moved.why_not(christmas + timedelta(hours=1)) is None
    hourly = read(cron="0 * * * *", only_between="08:00-18:00")
    assert hourly.why_not(christmas) == "not made: not in 08:00-18:00"
    many = read(cron="* * * * *", exclude=["freeze"])
    told = many.excluded_between(START, START + timedelta(days=30), limit=10)
    assert [f"{one.at:%m-%d %H:%M}" for one in told][::9] == ["12-24 00:00", "12-24 00:09"]


@pytest.mark.parametrize(
    ("spec", "field", "told"),
    [
        ({"exclude": "sat"}, "exclude", "'sat' is not a list of days"),
        ({"exclude": [5]}, "exclude", "5 is not a day"),
        ({"exclude": ["2026-02-30"]}, "exclude", "'2026-02-30' is not a day that there is"),
        ({"exclude": ["holidys"]}, "exclude", "did you mean 'holidays'?"),
        ({"exclude": ["satt"]}, "exclude", "did you mean 'sat'?"),
        ({"exclude": ["x y"]}, "exclude", "'x y' is not a calendar that is known"),
        ({"exclude": "sun mon tue wed thu fri sat".split()}, "exclude", "every day is excluded"),
        ({"exclude": ["01-01..12-31"]}, "exclude", "every day is excluded"),
        ({"exclude": ["holidays", "01-02..12-31"]}, "exclude", "every day is excluded"),
        ({"exclude": ["1900-01-01..2100-01-01"]}, "exclude", "more than 20,000 days"),
        ({"exclude": ["sat"] * 1001}, "exclude", "it has 1001 items"),
        ({"shift": "next"}, "shift", "goes with exclude"),
        ({"exclude": ["sat"], "shift": "nxt"}, "shift", "did you mean 'next'?"),
        ({"only_between": "8-18"}, "only_between", "'8-18' is not a pair of times"),
        ({"only_between": "08:00-24:01"}, "only_between", "holds a time that no clock shows"),
        ({"only_between": "08:60-18:00"}, "only_between", "holds a time that no clock shows"),
        ({"only_between": "08:00-08:00"}, "only_between", "is empty"),
        ({"only_between": []}, "only_between", "leaves no hours at all"),
        ({"only_between": 5}, "only_between", "5 is not a pair of times"),
    ],
)
def test_a_wrong_limit_is_refused_with_the_mend(
    spec: dict[str, Any], field: str, told: str
) -> None:
    with pytest.raises(ScheduleError) as error:
        read(cron="0 3 * * *", **spec)
    assert error.value.field == field
    assert told in str(error.value)
    assert error.value.mend


@pytest.mark.parametrize(
    "spec",
    [
        {"cron": "0 3 * * *", "only_between": "08:00-18:00"},
        {"cron": "0 3 25 12 *", "exclude": ["12-25"]},
        {"cron": "* * * * *", "only_between": "03:00-04:00", "end": "2026-12-20T02:00"},
        {"every": [1, "day"], "at": {"hour": 3}, "only_between": "08:00-18:00"},
        {"cron": "* * * * * *", "exclude": ["2026-12-01..2060-01-01"], "end": "2059-12-31"},
        {"date": "2026-12-25", "exclude": ["holidays"]},
    ],
)
@pytest.mark.parametrize("shift", ["skip", "next", "previous"])
def test_what_never_fires_is_told_soon(spec: dict[str, Any], shift: str) -> None:
    schedule = read(**{"exclude": ["02-28"], **spec, "shift": shift})
    # Of our own time: the machine may have much else to do.
    begin = thread_time()
    fires = list(islice(schedule.between(START, START + timedelta(days=9000), START), 40))
    assert thread_time() - begin < 5
    if shift == "skip":
        assert fires == []


def test_schedules_with_limits_are_equal_by_value_and_hashable() -> None:
    spec: dict[str, Any] = {
        "cron": "0 3 * * *",
        "exclude": ["holidays"],
        "only_between": "01:00-04:00",
    }
    assert read(**spec) == read(**spec)
    assert len({read(**spec), read(**spec), read(**spec, shift="next")}) == 2
    other = {"holidays": Calendar.from_spec("holidays", ["12-24"])}
    assert parse(spec, calendars=other) != read(**spec)
