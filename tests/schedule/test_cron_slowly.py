"""Cron against a slow oracle that shares nothing with it, in zones of every oddity.

`SlowCron` never expands a field: it asks, value by value, whether the text matches. Its zones
are the standard library's, and its two ways (every minute of the clock, or every date) meet
`jober.schedule` from two sides.
"""

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
import pytz
from hypothesis import given, settings
from hypothesis import strategies as st

from jober.schedule import Schedule, ScheduleError, parse

ZONES = (
    "UTC",
    "Etc/GMT+5",
    "Asia/Kolkata",  # fixed, of half an hour
    "Europe/Warsaw",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour of DST
    "Antarctica/Troll",  # two hours
    "America/Havana",  # at midnight, as the next two
    "Asia/Beirut",
    "America/Santiago",
    "Europe/Dublin",  # negative DST
    "Africa/Casablanca",  # stops for Ramadan
    "Pacific/Apia",  # left out a day
    "Asia/Pyongyang",  # for good, there and back
    "America/Caracas",
    "Pacific/Chatham",
)
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
WEEKDAYS = "sun mon tue wed thu fri sat".split()
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


class SlowCron:
    """An expression, with the two DST choices (None is the default)."""

    def __init__(self, text: str, gap: str | None = None, repeat: str | None = None) -> None:
        fields = text.lower().split()
        if len(fields) == 5:
            fields.insert(0, "0")
        self.second, self.minute, self.hour, self.day, self.month, self.weekday = fields
        wild = self.minute.startswith("*") or self.hour.startswith("*")
        self.gap = gap or ("skip" if wild else "after")
        self.repeat = repeat or ("both" if wild else "first")
        self.step = MINUTE if self.second == "0" else SECOND

    def matches(self, wall: datetime) -> bool:
        return (
            _in(self.minute, wall.minute, 59)
            and _in(self.hour, wall.hour, 23)
            and _in(self.second, wall.second, 59)
            and self.matches_day(wall.date())
        )

    def matches_day(self, day: date) -> bool:
        if not _in(self.month, day.month, 12, MONTHS, 1):
            return False
        by_day = any(_is_month_day(item, day) for item in self.day.split(","))
        by_week = any(_is_week_day(item, day) for item in self.weekday.split(","))
        if self.day[0] in "*?" or self.weekday[0] in "*?":
            return by_day and by_week
        return by_day or by_week

    def walk(self, zone: str, after: datetime, until: datetime) -> Iterator[datetime]:
        """Every fire with after < fire <= until, by going through every minute (or second)."""
        tz = zoneinfo(zone)
        moment = after.astimezone(UTC).replace(microsecond=0)
        if self.step is MINUTE:
            moment = moment.replace(second=0)
        before = _wall(moment, tz)
        while True:
            moment += self.step
            if moment > until:
                return
            if moment <= after:
                before = _wall(moment, tz)
                continue
            local = moment.astimezone(tz)
            wall = local.replace(tzinfo=None, fold=0)
            fires = self.matches(wall) and self._this_pass(wall, local.fold, tz)
            if self.gap == "after" and wall - before > self.step:
                missing = before + self.step
                while missing < wall and not fires:
                    fires = self.matches(missing)
                    missing += self.step
            before = wall
            if fires:
                yield moment

    def by_days(self, zone: str, after: datetime, count: int) -> list[datetime]:
        """The next `count` fires, by going through the dates and the times of each."""
        tz = zoneinfo(zone)
        found: set[datetime] = set()
        day = after.astimezone(tz).date() - timedelta(days=2)
        settled = 0
        while settled < 4:
            if len(found) >= count:
                settled += 1
            if self.matches_day(day):
                found.update(fire for fire in self._of_day(day, tz) if fire > after)
            day += timedelta(days=1)
        return sorted(found)[:count]

    def _of_day(self, day: date, tz: ZoneInfo) -> Iterator[datetime]:
        hours = [hour for hour in range(24) if _in(self.hour, hour, 23)]
        minutes = [minute for minute in range(60) if _in(self.minute, minute, 59)]
        seconds = [second for second in range(60) if _in(self.second, second, 59)]
        for hour in hours:
            for minute in minutes:
                for second in seconds:
                    wall = datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001
                    yield from self._read(wall, tz)

    def _read(self, wall: datetime, tz: ZoneInfo) -> list[datetime]:
        passes = sorted(
            {
                moment
                for fold in (0, 1)
                if _wall(moment := wall.replace(tzinfo=tz, fold=fold).astimezone(UTC), tz) == wall
            }
        )
        if not passes:
            return [_after_gap(wall, tz)] if self.gap == "after" else []
        if self.repeat == "both":
            return passes
        return passes[:1] if self.repeat == "first" else passes[-1:]

    def _this_pass(self, wall: datetime, fold: int, tz: ZoneInfo) -> bool:
        if self.repeat == "both":
            return True
        if self.repeat == "first":
            return fold == 0
        return fold == 1 or len(self._read(wall, tz)) < 2 and not _is_repeated(wall, tz)


