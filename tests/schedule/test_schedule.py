"""What all schedules share: moments, ranges, bounds, jitter, unions, and the errors of a spec."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytz

from jober.schedule import Schedule, ScheduleError, parse

START = datetime(2026, 1, 1, tzinfo=UTC)


def all_fires(schedule: Schedule, days: float = 2, start: datetime = START) -> list[datetime]:
    return list(schedule.between(start, start + timedelta(days=days), start))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "schedule: does not say when (write exactly one of cron, every, date, any_of)"),
        ({"cron": "@daily", "every": 5}, "schedule: holds cron and every"),
        ({"corn": "@daily"}, "'corn' is not known in a schedule, did you mean 'cron'?"),
        ({"cron": "@daily", "jiter": 5}, "did you mean 'jitter'?"),
        ({"cron": "@daily", "at": {"hour": 1}}, "at: goes with every, not with cron"),
        ({"cron": "@daily", "dst_gap": "skipp"}, "'skipp' is no choice, did you mean 'skip'?"),
        ({"cron": "@daily", "dst_repeat": 2}, "dst_repeat: 2 is no choice (one of first"),
        ({"cron": "@daily", "jitter": -1}, "jitter: -1 is not in 0-86400"),
        ({"cron": "@daily", "jitter": "5"}, "jitter: '5' is not a number of seconds"),
        ({"cron": "@daily", "start": "soon"}, "start: 'soon' is not a moment"),
        ({"cron": "@daily", "start": "2026-02-01", "end": "2026-01-01"}, "end: lies before start"),
        ({"date": 5}, "date: 5 is not a moment"),
        ({"any_of": []}, "any_of: [] is not a list of schedules"),
        ({"any_of": [{"cron": "@daily"}, {"cron": "61 * * * *"}]}, "any_of[1].cron: minute 61"),
    ],
)
def test_a_wrong_definition_is_refused_with_the_mend(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse(spec)
    assert message in str(caught.value)


def test_an_unknown_zone_is_refused_with_the_nearest() -> None:
    with pytest.raises(ScheduleError, match="did you mean 'Europe/Warsaw'") as caught:
        parse({"cron": "@daily"}, "Europe/Warsav")
    assert caught.value.field == "timezone"


def test_the_zone_is_utc_if_none_is_named() -> None:
    assert parse({"cron": "@daily"}).timezone == "UTC"


def test_naive_moments_are_refused() -> None:
    schedule = parse({"cron": "@daily"})
    with pytest.raises(ValueError, match="must be aware"):
        schedule.next_after(datetime(2026, 1, 1))  # noqa: DTZ001


def test_fires_carry_the_zone_as_pytz_gives_it() -> None:
    zone = pytz.timezone("Europe/Warsaw")
    for fire in all_fires(parse({"cron": "0 12 1 * *"}, "Europe/Warsaw"), days=800):
        assert fire == zone.normalize(fire) and fire.utcoffset() == zone.normalize(fire).utcoffset()
        assert (fire.hour, fire.tzname()) in {(12, "CET"), (12, "CEST")}


def test_schedules_are_equal_by_value_and_hashable() -> None:
    specs: list[dict[str, Any]] = [
        {"cron": "0 3 * * *"},
        {"every": 60},
        {"every": [1, "day"], "at": {"hour": 3}},
        {"date": "2026-05-05"},
        {"any_of": [{"every": 60}]},
        {"cron": "0 3 * * *", "jitter": 5, "start": "2026-01-01"},
    ]
    schedules = {parse(spec) for spec in specs} | {parse(spec) for spec in specs}
    assert len(schedules) == len(specs)
    with pytest.raises(AttributeError):
        parse(specs[0]).zone = None  # type: ignore[misc, assignment]


def test_bounds_hold_at_both_ends() -> None:
    spec = {"cron": "0 * * * *", "start": "2026-01-01T03:00Z", "end": "2026-01-01T05:00Z"}
    assert [fire.hour for fire in all_fires(parse(spec))] == [3, 4, 5]
    assert parse(spec).last_between(START, START + timedelta(days=9)) == START.replace(hour=5)
    assert parse(spec).count_between(START, START + timedelta(days=9)) == 3
    assert parse(spec).describe() == (
        "every hour, from 2026-01-01 03:00, until 2026-01-01 05:00 (UTC)"
    )


def test_a_bound_without_offset_is_in_the_zone_and_a_plain_end_is_the_whole_day() -> None:
    spec = {"cron": "0 * * * *", "start": "2026-01-01 03:00", "end": date(2026, 1, 1)}
    fires = all_fires(parse(spec, "Europe/Warsaw"))
    assert (fires[0].hour, fires[-1].hour) == (3, 23)


def test_an_interval_begins_at_its_start() -> None:
    schedule = parse({"every": [2, "hour"], "start": "2026-01-01T00:30Z"})
    late = datetime(2026, 1, 1, 9, 59, tzinfo=UTC)
    assert [fire.strftime("%H:%M") for fire in all_fires(schedule, days=0.2)] == [
        "00:30",
        "02:30",
        "04:30",
    ]
    assert schedule.next_after(late) == datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
    assert schedule.next_after(late, late) == datetime(2026, 1, 1, 10, 30, tzinfo=UTC)


def test_a_date_fires_once() -> None:
    for moment in ("2026-01-01 18:00", datetime(2026, 1, 1, 18), "2026-01-01T17:00Z"):  # noqa: DTZ001
        schedule = parse({"date": moment}, "Europe/Warsaw")
        assert [f"{fire:%H:%M%z}" for fire in all_fires(schedule)] == ["18:00+0100"]
        assert schedule.describe() == "once, at 2026-01-01 18:00 (Europe/Warsaw)"
        assert schedule.next_after(datetime(2026, 1, 1, 17, tzinfo=UTC)) is None


def test_a_date_in_a_gap_or_a_repeated_hour_follows_the_choices() -> None:
    moved = parse({"date": "2027-03-28 02:30"}, "Europe/Warsaw")
    fire = moved.next_after(START)
    assert fire is not None and f"{fire:%H:%M%z}" == "03:00+0200"
    assert moved.notes(fire) == ("02:30 does not exist on 2027-03-28: runs at 03:00",)
    with pytest.raises(ScheduleError, match="does not exist"):
        parse({"date": "2027-03-28 02:30", "dst_gap": "skip"}, "Europe/Warsaw")
    both = parse({"date": "2026-10-25 02:30", "dst_repeat": "both"}, "Europe/Warsaw")
    assert [f"{fire:%H:%M%z}" for fire in all_fires(both, days=999)] == ["02:30+0200", "02:30+0100"]


def test_a_union_fires_once_where_its_members_meet() -> None:
    spec = {
        "any_of": [{"cron": "0 */2 * * *"}, {"cron": "0 */3 * * *"}, {"date": "2026-01-01 05:30"}]
    }
    hours = [f"{fire:%H:%M}" for fire in all_fires(parse(spec), days=0.4)]
    assert hours == ["02:00", "03:00", "04:00", "05:30", "06:00", "08:00", "09:00"]
    assert parse({"any_of": [{"cron": "@daily"}, {"every": 60}]}).describe() == (
        "every day at 00:00; and every minute (UTC)"
    )


def test_a_union_hands_its_choices_down() -> None:
    spec = {"any_of": [{"cron": "30 2 * * *"}], "dst_gap": "skip"}
    night = datetime(2027, 3, 27, 12, tzinfo=UTC)
    assert all_fires(parse(spec, "Europe/Warsaw"), 1, night) == []


@pytest.mark.parametrize("spec", [{"cron": "*/5 * * * *"}, {"every": 300}, {"cron": "* * * * * *"}])
def test_jitter_is_stable_keeps_the_order_and_never_reaches_the_next_fire(
    spec: dict[str, Any],
) -> None:
    plain, shaken = parse(spec), parse(spec | {"jitter": 1000}, name="a")
    days = 0.01 if spec["cron" if "cron" in spec else "every"] == "* * * * * *" else 1
    due = all_fires(plain, days)
    end = START + timedelta(days=days)
    found = list(shaken.between(START, end + timedelta(seconds=1001), START))[-len(due) :]
    assert (
        found
        == sorted(set(found))
        == [shaken.next_after(fire - timedelta(milliseconds=1), START) for fire in found]
    )
    for fire, following, late in zip(due, due[1:], found, strict=False):
        assert fire - timedelta(seconds=1000) <= late <= following + timedelta(seconds=1000)
    other = parse(spec | {"jitter": 1000}, name="b")
    assert list(other.between(START, end, START)) != list(shaken.between(START, end, START))


def test_each_fire_is_shaken_by_at_most_the_jitter() -> None:
    shaken = parse({"cron": "0 * * * *", "jitter": 30}, name="a")
    for fire in all_fires(shaken, 5):
        since = timedelta(minutes=fire.minute, seconds=fire.second, microseconds=fire.microsecond)
        assert since <= timedelta(seconds=30)
    assert len(all_fires(shaken, 5)) in (120, 121)
    assert "up to 30 s later" in shaken.describe()


def test_a_shaken_interval_without_anchor_does_not_fire_at_once() -> None:
    shaken = parse({"every": 100, "jitter": 10}, name="a")
    fire = shaken.next_after(START)
    assert fire is not None and timedelta(seconds=100) <= fire - START <= timedelta(seconds=110)


def test_counting_stops_at_the_limit() -> None:
    schedule = parse({"cron": "* * * * *"})
    year = START + timedelta(days=365)
    assert schedule.count_between(START, year) == 1000
    assert schedule.count_between(START, START + timedelta(hours=1)) == 60
    assert schedule.count_between(year, START) == 0
    assert schedule.last_between(year, START) is None


def test_milliseconds_and_datetimes_agree() -> None:
    schedule = parse({"cron": "30 2 * * *"}, "Australia/Lord_Howe")
    ms = 1_767_225_600_000
    fire, fire_ms = schedule.next_after(START), schedule.next_after_ms(ms)
    assert fire is not None and fire_ms == round(fire.timestamp() * 1000)
    assert schedule.last_between_ms(ms, ms + 86_400_000 * 2) == fire_ms + 86_400_000
    assert schedule.count_between_ms(ms, ms + 86_400_000 * 10) == 10
    assert next(schedule.between_ms(ms, ms + 86_400_000)) == fire_ms


def test_a_moment_between_two_milliseconds_is_not_fired_again() -> None:
    schedule = parse({"cron": "* * * * * *"})
    moment = START + timedelta(microseconds=1)
    assert schedule.next_after(moment) == START + timedelta(seconds=1)
    assert schedule.next_after(START - timedelta(microseconds=1)) == START
