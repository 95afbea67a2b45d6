"""Cron expressions: what is read, what is refused, and what a changing clock does to them."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from jober.schedule import Schedule, ScheduleError, parse


def cron(text: str, timezone: str = "UTC", *, name: str = "", **options: Any) -> Schedule:
    return parse({"cron": text, **options}, timezone, name=name)


def fires(schedule: Schedule, after: str, count: int) -> list[str]:
    """The next fires as the wall shows them, with the offset."""
    start = datetime.fromisoformat(after).replace(tzinfo=UTC)
    found = islice(schedule.between(start, start + timedelta(days=4000)), count)
    return [fire.strftime("%Y-%m-%d %H:%M:%S%z") for fire in found]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("61 * * * *", "cron: minute 61 is not in 0-59"),
        ("0 24 * * *", "cron: hour 24 is not in 0-23"),
        ("60 0 0 * * *", "cron: second 60 is not in 0-59"),
        ("0 0 0 * *", "cron: day of month 0 is not in 1-31"),
        ("0 0 * 13 *", "cron: month 13 is not in 1-12"),
        ("0 0 * * 8", "cron: day of week 8 is not in 0-7"),
        ("0 0 * * monday", "did you mean 'mon'?"),
        ("0 0 * * 2#6", "write 2#3: the third Tuesday"),
        ("0 0 * * L", "write 5L: the last Friday"),
        ("22-2 * * * *", "minute range 22-2 runs backwards (write 22-59,0-2"),
        ("0 0 * * 5-1", "day of week range 5-1 runs backwards (write 5-6,0-1"),
        ("*/0 * * * *", "minute step '0' is not a positive number"),
        ("1,,2 * * * *", "minute has an empty place"),
        ("-1 * * * *", "minute '-1' is not a number (0-59)"),
        ("x * * * *", "minute 'x' is not a number (0-59)"),
        ("? * * * *", "minute '?' is not a number (0-59)"),
        ("H(5 * * * *", "minute 'H(5' is not a spread"),
        ("9~3 * * * *", "minute range 9-3 runs backwards"),
        ("* * * *", "has 4 fields (write five"),
        ("", "has 0 fields"),
        ("@reboot", "'@reboot' is no alias"),
        ("@dayly", "did you mean '@daily'?"),
        ("0 0 31 2 *", "can never fire: no such day is in month 2"),
        ("0 0 31 4,6,9,11 *", "can never fire"),
        ("0 0 30W 2 *", "can never fire"),
        ("0 0 L * */7#9", "day of week"),
        ("٣ * * * *", "minute '٣' is not a number"),
        ("5" * 5000 + " * * * *", "it is 5,008 characters long"),
    ],
)
def test_a_wrong_expression_is_refused_with_field_value_and_mend(text: str, message: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        cron(text)
    assert message in str(caught.value)
    assert caught.value.field == "cron"
    assert caught.value.value == text
    assert caught.value.mend


def test_what_is_not_text_is_refused() -> None:
    with pytest.raises(ScheduleError, match="cron: 5 is not text"):
        parse({"cron": 5})


def test_a_range_of_one_is_one_minute_and_steps_begin_at_their_start() -> None:
    assert fires(cron("53-53 * * * *"), "2026-01-01T00:00", 2) == [
        "2026-01-01 00:53:00+0000",
        "2026-01-01 01:53:00+0000",
    ]
    assert [fire[14:16] for fire in fires(cron("5/25 * * * *"), "2026-01-01", 4)] == [
        "05",
        "30",
        "55",
        "05",
    ]


def test_seven_is_sunday_everywhere() -> None:
    for text in ("0 0 * * 7", "0 0 * * SUN", "0 0 * * 0", "0 0 * * 7-7", "0 0 * * sun-sun"):
        assert fires(cron(text), "2026-01-01", 2) == [
            "2026-01-04 00:00:00+0000",
            "2026-01-11 00:00:00+0000",
        ]
    assert fires(cron("0 0 * * sat-sun"), "2026-01-01", 2) == fires(
        cron("0 0 * * 6,0"), "2026-01-01", 2
    )


def test_days_must_both_match_only_if_one_begins_with_a_star() -> None:
    assert fires(cron("0 0 */2 * MON"), "2026-01-01", 2) == [
        "2026-01-05 00:00:00+0000",
        "2026-01-19 00:00:00+0000",
    ]
    assert fires(cron("0 0 1-31/2 * MON"), "2026-01-01", 2) == [
        "2026-01-03 00:00:00+0000",
        "2026-01-05 00:00:00+0000",
    ]
    assert fires(cron("0 0 ? * MON"), "2026-01-01", 1) == ["2026-01-05 00:00:00+0000"]


@pytest.mark.parametrize(
    ("day", "weekday", "first"),
    [
        ("L", "*", "2026-02-28"),
        ("L-2", "*", "2026-02-26"),
        ("LW", "*", "2026-02-27"),
        ("15W", "*", "2026-02-16"),
        ("W14", "*", "2026-02-13"),
        ("1W", "*", "2026-02-02"),
        ("27-L", "*", "2026-02-27"),
        ("*", "5L", "2026-02-27"),
        ("*", "L5", "2026-02-27"),
        ("*", "friL", "2026-02-27"),
        ("*", "2#3", "2026-02-17"),
        ("*", "TUE#3", "2026-02-17"),
        ("*", "0#5", "2026-03-29"),
        ("*", "2#3,4", "2026-02-05"),
    ],
)
def test_days_told_by_their_place_in_the_month(day: str, weekday: str, first: str) -> None:
    assert fires(cron(f"0 0 {day} * {weekday}"), "2026-01-31T12:00", 1) == [
        f"{first} 00:00:00+0000"
    ]


def test_h_spreads_by_name_and_stays() -> None:
    one, same, other = (cron("H H(0-3) * * *", name=name) for name in ("a", "a", "b"))
    assert one == same and hash(one) == hash(same) and one != other
    minutes = {cron("H * * * *", name=f"job{n}").describe() for n in range(500)}
    assert len(minutes) == 60
    hours = {fires(cron("0 H(0-3) * * *", name=f"job{n}"), "2026-01-01", 1)[0] for n in range(99)}
    assert {hour[11:13] for hour in hours} <= {"00", "01", "02", "03"}


def test_h_and_tilde_with_a_step_begin_within_the_first_step() -> None:
    for text in ("H/15 * * * *", "~/15 * * * *", "0~59/15 * * * *"):
        for n in range(40):
            minutes = [
                int(fire[14:16]) for fire in fires(cron(text, name=f"j{n}"), "2026-01-01", 4)
            ]
            assert sorted(minutes) == [min(minutes) + 15 * k for k in range(4)]


def test_a_tilde_takes_one_value_of_its_range() -> None:
    found = {fires(cron("10~12 0 * * *", name=f"j{n}"), "2026-01-01", 1)[0] for n in range(60)}
    assert {fire[14:16] for fire in found} == {"10", "11", "12"}


def test_h_as_a_day_is_in_every_month() -> None:
    for n in range(60):
        assert len(fires(cron("0 0 H * *", name=f"j{n}"), "2026-01-01", 12)) == 12


WARSAW_GAP, WARSAW_REPEAT = "2027-03-27T12:00", "2026-10-24T12:00"


def test_a_fixed_job_in_a_gap_fires_at_the_first_instant_after_it_or_is_skipped() -> None:
    assert fires(cron("30 2 * * *", "Europe/Warsaw"), WARSAW_GAP, 1) == ["2027-03-28 03:00:00+0200"]
    skipping = cron("30 2 * * *", "Europe/Warsaw", dst_gap="skip")
    assert fires(skipping, WARSAW_GAP, 1) == ["2027-03-29 02:30:00+0200"]


def test_a_wildcard_job_can_be_made_to_fire_after_a_gap() -> None:
    assert fires(cron("*/30 2 * * *", "Europe/Warsaw"), WARSAW_GAP, 1) == [
        "2027-03-29 02:00:00+0200"
    ]
    moved = cron("*/30 2 * * *", "Europe/Warsaw", dst_gap="after")
    assert fires(moved, WARSAW_GAP, 2) == ["2027-03-28 03:00:00+0200", "2027-03-29 02:00:00+0200"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ["2026-10-25 02:30:00+0200", "2026-10-26 02:30:00+0100"]),
        ("first", ["2026-10-25 02:30:00+0200", "2026-10-26 02:30:00+0100"]),
        ("last", ["2026-10-25 02:30:00+0100", "2026-10-26 02:30:00+0100"]),
        ("both", ["2026-10-25 02:30:00+0200", "2026-10-25 02:30:00+0100"]),
    ],
)
def test_a_job_chooses_its_pass_of_a_repeated_hour(choice: str | None, expected: list[str]) -> None:
    schedule = cron("30 2 * * *", "Europe/Warsaw", dst_repeat=choice)
    assert fires(schedule, WARSAW_REPEAT, 2) == expected


def test_a_wildcard_job_can_be_held_to_one_pass() -> None:
    once = cron("*/30 2 * * *", "Europe/Warsaw", dst_repeat="first")
    assert [fire[-5:] for fire in fires(once, WARSAW_REPEAT, 3)] == ["+0200", "+0200", "+0100"]


def test_a_skipped_day_fires_once_at_its_end() -> None:
    # Samoa left out 30 December 2011.
    assert fires(cron("0 12 30 12 *", "Pacific/Apia"), "2011-12-01", 1) == [
        "2011-12-31 00:00:00+1400"
    ]


def test_notes_tell_what_the_clock_did() -> None:
    schedule = cron("30 2 * * *", "Europe/Warsaw")
    moment = datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert schedule.notes(moment) == ("02:30 does not exist on 2027-03-28: runs at 03:00",)
    assert schedule.notes(moment + timedelta(hours=23, minutes=30)) == ()
    repeated = cron("30 2 * * *", "Europe/Warsaw", dst_repeat="both")
    first, second = islice(
        repeated.between(
            datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC)
        ),
        2,
    )
    assert repeated.notes(first) == ("02:30 occurs twice on 2026-10-25: the first",)
    assert repeated.notes(second) == ("02:30 occurs twice on 2026-10-25: the second",)


def test_beyond_the_tables_the_rule_of_the_zone_goes_on() -> None:
    schedule = cron("30 2 * * *", "Europe/Warsaw")
    # The last Sunday of March is the 28th in 2060 and, 400 years on, in 2460 and 9260 too.
    for year in (2060, 2460, 9260):
        assert fires(schedule, f"{year}-03-27T12:00", 2) == [
            f"{year}-03-28 03:00:00+0200",
            f"{year}-03-29 02:30:00+0200",
        ]


def test_the_end_of_time_is_an_end() -> None:
    schedule = cron("0 0 29 2 *", "America/New_York")
    assert schedule.next_after(datetime(9999, 3, 1, tzinfo=UTC)) is None
    assert cron("* * * * *").next_after(datetime(9999, 12, 31, tzinfo=UTC)) is None
    assert cron("* * * * *").next_after(datetime(1, 1, 1, tzinfo=UTC)) is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("*/7 0 * * *", "cron */7 0 * * *"),
        ("@hourly", "every hour"),
        ("5 * * * *", "every hour at minute 5"),
        ("0 */6 * * *", "every day at 00:00, 06:00, 12:00 and 18:00"),
        ("0 3 * * 1-5", "every weekday at 03:00"),
        ("0 3 * * 7,6", "every Saturday and Sunday at 03:00"),
        ("* 9 * * 1", "every minute from 09:00 to 09:59, on Mondays"),
        ("*/15 9-17 * * 1-5", "every 15 minutes from 09:00 to 17:45, Monday to Friday"),
        ("0 3 * 1,7 *", "every day at 03:00, in January and July"),
        ("0 0 1,15 * *", "on the 1st and 15th of every month at 00:00"),
        ("0 0 31 * *", "on the 31st of each month that has one at 00:00"),
        ("0 0 1,31 * *", "cron 0 0 1,31 * *"),
        ("0 0 29 2 *", "every year on 29 February, in leap years, at 00:00"),
        ("0 0 L * *", "on the last day of every month at 00:00"),
        ("0 9 * * 2#3", "on the third Tuesday of every month at 09:00"),
        ("0 9 * * 3#5,4", "cron 0 9 * * 3#5,4"),
        ("0 0 13 * FRI", "cron 0 0 13 * FRI"),
        ("*/10 * * * * *", "every 10 seconds"),
        ("30 0 3 * * *", "every day at 03:00:30"),
    ],
)
def test_words_are_right_or_else_the_expression(text: str, words: str) -> None:
    assert cron(text, "Europe/Warsaw").describe() == f"{words} (Europe/Warsaw)"