@cache
def zoneinfo(name: str) -> ZoneInfo:
    """The standard library's zone, of the data that pytz has: the host's may be older."""
    with pytz.open_resource(name) as file:  # type: ignore[attr-defined]
        return ZoneInfo.from_file(file, key=name)


def _wall(moment: datetime, tz: ZoneInfo) -> datetime:
    return moment.astimezone(tz).replace(tzinfo=None, fold=0)


def _is_repeated(wall: datetime, tz: ZoneInfo) -> bool:
    first, second = (wall.replace(tzinfo=tz, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first < second


def _after_gap(wall: datetime, tz: ZoneInfo) -> datetime:
    """The instant of the change: read with fold 1 the gap's times lie before it."""
    low = wall.replace(tzinfo=tz, fold=1).astimezone(UTC)
    high = wall.replace(tzinfo=tz, fold=0).astimezone(UTC)
    offset = low.astimezone(tz).utcoffset()
    while high - low > SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(tz).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high


def _value(text: str, names: list[str], first: int) -> int:
    return names.index(text) + first if text in names else int(text)


def _in(text: str, value: int, top: int, names: list[str] | None = None, first: int = 0) -> bool:
    names = names or []
    for item in text.split(","):
        body, _, step_text = item.partition("/")
        step = int(step_text or 1)
        if body == "*":
            low, high = first, top
        elif "-" in body:
            low_text, high_text = body.split("-")
            low, high = _value(low_text, names, first), _value(high_text, names, first)
        else:
            low = _value(body, names, first)
            high = top if step_text else low
        if low <= value <= high and (value - low) % step == 0:
            return True
    return False


def _is_month_day(item: str, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if item == "?":
        return True
    if item == "l":
        return day.day == last
    if item == "lw":
        working = [d for d in range(1, last + 1) if calendar.weekday(day.year, day.month, d) < 5]
        return day.day == working[-1]
    if item.endswith("w"):
        wanted = int(item[:-1])
        if wanted > last:
            return False
        working = [d for d in range(1, last + 1) if calendar.weekday(day.year, day.month, d) < 5]
        # Two are never equally near: the weekend is two days long.
        return day.day == min(working, key=lambda d: abs(d - wanted))
    return _in(item, day.day, 31, first=1)


def _is_week_day(item: str, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    weekday = day.isoweekday() % 7
    if item == "?":
        return True
    if "#" in item:
        wanted, which = item.split("#")
        return weekday == _value(wanted, WEEKDAYS, 0) % 7 and (day.day - 1) // 7 + 1 == int(which)
    if item.startswith("l") or item.endswith("l"):
        return weekday == _value(item.strip("l"), WEEKDAYS, 0) % 7 and day.day + 7 > last
    return _in(item, weekday, 7, WEEKDAYS) or weekday == 0 and _in(item, 7, 7, WEEKDAYS)


def changes(zone: str) -> list[datetime]:
    """The changes of offset since 2000, some of them beyond pytz's tables."""
    tz = zoneinfo(zone)
    found = []
    for first in (datetime(2000, 1, 1, tzinfo=UTC), datetime(2051, 1, 1, tzinfo=UTC)):
        days = [first + timedelta(weeks=n) for n in range(52 * 27)]
        for low, high in zip(days, days[1:], strict=False):
            if low.astimezone(tz).utcoffset() != high.astimezone(tz).utcoffset():
                middle = [low + timedelta(days=n) for n in range(8)]
                offsets = [day.astimezone(tz).utcoffset() for day in middle]
                found.append(middle[offsets.index(offsets[-1]) - 1])
    return found or [datetime(2024, 2, 28, tzinfo=UTC)]


CHANGES = {zone: changes(zone) for zone in ZONES}


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and a moment near one of its changes or anywhere."""
    zone = draw(st.sampled_from(ZONES))
    day = draw(st.sampled_from(CHANGES[zone]))
    if draw(st.integers(0, 4)) == 0:
        day = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=draw(st.integers(0, 36_000)))
    return zone, day + timedelta(seconds=draw(st.integers(-90_000, 180_000)))


def item(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    pair = st.tuples(number, number).map(sorted)
    step = st.integers(1, 20)
    kinds = [
        number.map(str),
        number.map(str),
        pair.map(lambda p: f"{p[0]}-{p[1]}"),
        st.tuples(pair, step).map(lambda p: f"{p[0][0]}-{p[0][1]}/{p[1]}"),
        st.tuples(number, step).map(lambda p: f"{p[0]}/{p[1]}"),
        step.map(lambda n: f"*/{n}"),
    ]
    return st.one_of(*kinds, st.sampled_from(names)) if names else st.one_of(*kinds)


def several(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(items, min_size=1, max_size=3).map(",".join)


STAR = st.just("*")
DAYS = st.one_of(
    STAR,
    STAR,
    st.sampled_from(["?", "L", "LW", "1,L", "15W", "1W", "31W", "30W"]),
    several(item(1, 31)),
)
WEEK = st.one_of(
    STAR,
    STAR,
    st.sampled_from(["?", "5L", "L0", "7L", "TUE#3", "7#1", "1#5,4", "mon-fri", "Sat,7"]),
    several(item(0, 7, ("SUN", "Mon", "fri"))),
)
EXPRESSIONS = st.tuples(
    st.one_of(STAR, several(item(0, 59))),
    st.one_of(STAR, several(item(0, 23)), several(item(0, 4))),
    DAYS,
    st.one_of(STAR, STAR, STAR, several(item(1, 12, ("JAN", "oct")))),
    WEEK,
).map(" ".join)
SECONDS = st.sampled_from(["", "", "", "0 ", "30 ", "*/20 ", "5,45 ", "7/25 "])
GAPS = st.sampled_from([None, None, "after", "skip"])
REPEATS = st.sampled_from([None, None, "first", "last", "both"])


def read(text: str, zone: str, gap: str | None, repeat: str | None) -> Schedule | None:
    """The schedule; None if its days never come, which the oracle would wait for."""
    try:
        return parse({"cron": text, "dst_gap": gap, "dst_repeat": repeat}, zone)
    except ScheduleError as error:
        assert "can never fire" in str(error)
        return None


@settings(max_examples=200)
@given(place=moments(), seconds=SECONDS, text=EXPRESSIONS, gap=GAPS, repeat=REPEATS)
def test_fires_are_those_of_a_walk_through_the_dates(
    place: tuple[str, datetime], seconds: str, text: str, gap: str | None, repeat: str | None
) -> None:
    zone, after = place
    schedule = read(seconds + text, zone, gap, repeat)
    if schedule is None:
        return
    expected = SlowCron(seconds + text, gap, repeat).by_days(zone, after, 4)
    found = []
    fire: datetime | None = after
    for _ in expected:
        before = fire
        fire = schedule.next_after(fire)  # type: ignore[arg-type]
        assert fire is not None and before is not None and fire > before
        found.append(fire)
        assert fire.utcoffset() == fire.astimezone(zoneinfo(zone)).utcoffset()
    assert found == expected
    again = schedule.between(after, expected[-1])
    assert list(again) == expected
    assert schedule.last_between(after, expected[-1]) == expected[-1]
    assert schedule.last_between(after, expected[-1] - SECOND) == expected[-2]
    assert schedule.count_between(after, expected[-1]) == len(expected)


@settings(max_examples=60)
@given(place=moments(), text=EXPRESSIONS, gap=GAPS, repeat=REPEATS)
def test_fires_are_those_of_a_walk_through_the_minutes(
    place: tuple[str, datetime], text: str, gap: str | None, repeat: str | None
) -> None:
    zone, after = place
    schedule = read(text, zone, gap, repeat)
    if schedule is None:
        return
    until = after + timedelta(hours=30)
    expected = list(SlowCron(text, gap, repeat).walk(zone, after, until))
    assert list(schedule.between(after, until)) == expected
    assert schedule.last_between(after, until) == (expected[-1] if expected else None)


@pytest.mark.parametrize("text", ["0 0 29 2 */7", "0 0 31 * 1#5", "0 0 * 2 5#5"])
def test_rare_days_are_found_years_ahead(text: str) -> None:
    after = datetime(2033, 1, 1, tzinfo=UTC)
    schedule = parse({"cron": text}, "Europe/Warsaw")
    assert [schedule.next_after(after)] == SlowCron(text).by_days("Europe/Warsaw", after, 1)
