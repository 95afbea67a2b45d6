"""Hours: the stretches of the wall clock's day that `only_between` leaves."""

import re
from bisect import bisect_right
from dataclasses import dataclass

from jober.errors import ScheduleError

DAY_MS = 86_400_000
_WINDOW = re.compile(r"\s*(\d\d):(\d\d)(?::(\d\d))?\s*-\s*(\d\d):(\d\d)(?::(\d\d))?\s*")
_MEND = 'write "08:00-18:00", or "22:00-06:00" over midnight, or a list of such'
_WINDOWS_AT_MOST = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """`windows` (from, to before) in milliseconds of the clock, in order and apart; `text` is
    how they were written."""

    windows: tuple[tuple[int, int], ...]
    text: str = ""

    def holds(self, clock_ms: int) -> bool:
        return self.inside_from(clock_ms) == clock_ms

    def inside_from(self, clock_ms: int) -> int | None:
        """The first time of the day from `clock_ms` on that lies in a window."""
        place = bisect_right(self.windows, (clock_ms, DAY_MS + 1)) - 1
        if place >= 0 and clock_ms < self.windows[place][1]:
            return clock_ms
        return self.windows[place + 1][0] if place + 1 < len(self.windows) else None

    def outside_from(self, clock_ms: int) -> int | None:
        """The first time of the day from `clock_ms` on that lies in none."""
        place = bisect_right(self.windows, (clock_ms, DAY_MS + 1)) - 1
        if place < 0 or clock_ms >= self.windows[place][1]:
            return clock_ms
        end = self.windows[place][1]
        return end if end < DAY_MS else None


ALL_DAY = Hours(windows=((0, DAY_MS),))


def read_hours(value: object) -> Hours:
    """The hours of an `only_between`. ScheduleError for what is wrong."""
    items = value if isinstance(value, list | tuple) else [value]
    if not items or len(items) > _WINDOWS_AT_MOST:
        problem = "leaves no hours at all" if not items else f"has {len(items)} windows"
        raise ScheduleError(problem, field="only_between", value=value, mend=_MEND)
    windows: list[tuple[int, int]] = []
    for item in items:
        found = _WINDOW.fullmatch(item) if isinstance(item, str) else None
        if not found:
            raise _refused(item, "is not a pair of times")
        first, last = (_clock(str(item), part) for part in (found.groups()[:3], found.groups()[3:]))
        if first == last or first == DAY_MS:
            raise _refused(item, "is empty")
        if first < last:
            windows.append((first, last))
        else:
            windows += [(first, DAY_MS), (0, last)]
    merged: list[tuple[int, int]] = []
    for first, last in sorted(window for window in windows if window[0] < window[1]):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    text = " and ".join("".join(str(item).split()) for item in items)
    return Hours(windows=tuple(merged), text=text)


def _clock(item: str, parts: tuple[str | None, ...]) -> int:
    hour, minute, second = (int(part or 0) for part in parts)
    if minute > 59 or second > 59 or hour * 3600 + minute * 60 + second > 86_400:
        raise _refused(item, "holds a time that no clock shows")
    return (hour * 3600 + minute * 60 + second) * 1000


def _refused(item: object, problem: str) -> ScheduleError:
    return ScheduleError(f"{item!r} {problem}", field="only_between", value=item, mend=_MEND)
