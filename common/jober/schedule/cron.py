"""Cron: the fires of an expression in a zone.

First the wall clock alone (`_wall_after`): the next time that the fields match, by tables.
Then the zone: within a span of constant offset a wall time is an instant, and a fire found
in the safe part of a span is final. Only near a change of offset the slow way is gone
(`_walk`), span by span, where a gap may fire and a repeated time may be left out.

The rules are Debian cron's. A job whose minute or hour begins with `*` follows the wall clock
as it really runs; every other job fires once for what falls in a gap, at the first instant
after it, and in a repeated hour at the first pass only.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from jober.errors import ScheduleError, did_you_mean
from jober.schedule.cron_days import Days, read_days
from jober.schedule.cron_fields import HOUR, MINUTE, MONTH, SECOND, is_spread, jumps, values
from jober.schedule.plan import Refusal, count, newest
from jober.schedule.words import cron_words
from jober.schedule.zone import LAST, Gap, Repeat, Zone, wall_date, wall_text

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EPOCH = 719_163  # the ordinal of 1970-01-01
_LENGTHS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LAST_DAY = LAST // 86_400
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Cron:
    """An expression in a zone. Made by `read_cron`.

    `seconds` to `months` are the sorted values of the fields. `gap` and `repeat` are what is
    done, with the default already put in.
    """

    text: str
    zone: Zone
    gap: Gap
    repeat: Repeat
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: Days
    months: tuple[int, ...]
    _next_second: tuple[int, ...] = field(compare=False, repr=False)
    _next_minute: tuple[int, ...] = field(compare=False, repr=False)
    _next_hour: tuple[int, ...] = field(compare=False, repr=False)
    _ahead: tuple[int, ...] = field(compare=False, repr=False)
    _first: int = field(compare=False, repr=False)

    @property
    def zoned(self) -> bool:
        return True

    def next_ms(self, moment_ms: int, anchor_ms: int | None = None) -> int | None:
        utc = moment_ms // 1000
        starts, _, offsets, safe_from, safe_until, _ = self.zone.table
        span = bisect_right(starts, utc) - 1
        offset = offsets[span]
        wall = self._wall_after(utc + offset)
        fire = wall - offset
        if safe_from[span] <= fire < safe_until[span]:
            return fire * 1000
        if utc < safe_until[span]:
            # All that the wall shows from here on is new, so the match is the one wanted.
            span = bisect_right(starts, fire) - 1
            fire = wall - offsets[span]
            if safe_from[span] <= fire < safe_until[span]:
                return fire * 1000
        found = self._walk(utc)
        return None if found is None else found * 1000

    def last_ms(self, start_ms: int, end_ms: int, anchor_ms: int | None = None) -> int | None:
        return newest(self.next_ms, start_ms, end_ms)

    def count_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None = None, limit: int = 1000
    ) -> int:
        return count(self.next_ms, start_ms, end_ms, limit)

    def describe(self) -> str:
        return cron_words(self.text, self.seconds, self.minutes, self.hours, self.days, self.months)

    def refusals_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None, limit: int
    ) -> list[Refusal]:
        return []

    def notes(self, fire_ms: int, anchor_ms: int | None = None) -> tuple[str, ...]:
        utc = fire_ms // 1000
        told: list[str] = []
        wall = self.zone.wall(utc)
        missing = self._in_gap_before(utc) if self.gap == "after" else None
        if missing is not None:
            told.append(
                f"{wall_text(missing)} does not exist on {wall_date(missing)}: "
                f"runs at {wall_text(wall)}"
            )
        passes = self.zone.passes(wall)
        if len(passes) > 1 and self._wall_after(wall - 1) == wall:
            which = "first" if utc == passes[0] else "second"
            told.append(f"{wall_text(wall)} occurs twice on {wall_date(wall)}: the {which}")
        return tuple(told)

    def _wall_after(self, wall: int) -> int:
        """The next wall time later than `wall` that the fields match; LAST + 1 if none."""
        day, clock = divmod(wall, 86_400)
        ahead = self._ahead
        if ahead:
            weekday = (day + 4) % 7
            matches = ahead[weekday] == 0
        else:
            matches = self._month_day(day)
        if matches:
            hour = clock // 3600
            found = self._next_hour[hour]
            if found == hour:
                minute = clock // 60 % 60
                found = self._next_minute[minute]
                if found == minute:
                    second = self._next_second[clock % 60 + 1]
                    if second < 60:
                        return wall - clock % 60 + second
                    found = self._next_minute[minute + 1]
                if found < 60:
                    return wall - clock % 3600 + found * 60 + self.seconds[0]
                found = self._next_hour[hour + 1]
            if found < 24:
                return wall - clock + found * 3600 + self._first % 3600
        if ahead:
            return (day + 1 + ahead[(day + 5) % 7]) * 86_400 + self._first
        return self._day_after(day) * 86_400 + self._first

    def _month_day(self, day: int) -> bool:
        """Whether the day, counted from the epoch, matches by its place in the month."""
        when = date.fromordinal(day + _EPOCH)
        month = when.month
        if month not in self.months:
            return False
        first = (day + 5 - when.day) % 7
        return self.days.mask(first, _length(when.year, month)) >> when.day - 1 & 1 == 1

    def _day_after(self, day: int) -> int:
        """The next day later than `day` that matches by its place in the month."""
        when = date.fromordinal(day + _EPOCH)
        year, month, past = when.year, when.month, when.day
        first_day = day - past + 1
        months = self.months
        mask = self.days.mask
        while first_day < _LAST_DAY:
            length = _length(year, month)
            if month in months:
                left = mask((first_day + 4) % 7, length) >> past
                if left:
                    return first_day + past + (left & -left).bit_length() - 1
            past = 0
            first_day += length
            month += 1
            if month == 13:
                year, month = year + 1, 1
        return _LAST_DAY + 9

    def _walk(self, utc: int) -> int | None:
        """The next fire, span by span: the way that knows gaps and repeated times."""
        table = self.zone.reach(utc)
        span = bisect_right(table.starts, utc) - 1
        while True:
            start, offset = table.starts[span], table.offsets[span]
            if start > utc and self.gap == "after" and self._gap_fires(span) is not None:
                return start
            wall = max(utc, start - 1) + offset
            while True:
                wall = self._wall_after(wall)
                fire = wall - offset
                if fire >= table.ends[span]:
                    break
                hidden = self._hidden(span, wall)
                if hidden is None:
                    return fire if fire <= LAST else None
                wall = hidden - 1
            end = table.ends[span]
            if end >= LAST:
                return None
            table = self.zone.reach(end)
            if table.ends[span] == end:  # else the table has grown, and this span with it
                span += 1

    def _hidden(self, span: int, wall: int) -> int | None:
        """If the repeat rule leaves out this pass of `wall`: the wall time where that ends."""
        if self.repeat == "both":
            return None
        if self.repeat == "first":
            return self._shown(max(span - 3, 0), span, wall)
        return self._shown(span + 1, span + 4, wall)

    def _shown(self, low: int, high: int, wall: int) -> int | None:
        """If one of the spans low..high-1 shows `wall`: the first wall time after that span."""
        table = self.zone.table
        for other in range(low, min(high, len(table.starts))):
            offset = table.offsets[other]
            if table.starts[other] + offset <= wall < table.ends[other] + offset:
                return table.ends[other] + offset
        return None

    def _gap_fires(self, span: int) -> int | None:
        """The first matching wall time in the gap before this span, never shown at all."""
        if span == 0:
            return None
        table = self.zone.table
        start = table.starts[span]
        wall = start + table.offsets[span - 1] - 1
        until = start + table.offsets[span]
        while wall < until - 1:
            wall = self._wall_after(wall)
            if wall >= until:
                break
            shown = self._shown(max(span - 3, 0), span + 4, wall)
            if shown is None:
                return wall
            wall = shown - 1
        return None

    def _in_gap_before(self, utc: int) -> int | None:
        """If a span begins at `utc`, the first matching time in the gap before it."""
        table = self.zone.reach(utc)
        span = bisect_right(table.starts, utc) - 1
        return self._gap_fires(span) if table.starts[span] == utc else None


def read_cron(text: str, zone: Zone, gap: Gap | None, repeat: Repeat | None, seed: str) -> Cron:
    """The plan of an expression. ScheduleError, field `cron`: which field, value and range.

    Jobs of the same expression and zone share one plan; the name `seed` counts for `H` and `~`.
    """
    return _read(text, zone, gap, repeat, seed if is_spread(text.lower()) else "")


@lru_cache(maxsize=16_384)
def _read(text: str, zone: Zone, gap: Gap | None, repeat: Repeat | None, seed: str) -> Cron:
    fields = _fields(text)
    if len(fields) == 5:
        fields.insert(0, "0")
    second, minute, hour, day, month, weekday = fields
    try:
        seconds = values(SECOND, second, seed)
        minutes = values(MINUTE, minute, seed)
        hours = values(HOUR, hour, seed)
        days = read_days(day, weekday, seed)
        months = values(MONTH, month, seed)
    except ScheduleError as error:
        error.value = text
        raise
    if not days.possible(months):
        raise ScheduleError(
            f"'{text}' can never fire: no such day is in month {month}",
            field="cron",
            value=text,
            mend="change the day of month or the month; L is the last day of any month",
        )
    follows = minute[0] == "*" or hour[0] == "*"
    weekly = days.weekly if len(months) == 12 else None
    return Cron(
        text,
        zone,
        gap or ("skip" if follows else "after"),
        repeat or ("both" if follows else "first"),
        seconds,
        minutes,
        hours,
        days,
        months,
        jumps(seconds, 60),
        jumps(minutes, 60),
        jumps(hours, 24),
        () if weekly is None else _AHEAD[weekly],
        hours[0] * 3600 + minutes[0] * 60 + seconds[0],
    )


def _fields(text: str) -> list[str]:
    if len(text) > _LONGEST:
        raise ScheduleError(
            f"it is {len(text):,} characters long",
            field="cron",
            value=text,
            mend=f"at most {_LONGEST:,}; any_of takes several expressions",
        )
    fields = text.split()
    if len(fields) == 1 and fields[0].startswith("@"):
        alias = fields[0].lower()
        if alias not in ALIASES:
            near = did_you_mean(alias, ALIASES)
            raise ScheduleError(
                f"'{fields[0]}' is no alias{near}",
                field="cron",
                value=text,
                mend=f"one of {', '.join(ALIASES)}, or five fields; for intervals use every",
            )
        return ALIASES[alias].split()
    if len(fields) not in (5, 6):
        raise ScheduleError(
            f"'{text}' has {len(fields)} field{'' if len(fields) == 1 else 's'}",
            field="cron",
            value=text,
            mend="write five: minute, hour, day of month, month, day of week; or seconds first",
        )
    return fields


def _length(year: int, month: int) -> int:
    if month == 2 and year % 4 == 0 and (year % 100 or year % 400 == 0):
        return 29
    return _LENGTHS[month]


def _steps(week: int) -> tuple[int, ...]:
    return tuple(
        min((ahead for ahead in range(7) if week >> (day + ahead) % 7 & 1), default=0)
        for day in range(7)
    )


# For each set of weekdays: how many days from each weekday to the next of the set.
_AHEAD = tuple(_steps(week) for week in range(128))
