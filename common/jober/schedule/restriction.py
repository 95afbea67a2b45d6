"""Which moments a schedule may fire at: those in its hours, on days that are not excluded.

Both are read on the wall clock that the zone shows at that very moment, so that a change of
offset needs no rule of its own. Nothing is walked through: within a span of constant offset
the next moment wanted is found by arithmetic.
"""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from jober.schedule.exclusion import Exclusion
from jober.schedule.hours import DAY_MS, Hours
from jober.schedule.zone import LAST, Zone

# How many fires in a row may be refused, the rest of a stretch being leapt over: almost three
# years of days. What comes after so many is taken for nothing.
TRIES = 1000

Fires = Callable[[int], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """`hours` and excluded days of a schedule, in its zone."""

    zone: Zone
    hours: Hours
    days: Exclusion

    def allows(self, moment_ms: int) -> bool:
        return self.allowed_from(moment_ms) == moment_ms

    def allowed_from(self, moment_ms: int) -> int | None:
        """The first moment from `moment_ms` on at which a fire is allowed."""
        return self._first(moment_ms, self._allowed_wall)

    def excluded_from(self, moment_ms: int) -> int | None:
        """The first moment from `moment_ms` on in the hours of a day that is excluded."""
        return self._first(moment_ms, self._excluded_wall)

    def refused_from(self, moment_ms: int) -> int | None:
        """The first moment from `moment_ms` on at which a fire is not allowed."""
        return self._first(moment_ms, self._refused_wall)

    def wall_ms(self, moment_ms: int) -> int:
        utc, millis = divmod(moment_ms, 1000)
        return self.zone.wall(utc) * 1000 + millis

    def _allowed_wall(self, wall_ms: int) -> int | None:
        return self._in_hours(wall_ms, self.days.free_from)

    def _excluded_wall(self, wall_ms: int) -> int | None:
        return self._in_hours(wall_ms, self.days.covered_from)

    def _refused_wall(self, wall_ms: int) -> int | None:
        day, clock = divmod(wall_ms, DAY_MS)
        if self.days.covers(day):
            return wall_ms
        out = self.hours.outside_from(clock)
        if out is not None:
            return day * DAY_MS + out
        if self.hours.outside_from(0) == 0:
            return (day + 1) * DAY_MS
        following = self._refused_day(day + 1)
        return None if following is None else following

    def _refused_day(self, day: int) -> int | None:
        """The first refused wall time of the days from `day` on, which begin in the hours."""
        excluded = self.days.covered_from(day)
        out = self.hours.outside_from(0)
        if out is not None and excluded != day:
            return day * DAY_MS + out
        return None if excluded is None else excluded * DAY_MS

    def _in_hours(self, wall_ms: int, day_from: Callable[[int], int | None]) -> int | None:
        """The first wall time from `wall_ms` on in the hours of the days wanted."""
        day, clock = divmod(wall_ms, DAY_MS)
        if day_from(day) == day:
            found = self.hours.inside_from(clock)
            if found is not None:
                return day * DAY_MS + found
            day += 1
        wanted = day_from(day)
        return None if wanted is None else wanted * DAY_MS + self.hours.windows[0][0]

    def _first(self, moment_ms: int, wall_from: Fires) -> int | None:
        """The first moment from `moment_ms` on whose wall time is one that `wall_from` finds."""
        table = self.zone.reach(moment_ms // 1000)
        span = bisect_right(table.starts, moment_ms // 1000) - 1
        ended = False
        while True:
            offset_ms = table.offsets[span] * 1000
            wall = wall_from(moment_ms + offset_ms)
            end = table.ends[span]
            if wall is not None and wall - offset_ms < end * 1000:
                return wall - offset_ms
            # None on two clocks in a row: also the one that may have been put back is past it.
            if end >= LAST or wall is None and ended:
                return None
            ended = wall is None
            moment_ms = end * 1000
            table = self.zone.reach(end)
            if table.ends[span] == end:  # else the table has grown, and this span with it
                span += 1


def next_in(fires: Fires, stretch_from: Fires, moment_ms: int) -> int | None:
    """The first fire later than the moment that lies in the stretches wanted, given the first
    moment of them from any moment on. None also after `TRIES` fires that do not."""
    for _ in range(TRIES):
        fire = fires(moment_ms)
        if fire is None:
            return None
        wanted = stretch_from(fire)
        if wanted == fire:
            return fire
        if wanted is None:
            return None
        moment_ms = wanted - 1
    return None


def until(fires: Fires, end_ms: int) -> Fires:
    """The same fires, none of them later than the end: so none is searched for beyond it."""

    def bounded(moment_ms: int) -> int | None:
        fire = fires(moment_ms)
        return fire if fire is not None and fire <= end_ms else None

    return bounded
