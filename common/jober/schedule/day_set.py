"""Sets of days: ranges, days of each year, and days of the week, without listing them.

Days are counted from the epoch, on the wall clock of whoever asks.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

EPOCH = 719_163  # the ordinal of 1970-01-01
FIRST_DAY = date.min.toordinal() - EPOCH
LAST_DAY = date.max.toordinal() - EPOCH
_FAR = LAST_DAY + 10
_YEAR_DAYS = 366
_LEAP_YEAR = 2000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEARLY = re.compile(r"\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class DaySet:
    """Days: `ranges` (first, last) in order and apart, `yearly` (month, day) in order, and
    `week`, a bit for each weekday, Sunday the lowest."""

    ranges: tuple[tuple[int, int], ...] = ()
    yearly: tuple[tuple[int, int], ...] = ()
    week: int = 0

    def __len__(self) -> int:
        """How many days are listed; a day of each year counts once, the week not at all."""
        return sum(last - first + 1 for first, last in self.ranges) + len(self.yearly)

    def __bool__(self) -> bool:
        return bool(self.ranges or self.yearly or self.week)

    @property
    def is_each_day(self) -> bool:
        """Whether the days of the week, or those of each year, leave no day at all."""
        return self.week == 127 or len(self.yearly) == _YEAR_DAYS

    def covers(self, day: int) -> bool:
        if self.week >> (day + 4) % 7 & 1:
            return True
        if self.ranges:
            place = bisect_right(self.ranges, (day, _FAR)) - 1
            if place >= 0 and day <= self.ranges[place][1]:
                return True
        if self.yearly:
            when = date.fromordinal(day + EPOCH)
            place = bisect_right(self.yearly, (when.month, when.day)) - 1
            return place >= 0 and self.yearly[place] == (when.month, when.day)
        return False

    def free_from(self, day: int) -> int | None:
        """The first day not of the set, from `day` on; None if there is none."""
        if self.is_each_day:
            return None
        while day <= LAST_DAY:
            if not self.covers(day):
                return day
            place = bisect_right(self.ranges, (day, _FAR)) - 1
            day = max(day, self.ranges[place][1] if place >= 0 else day) + 1
        return None

    def covered_from(self, day: int) -> int | None:
        """The first day of the set, from `day` on; None if there is none."""
        found = []
        if self.week:
            found.append(next(day + n for n in range(7) if self.week >> (day + n + 4) % 7 & 1))
        if self.ranges:
            place = bisect_right(self.ranges, (day, _FAR)) - 1
            if place >= 0 and day <= self.ranges[place][1]:
                return day
            if place + 1 < len(self.ranges):
                found.append(self.ranges[place + 1][0])
        if self.yearly and day <= LAST_DAY:
            found += self._yearly_from(day)
        return min((one for one in found if one <= LAST_DAY), default=None)

    def _yearly_from(self, day: int) -> list[int]:
        when = date.fromordinal(day + EPOCH)
        place = bisect_right(self.yearly, (when.month, when.day - 1))
        ahead = [(0, month_day) for month_day in self.yearly[place:]]
        # 29 February is eight years away at most.
        ahead += [(years, month_day) for years in range(1, 10) for month_day in self.yearly[:2]]
        for years, (month, month_day) in ahead:
            year = when.year + years
            if year <= 9999 and _exists(year, month, month_day):
                return [date(year, month, month_day).toordinal() - EPOCH]
        return []


def add_up(sets: Iterable[DaySet]) -> DaySet:
    """All the days of all sets."""
    ranges: list[tuple[int, int]] = []
    yearly: set[tuple[int, int]] = set()
    week = 0
    for one in sets:
        ranges += one.ranges
        yearly.update(one.yearly)
        week |= one.week
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return DaySet(tuple(merged), tuple(sorted(yearly)), week)


def read_days(text: str) -> DaySet:
    """The days of `2026-12-25`, `12-25`, or a range of either. ValueError says what is wrong."""
    first, dots, last = (part.strip() for part in text.partition(".."))
    last = last if dots else first
    if _DATE.fullmatch(first) and _DATE.fullmatch(last):
        low, high = _date(first, first), _date(last, last)
        if high < low:
            raise ValueError(f"'{text}' ends before it begins")
        return DaySet(((low.toordinal() - EPOCH, high.toordinal() - EPOCH),))
    if _YEARLY.fullmatch(first) and _YEARLY.fullmatch(last):
        low, high = (_date(f"{_LEAP_YEAR}-{part}", part) for part in (first, last))
        if high < low:  # over the turn of the year
            parts = [(low, date(_LEAP_YEAR, 12, 31)), (date(_LEAP_YEAR, 1, 1), high)]
        else:
            parts = [(low, high)]
        days = (low + timedelta(n) for low, high in parts for n in range((high - low).days + 1))
        return DaySet((), tuple(sorted({(day.month, day.day) for day in days})))
    raise ValueError(f"'{text[:60]}' is not a date")


def day_texts(days: DaySet) -> Iterator[str]:
    """What `read_days` reads, each range as one text; the week is left out."""
    for first, last in days.ranges:
        yield day_text(first) if first == last else f"{day_text(first)}..{day_text(last)}"
    for month, month_day in days.yearly:
        yield f"{month:02d}-{month_day:02d}"


def day_text(day: int) -> str:
    """`2026-12-25`."""
    return date.fromordinal(day + EPOCH).isoformat()


def _date(text: str, shown: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{shown}' is not a day that there is") from None


def _exists(year: int, month: int, month_day: int) -> bool:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return leap or (month, month_day) != (2, 29)
