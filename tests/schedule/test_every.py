"""Intervals: the rule from one fire to the next, and the chain from an anchor."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytz
from hypothesis import given, settings
from hypothesis import strategies as st

from jober.schedule import NextFireTimeError, Schedule, ScheduleError, parse

MIDNIGHT = {"hour": 0, "minute": 0, "second": 0}


def every(interval: object, at: dict[str, int] | None = None, timezone: str = "UTC") -> Schedule:
    return parse({"every": interval} | ({"at": at} if at else {}), timezone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def chain(schedule: Schedule, anchor: datetime, count: int) -> list[str]:
    found = islice(schedule.between(anchor, anchor + timedelta(days=4000), anchor), count)
    return [fire.strftime("%m-%d %H:%M:%S%z") for fire in found]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"every": 0}, "every: 0 is not a positive number"),
        ({"every": -5}, "every: -5 is not a positive number"),
        ({"every": True}, "every: True is not a positive number"),
        ({"every": "1h"}, "every: '1h' is not a positive number"),
        ({"every": float("nan")}, "not a positive number"),
        ({"every": float("inf")}, "more than there is time"),
        ({"every": 10**5000}, "every: it is more than there is time"),
        ({"every": 0.05}, "0.1 seconds or more"),
        ({"every": 0.1234567}, "finer than a millisecond"),
        ({"every": [1, "HOUR"]}, "'HOUR' is not a unit, did you mean 'hour'?"),
        ({"every": [1, "hours"]}, "did you mean 'hour'?"),
        ({"every": [1, "year"]}, "'year' is not a unit"),
        ({"every": [1]}, "is not [number, unit]"),
        ({"every": [1.5, "month"]}, "not a whole number of months"),
        ({"every": [1, "day"], "at": {"weekday": 1}}, "at: 'weekday' is not known"),
        ({"every": [1, "day"], "at": {"hours": 1}}, "did you mean 'hour'?"),
        ({"every": [1, "day"], "at": {"second": 60}}, "at: second 60 is not in 0-59"),
        ({"every": [1, "day"], "at": "03:00"}, "at: '03:00' is not a table"),
    ],
)
def test_a_wrong_interval_is_refused_with_the_mend(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(NextFireTimeError) as caught:
        parse(spec)
    assert message in str(caught.value)


def test_what_does_not_move_on_is_refused_when_asked() -> None:
    schedule = every([10, "second"], {"second": 30})
    with pytest.raises(NextFireTimeError, match="does not move on"):
        schedule.next_after(utc("2026-01-01T00:00:45"))
    with pytest.raises(NextFireTimeError, match="does not move on"):
        schedule.next_after(utc("2026-06-01T00:00:00"), utc("2026-01-01T00:00:00"))


def test_both_passes_make_no_sense_for_an_interval_on_the_clock() -> None:
    with pytest.raises(ScheduleError, match="dst_repeat: 'both' is for cron and date"):
        parse({"every": [1, "day"], "at": {"hour": 2}, "dst_repeat": "both"})


def test_a_chain_keeps_its_anchor() -> None:
    schedule = every(90)
    anchor = utc("2020-01-01T00:00:07")
    moment = utc("2026-05-05T05:05:05")
    fire = schedule.next_after(moment, anchor)
    assert fire is not None
    assert timedelta(0) < fire - moment <= timedelta(seconds=90)
    assert (fire - anchor) % timedelta(seconds=90) == timedelta(0)
    assert schedule.next_after(moment) == moment + timedelta(seconds=90)


def test_chains_of_two_anchors_do_not_mix() -> None:
    schedule = every([7, "hour"], {"minute": 5, "second": 0})
    moment = utc("2026-03-01T00:00")
    anchors = [utc("2026-01-01T00:05"), utc("2026-01-01T01:05")]
    fires = [schedule.next_after(moment, anchor) for anchor in anchors]
    assert fires[0] != fires[1]
    assert [schedule.next_after(moment, anchor) for anchor in anchors] == fires
    assert fires == [
        every([7, "hour"], {"minute": 5, "second": 0}).next_after(moment, anchor)
        for anchor in anchors
    ]


def test_an_anchor_ahead_is_the_first_fire() -> None:
    anchor = utc("2026-01-02T00:00:00")
    assert every(60).next_after(utc("2026-01-01T00:00:00"), anchor) == anchor


def test_tenths_of_a_second_are_kept() -> None:
    schedule = every(0.1)
    assert schedule.next_after_ms(1000) == 1100
    assert schedule.next_after_ms(1_000_050, 0) == 1_000_100
    assert schedule.count_between_ms(0, 10**12, limit=10**9) == 10**9
    assert schedule.last_between_ms(0, 10**12 + 50) == 10**12


def test_months_come_back_to_the_day_of_the_anchor() -> None:
    found = chain(every([1, "month"]), utc("2026-01-31T12:00"), 4)
    assert [fire[:5] for fire in found] == ["02-28", "03-31", "04-30", "05-31"]


def test_a_daily_chain_at_midnight_passes_the_night_the_clock_goes_back() -> None:
    schedule = every([1, "day"], MIDNIGHT, "Europe/Warsaw")
    assert chain(schedule, utc("2026-10-23T22:00"), 4) == [
        "10-25 00:00:00+0200",
        "10-26 00:00:00+0100",
        "10-27 00:00:00+0100",
        "10-28 00:00:00+0100",
    ]
    with pytest.raises(NextFireTimeError):  # the bare rule, from fire to fire, stands still
        schedule.next_after(utc("2026-10-24T22:00"))


def test_a_chain_at_a_second_runs_through_both_passes_of_a_repeated_hour() -> None:
    schedule = every([10, "minute"], {"second": 0}, "Europe/Warsaw")
    found = chain(schedule, utc("2026-10-25T00:00"), 12)
    moments = [datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M:%S%z") for text in found]
    steps = {later - former for former, later in zip(moments, moments[1:], strict=False)}
    assert steps == {timedelta(minutes=10)}


def test_a_chain_in_a_gap_is_moved_or_skipped() -> None:
    at = {"hour": 2, "minute": 30, "second": 0}
    spec = {"every": [1, "day"], "at": at}
    anchor = utc("2027-03-27T01:30")
    assert chain(parse(spec, "Europe/Warsaw"), anchor, 2) == [
        "03-28 03:00:00+0200",
        "03-29 02:30:00+0200",
    ]
    assert chain(parse(spec | {"dst_gap": "skip"}, "Europe/Warsaw"), anchor, 1) == [
        "03-29 02:30:00+0200"
    ]
    moved = parse(spec, "Europe/Warsaw")
    assert moved.notes(utc("2027-03-28T01:00")) == (
        "02:00 to 03:00 does not exist on 2027-03-28: runs at 03:00",
    )


def test_the_last_pass_can_be_chosen() -> None:
    spec = {"every": [1, "day"], "at": {"hour": 2, "minute": 30, "second": 0}}
    late = parse(spec | {"dst_repeat": "last"}, "Europe/Warsaw")
    assert chain(late, utc("2026-10-24T00:30"), 1) == ["10-25 02:30:00+0100"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"every": 10}, "every 10 seconds"),
        ({"every": 3600}, "every hour"),
        ({"every": 0.5}, "every 0.5 seconds"),
        ({"every": [1, "day"]}, "every day (24 hours)"),
        ({"every": [1, "day"], "at": MIDNIGHT}, "every day at 00:00 (UTC)"),
        (
            {"every": [1, "hour"], "at": {"minute": 15, "second": 0}},
            "every hour at minute 15 (UTC)",
        ),
        (
            {"every": [3, "month"], "at": {"day": 31} | MIDNIGHT},
            "every 3 months on day 31 at 00:00 (UTC)",
        ),
    ],
)
def test_words_for_an_interval(spec: dict[str, Any], words: str) -> None:
    assert parse(spec).describe() == words


ZONES = st.sampled_from(
    ["UTC", "Europe/Warsaw", "Australia/Lord_Howe", "America/Havana", "Antarctica/Troll"]
)
INTERVALS = st.one_of(
    st.tuples(st.integers(7, 400), st.just("minute"), st.just(("second",))),
    st.tuples(st.integers(60, 9000), st.just("second"), st.just(("second",))),
    st.tuples(st.integers(1, 50), st.just("hour"), st.just(("minute", "second"))),
    st.tuples(st.integers(1, 50), st.just("hour"), st.just(("minute",))),
    st.tuples(st.integers(61, 4000), st.just("minute"), st.just(("minute",))),
    st.tuples(st.integers(1, 20), st.just("day"), st.just(("hour", "minute", "second"))),
    st.tuples(st.integers(1, 20), st.just("day"), st.just(("hour",))),
    st.tuples(st.integers(1, 9), st.just("week"), st.just(("hour", "minute"))),
    st.tuples(st.integers(32, 90), st.just("day"), st.just(("day", "hour"))),
    st.tuples(st.integers(1, 14), st.just("month"), st.just(("day", "hour", "minute"))),
    st.tuples(st.integers(1, 14), st.just("month"), st.just(())),
)


def slow_rule(number: int, unit: str, at: dict[str, int], zone: str, last: datetime) -> object:
    """The rule written out with the standard library; "stuck" where it does not move on."""
    with pytz.open_resource(zone) as file:  # type: ignore[attr-defined]
        tz = ZoneInfo.from_file(file, key=zone)
    if unit == "month":
        local = last.astimezone(tz).replace(tzinfo=None)
        year, month = divmod(local.year * 12 + local.month - 1 + number, 12)
        day = min(local.day, monthrange(year, month + 1)[1])
        wall = local.replace(year=year, month=month + 1, day=day)
    else:
        target = last + timedelta(**{f"{unit}s": number})
        if not at:
            return target
        wall = target.astimezone(tz).replace(tzinfo=None)
    if "day" in at:
        at = at | {"day": min(at["day"], monthrange(wall.year, wall.month)[1])}
    wall = wall.replace(**at, fold=0)  # type: ignore[arg-type]
    first, second = (wall.replace(tzinfo=tz, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first > second:  # in a gap: go on to its end
        missing = wall
        while first > second:
            missing = missing.replace(second=0) + timedelta(minutes=1)
            first, second = (
                missing.replace(tzinfo=tz, fold=fold).astimezone(UTC) for fold in (0, 1)
            )
    return first if first > last else second if second > last else "stuck"


@settings(max_examples=600)
@given(
    interval=INTERVALS,
    zone=ZONES,
    last=st.datetimes(datetime(2023, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    near=st.integers(0, 3),
    seconds=st.integers(-90_000, 7_200),
    place=st.tuples(*(st.integers(0, top) for top in (30, 23, 59, 59))),
)
def test_the_rule_is_the_one_written_out(
    interval: tuple[int, str, tuple[str, ...]],
    zone: str,
    last: datetime,
    near: int,
    seconds: int,
    place: tuple[int, ...],
) -> None:
    number, unit, given_fields = interval
    fields = dict(zip(("day", "hour", "minute", "second"), place, strict=True))
    fields["day"] += 1
    if near:  # mostly so that the answer falls near a change of offset
        change = datetime(2024, 10, 27, 1, tzinfo=UTC) if near < 3 else utc("2024-03-31T01:00:00")
        last = change + timedelta(seconds=seconds)
        fields["hour"] %= 4
    last = last.replace(microsecond=0)
    at = {field: fields[field] for field in given_fields}
    try:
        found: object = every([number, unit], at, zone).next_after(last)
    except NextFireTimeError:
        found = "stuck"
    assert found == slow_rule(number, unit, at, zone, last)


@settings(max_examples=100)
@given(
    interval=INTERVALS,
    zone=ZONES,
    anchor=st.datetimes(datetime(2023, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    place=st.tuples(*(st.integers(0, top) for top in (30, 23, 59, 59))),
    steps=st.integers(1, 400),
)
def test_the_chain_is_the_same_leapt_or_walked(
    interval: tuple[int, str, tuple[str, ...]],
    zone: str,
    anchor: datetime,
    place: tuple[int, ...],
    steps: int,
) -> None:
    number, unit, given_fields = interval
    fields = dict(zip(("day", "hour", "minute", "second"), place, strict=True))
    fields["day"] += 1
    at = {field: fields[field] for field in given_fields}
    walked, leapt = (every([number, unit], at, zone) for _ in range(2))
    fire: datetime | None = anchor
    before = anchor
    for _ in range(steps):
        assert fire is not None
        before, fire = fire, walked.next_after(fire, anchor)
        assert fire is not None and fire > before
    assert leapt.next_after(before, anchor) == fire
    assert fire is not None
    assert leapt.last_between(anchor, fire, anchor) == fire
    assert every([number, unit], at, zone).last_between(anchor, fire, anchor) == fire
