"""Hours, excluded days and shifts against a slow oracle, in zones of every oddity.

The oracle takes every fire of the schedule alone, one by one, asks the standard library's zone
for its wall clock, and does what the rules say; nothing is skipped over or searched for.
"""

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytz
from hypothesis import given, settings
from hypothesis import strategies as st

from jober.schedule import parse
from tests.schedule.test_cron_slowly import ZONES, SlowCron, zoneinfo

DAY = timedelta(days=1)
BASES: tuple[dict[str, Any], ...] = (
    {"cron": "0 * * * *"},
    {"cron": "*/30 * * * *"},
    {"cron": "30 2 * * *"},
    {"cron": "15,45 0,1,23 * * *"},
    {"cron": "0 12 * * 6"},
    {"cron": "10 3 1-3 * *"},
    {"every": [7, "hour"]},
    {"every": 5400.25},
    {"every": [1, "day"], "at": {"hour": 2, "minute": 30}},
    {"any_of": [{"cron": "30 0-3 * * *"}, {"every": [11, "hour"]}]},
)
HOURS = (None, "08:00-18:00", "22:00-02:15", ["00:00-00:30", "02:30-03:00", "23:00-24:00"])


@cache
def odd_days(zone: str) -> list[datetime]:
    """When the zone's offset changes, from 1990 to 2030; some day where it never does."""
    times = getattr(pytz.timezone(zone), "_utc_transition_times", [])
    found = [time.replace(tzinfo=UTC) for time in times if 1990 <= time.year < 2031]
    return found or [datetime(2026, 3, 29, tzinfo=UTC)]


def is_inside(clock: time, hours: Any) -> bool:
    if hours is None:
        return True
    for window in hours if isinstance(hours, list) else [hours]:
        first, last = window.replace("24:00", "23:59:59.999999").split("-")
        low, high = time.fromisoformat(first), time.fromisoformat(last)
        if (low <= clock < high) if low < high else (clock >= low or clock < high):
            return True
    return False


@cache
def is_shown(day: date, zone: ZoneInfo) -> bool:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    moments = (noon + timedelta(minutes=15 * n) for n in range(-160, 160))
    return any(moment.astimezone(zone).date() == day for moment in moments)


class Oracle:
    def __init__(self, zone: str, spec: dict[str, Any], days: set[date], week: set[int]) -> None:
        self.zone, self.spec = zoneinfo(zone), spec
        self.days, self.week = days, week
        cron = str(spec.get("cron", "0 0 * * *"))
        self.reader = SlowCron(cron, spec.get("dst_gap"), spec.get("dst_repeat"))
        wild = "cron" in spec and (cron[0] == "*" or cron.split()[1][0] == "*")
        self.reader.gap = spec.get("dst_gap") or ("skip" if wild else "after")
        self.reader.repeat = spec.get("dst_repeat") or ("both" if wild else "first")

    def is_excluded(self, day: date) -> bool:
        return day in self.days or day.isoweekday() % 7 in self.week

    def fires(self, base: list[datetime]) -> list[datetime]:
        found: set[datetime] = set()
        for fire in base:
            wall = fire.astimezone(self.zone).replace(tzinfo=None, fold=0)
            if not is_inside(wall.time(), self.spec.get("only_between")):
                continue
            if not self.is_excluded(wall.date()):
                found.add(fire.astimezone(UTC))
            elif self.spec.get("shift", "skip") != "skip":
                found.update(self.moved(wall))
        return sorted(found)

    def moved(self, wall: datetime) -> list[datetime]:
        step = DAY if self.spec["shift"] == "next" else -DAY
        target = wall + step
        while self.is_excluded(target.date()) or not is_shown(target.date(), self.zone):
            target += step
            if abs(target - wall) > 366 * DAY:
                return []
        found = self.reader._read(target, self.zone)
        walls = [moment.astimezone(self.zone) for moment in found]
        return [
            moment
            for moment, shown in zip(found, walls, strict=True)
            if shown.date() == target.date()
            and is_inside(shown.time(), self.spec.get("only_between"))
        ]


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, dict[str, Any], dict[str, Any], datetime, set[date]]:
    zone = draw(st.sampled_from(ZONES))
    middle = draw(st.sampled_from(odd_days(zone)))
    start = middle + draw(st.integers(-6 * 24 * 60, 3 * 24 * 60)) * timedelta(minutes=1)
    base = dict(draw(st.sampled_from(BASES)))
    if draw(st.booleans()):
        base["dst_gap"] = draw(st.sampled_from(["after", "skip"]))
        repeats = ["first", "last"] + (["both"] if "cron" in base else [])
        base["dst_repeat"] = draw(st.sampled_from(repeats))
    days: set[date] = set()
    for _ in range(draw(st.integers(0, 3))):
        first = middle.date() + draw(st.integers(-5, 6)) * DAY
        days |= {first + n * DAY for n in range(draw(st.integers(1, 4)))}
    limits: dict[str, Any] = {
        "exclude": [*map(date.isoformat, sorted(days)), *draw(st.sampled_from(WEEKS))],
        "shift": draw(st.sampled_from(["skip", "next", "previous"])),
    }
    hours = draw(st.sampled_from(HOURS))
    if hours is not None:
        limits["only_between"] = hours
    return zone, base, limits, start, days


NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
WEEKS = ((), ("sat", "sun"), ("Friday", "SAT", "sun"), ("mon",))


def weekdays(limits: dict[str, Any]) -> set[int]:
    return {NAMES.index(item[:3].lower()) for item in limits["exclude"] if item[0].isalpha()}


@settings(max_examples=100)
@given(cases(), st.integers(0, 9 * 24 * 60))
def test_fires_are_those_of_a_slow_walk(
    case: tuple[str, dict[str, Any], dict[str, Any], datetime, set[date]], minutes: int
) -> None:
    zone, base, limits, start, days = case
    anchor, margin = start - 30 * DAY, 15 * DAY
    end = start + 9 * DAY
    alone = list(parse(base, zone).between(start - margin, end + margin, anchor))
    oracle = Oracle(zone, base | limits, days, weekdays(limits))
    due = [fire for fire in oracle.fires(alone) if start < fire]
    schedule = parse(base | limits, zone)
    found = list(schedule.between(start, end, anchor))
    assert found == [fire for fire in due if fire <= end]
    assert found == sorted(set(found))
    assert not any(oracle.is_excluded(fire.date()) for fire in found)
    assert all(is_inside(fire.time(), limits.get("only_between")) for fire in found)
    moment = start + minutes * timedelta(minutes=1)
    if due and due[-1] > moment:
        assert schedule.next_after(moment, anchor) == due[bisect_right(due, moment)]
    assert schedule.last_between(start, end, anchor) == (found[-1] if found else None)
    assert schedule.count_between(start, end, anchor) == len(found)
    made, own = set(found), set(alone)
    for fire in alone:
        if start + DAY < fire <= end - DAY:
            told = schedule.why_not(fire, anchor)
            assert (told is None) == (fire in made), (fire, told)
    for excluded in schedule.excluded_between(start, end, anchor):
        assert excluded.at not in made
        if excluded.moved_to is not None and start < excluded.moved_to <= end:
            assert excluded.moved_to in made
            assert oracle.is_excluded(excluded.at.date())
    for fire in found:
        moved = [note for note in schedule.notes(fire, anchor) if "shifted from" in note]
        assert len(moved) == (fire not in own), (fire, moved)
