"""Which days of a month a cron expression names.

Every kind of day (`13`, `L`, `L-2`, `LW`, `15W`, `FRI`, `5L`, `2#3`) depends only on the
weekday of the first and on the length of the month: 28 kinds of month in all, so each
expression's days are 28 bit masks, worked out when first needed.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from jober.schedule.cron_fields import DAY, WEEKDAY, number, values

_ALL_DAYS = (1 << 31) - 1
_ALL_WEEK = 127
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The days of the two day fields; `both` tells whether both must match, or either.

    `days` has bit d-1 for day d, `week` bit 0 for Sunday. `from_end`: days counted back from
    the last. `nearest`: the weekday nearest to that day, 32 for the last one. `nth`: weekday
    and which of the month, 0 for the last.
    """

    both: bool
    days: int
    from_end: tuple[int, ...]
    nearest: tuple[int, ...]
    week: int
    nth: tuple[tuple[int, int], ...]
    _masks: list[int] = field(default_factory=lambda: [-1] * 28, compare=False, repr=False)

    @property
    def weekly(self) -> int | None:
        """The weekdays as bits, if nothing but the weekday matters; else None."""
        if self.both:
            return self.week if self.days == _ALL_DAYS and not self.nth else None
        return _ALL_WEEK if self.days == _ALL_DAYS or self.week == _ALL_WEEK else None

    def mask(self, first: int, length: int) -> int:
        """The days of a month whose first is weekday `first` (0 is Sunday): bit d-1 for day d."""
        kind = first * 4 + length - 28
        mask = self._masks[kind]
        if mask < 0:
            mask = self._masks[kind] = self._work_out(first, length)
        return mask

    def possible(self, months: tuple[int, ...]) -> bool:
        """Whether any of these months (1-12) ever has such a day.

        Exact: within 400 years each month begins on each weekday, the leap February too.
        """
        if self.days & ((1 << 28) - 1) and (not self.both or self.week == _ALL_WEEK):
            return True
        lengths = {_LENGTHS[month - 1] for month in months} | ({28} if 2 in months else set())
        return any(self.mask(first, length) for length in lengths for first in range(7))

    def _work_out(self, first: int, length: int) -> int:
        month = (1 << length) - 1
        days = self.days
        for back in self.from_end:
            if back < length:
                days |= 1 << length - 1 - back
        for wanted in self.nearest:
            if wanted == 32:
                days |= 1 << _last_working(first, length) - 1
            elif wanted <= length:
                days |= 1 << _nearest_working(wanted, first, length) - 1
        week = month if self.week == _ALL_WEEK else 0
        if not week:
            for weekday in range(7):
                if self.week >> weekday & 1:
                    week |= _every(weekday, first)
        for weekday, which in self.nth:
            day = (weekday - first) % 7 + 1
            day += (which - 1) * 7 if which else (length - day) // 7 * 7
            if day <= length:
                week |= 1 << day - 1
        return (days & week if self.both else days | week) & month


def read_days(day_text: str, week_text: str, seed: str) -> Days:
    """The days that two fields name together; ScheduleError for what is wrong in them."""
    day_text, week_text = day_text.lower(), week_text.lower()
    days, from_end, nearest = _read_month_days(day_text, seed)
    week, nth = _read_week_days(week_text, seed)
    return Days(
        both=day_text[0] in "*?" or week_text[0] in "*?",
        days=days,
        from_end=from_end,
        nearest=nearest,
        week=week,
        nth=nth,
    )


def _read_month_days(text: str, seed: str) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    if text in ("*", "?"):
        return _ALL_DAYS, (), ()
    plain: list[str] = []
    from_end: set[int] = set()
    nearest: set[int] = set()
    for item in text.split(","):
        if item == "l":
            from_end.add(0)
        elif item.startswith("l-"):
            from_end.add(number(DAY, item[2:]))
        elif item in ("lw", "wl"):
            nearest.add(32)
        elif item.endswith("w") or item.startswith("w"):
            nearest.add(number(DAY, item.strip("w")))
        elif item.endswith("-l"):
            plain.append(f"{item[:-2]}-31")
        else:
            plain.append(item)
    found = values(DAY, ",".join(plain), seed) if plain else ()
    return sum(1 << day - 1 for day in found), tuple(sorted(from_end)), tuple(sorted(nearest))


def _read_week_days(text: str, seed: str) -> tuple[int, tuple[tuple[int, int], ...]]:
    if text in ("*", "?"):
        return _ALL_WEEK, ()
    plain: list[str] = []
    nth: set[tuple[int, int]] = set()
    for item in text.split(","):
        if "#" in item:
            weekday, _, which = item.partition("#")
            if which not in ("1", "2", "3", "4", "5"):
                WEEKDAY.refuse(f"'{item}' asks for no 1st to 5th", "write 2#3: the third Tuesday")
            nth.add((number(WEEKDAY, weekday) % 7, int(which)))
        elif item == "l":
            WEEKDAY.refuse("'L' names no day", "write 5L: the last Friday, or L as day of month")
        elif item.endswith("l") or item.startswith("l"):
            nth.add((number(WEEKDAY, item.strip("l")) % 7, 0))
        else:
            plain.append(item)
    found = {day % 7 for day in values(WEEKDAY, ",".join(plain), seed)} if plain else set()
    return sum(1 << day for day in found), tuple(sorted(nth))


@lru_cache(maxsize=49)
def _every(weekday: int, first: int) -> int:
    return sum(1 << day - 1 for day in range((weekday - first) % 7 + 1, 32, 7))


def _nearest_working(day: int, first: int, length: int) -> int:
    """The Monday to Friday nearest to `day` within the month."""
    weekday = (first + day - 1) % 7
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 0:
        return day + 1 if day < length else day - 2
    return day


def _last_working(first: int, length: int) -> int:
    weekday = (first + length - 1) % 7
    return length - {6: 1, 0: 2}.get(weekday, 0)
