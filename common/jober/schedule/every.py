"""Every: fires at a fixed distance, and optionally at a given place of the wall clock.

The rule, `t = last + n units`: seconds to weeks are elapsed time, a month is a calendar month
in the job's zone, its day clamped to the month's last. With `at`, fields of t's wall clock
are replaced, and the result is read in the zone: in a gap the first instant after it, in a
repeated time the first pass that is later than `last`. What is not later than `last` is a
NextFireTimeError.

With an anchor the fires are the chain that this rule makes from it, and three things are
better than blind repetition:
- months are counted from the anchor, so that a chain from the 31st comes back to the 31st;
- where the rule would stand still only because the zone's offset changed (daily at 00:00,
  on the night the clock goes back over midnight), the step is taken again from there;
- the place in the chain is found by arithmetic: at once without `at`, span by span with it.
"""

from bisect import bisect_right
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from jober.errors import NextFireTimeError
from jober.schedule.plan import Refusal, count, newest
from jober.schedule.zone import LAST, Gap, Repeat, Zone, wall_date, wall_text

Unit = Literal["second", "minute", "hour", "day", "week", "month"]
UNIT_MS: dict[str, int] = {
    "second": 1000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 604_800_000,
}
_DAY = 86_400_000
_EPOCH = 719_163
_CYCLE = 64  # how many steps are looked at for a repetition before walking on


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """The fields of the wall clock to be replaced; None leaves one as it is."""

    day: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None

    @property
    def period_ms(self) -> int | None:
        """The shift of the wall that leaves the replacing as it is; None where `day` is given."""
        if self.day is not None:
            return None
        if self.hour is not None:
            return _DAY
        return 3_600_000 if self.minute is not None else 60_000

    def replaced(self, wall_ms: int) -> int:
        """The wall time with the fields put in; a second that is put in has no fraction."""
        day, clock = divmod(wall_ms, _DAY)
        hour, minute = clock // 3_600_000, clock // 60_000 % 60
        rest = clock % 60_000
        if self.day is not None:
            when = date.fromordinal(day + _EPOCH)
            day += min(self.day, monthrange(when.year, when.month)[1]) - when.day
        if self.hour is not None:
            hour = self.hour
        if self.minute is not None:
            minute = self.minute
        if self.second is not None:
            rest = self.second * 1000
        return day * _DAY + hour * 3_600_000 + minute * 60_000 + rest

    def words(self) -> str:
        """`at 03:15:00` as `at 03:15`; `on day 31 at minute 15`."""
        day = "" if self.day is None else f"on day {self.day} "
        if self.hour is not None and self.minute is not None and self.second is not None:
            second = f":{self.second:02d}" if self.second else ""
            return f"{day}at {self.hour:02d}:{self.minute:02d}{second}"
        given = {"hour": self.hour, "minute": self.minute, "second": self.second}
        parts = [f"{name} {value}" for name, value in given.items() if value is not None]
        if self.second == 0 and len(parts) > 1:
            parts.pop()
        return f"{day}at {', '.join(parts)}" if parts else day.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """An interval of `step_ms` (fixed units) or of `months`; exactly one is not 0.

    `text` says the interval in words. `_memo` keeps the last place found in a chain.
    """

    text: str
    zone: Zone
    step_ms: int
    months: int
    at: At | None
    gap: Gap
    repeat: Repeat
    _memo: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)], compare=False)

    @property
    def zoned(self) -> bool:
        return self.at is not None or self.months > 0

    def next_ms(self, moment_ms: int, anchor_ms: int | None = None) -> int | None:
        if anchor_ms is None:
            return self._step(moment_ms)
        if moment_ms < anchor_ms and self._lies_on(anchor_ms):
            return anchor_ms
        if self.months:
            return self._month_chain(moment_ms, anchor_ms)
        if self.at is None:
            steps = max((moment_ms - anchor_ms) // self.step_ms + 1, 1)
            fire = anchor_ms + steps * self.step_ms
            return fire if fire <= LAST * 1000 else None
        return self._chain(moment_ms, anchor_ms)

    def last_ms(self, start_ms: int, end_ms: int, anchor_ms: int | None = None) -> int | None:
        anchor = start_ms if anchor_ms is None else anchor_ms
        return newest(lambda moment: self.next_ms(moment, anchor), start_ms, end_ms)

    def count_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None = None, limit: int = 1000
    ) -> int:
        anchor = start_ms if anchor_ms is None else anchor_ms
        if self.at is None and self.step_ms:
            first = self.next_ms(start_ms, anchor)
            if first is None or first > end_ms:
                return 0
            return min((end_ms - first) // self.step_ms + 1, limit)
        return count(lambda moment: self.next_ms(moment, anchor), start_ms, end_ms, limit)

    def describe(self) -> str:
        return f"every {self.text}" + (f" {self.at.words()}" if self.at else "")

    def refusals_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None, limit: int
    ) -> list[Refusal]:
        return []

    def notes(self, fire_ms: int, anchor_ms: int | None = None) -> tuple[str, ...]:
        if self.at is None and not self.months:
            return ()
        utc, millis = divmod(fire_ms, 1000)
        wall = self.zone.wall(utc)
        passes = self.zone.passes(wall)
        if len(passes) > 1:
            which = "first" if utc == passes[0] else "second"
            return (f"{wall_text(wall)} occurs twice on {wall_date(wall)}: the {which}",)
        before = self.zone.wall(utc - 1) + 1
        moved = self.at is not None and self.at.replaced(wall * 1000 + millis) != wall * 1000
        if before < wall and moved:
            return (
                f"{wall_text(before)} to {wall_text(wall)} does not exist on {wall_date(wall)}: "
                f"runs at {wall_text(wall)}",
            )
        return ()

    # The rule

    def _step(self, last_ms: int) -> int | None:
        """The rule itself, from `last`. NextFireTimeError if it does not move forward."""
        if self.at is None and self.step_ms:
            fire = last_ms + self.step_ms
            return fire if fire <= LAST * 1000 else None
        for times in range(1, 5):  # more than once only where gaps are skipped
            target = self._wall(last_ms, times)
            if target is None:
                return None
            fires = self._read(target)
            if fires:
                later = [fire for fire in fires if fire > last_ms]
                if not later:
                    raise self._stuck(last_ms)
                return later[0]
        return None

    def _wall(self, last_ms: int, times: int) -> int | None:
        """The wall time that the rule asks for after `times` steps; None beyond year 9999."""
        if self.months:
            wall = self._wall_of(last_ms)
            day, clock = divmod(wall, _DAY)
            when = date.fromordinal(day + _EPOCH)
            index = when.year * 12 + when.month - 1 + times * self.months
            if index >= 9999 * 12:
                return None
            year, month = index // 12, index % 12 + 1
            month_day = min(when.day, monthrange(year, month)[1])
            wall = (date(year, month, month_day).toordinal() - _EPOCH) * _DAY + clock
        else:
            target = last_ms + times * self.step_ms
            if target > LAST * 1000:
                return None
            wall = self._wall_of(target)
        return wall if self.at is None else self.at.replaced(wall)

    def _wall_of(self, moment_ms: int) -> int:
        utc, millis = divmod(moment_ms, 1000)
        return self.zone.wall(utc) * 1000 + millis

    def _read(self, wall_ms: int) -> tuple[int, ...]:
        """The instants of a wall time, the wanted one first; none for a gap that is skipped."""
        wall, millis = divmod(wall_ms, 1000)
        found = self.zone.passes(wall)
        if found:
            order = found[::-1] if self.repeat == "last" else found
            return tuple(utc * 1000 + millis for utc in order)
        return (self.zone.after_gap(wall) * 1000,) if self.gap == "after" else ()

    def _stuck(self, last_ms: int) -> NextFireTimeError:
        wall = self._wall_of(last_ms) // 1000
        return NextFireTimeError(
            f"{self.describe()} does not move on from {wall_date(wall)} {wall_text(wall)}",
            field="every",
            value=self.text,
            mend="take an interval longer than what 'at' replaces, as every hour at minute 15",
        )

    # The chain

    def _lies_on(self, anchor_ms: int) -> bool:
        """Whether the anchor itself is a fire: always, but for one that `at` would move."""
        if self.at is None:
            return True
        wall = self._wall_of(anchor_ms)
        return self.at.replaced(wall) == wall

    def _month_chain(self, moment_ms: int, anchor_ms: int) -> int | None:
        ahead = date.fromordinal(self._wall_of(max(moment_ms, anchor_ms)) // _DAY + _EPOCH)
        begin = date.fromordinal(self._wall_of(anchor_ms) // _DAY + _EPOCH)
        passed = (ahead.year - begin.year) * 12 + ahead.month - begin.month
        times = max(passed // self.months - 1, 1)
        while True:
            target = self._wall(anchor_ms, times)
            if target is None:
                return None
            for fire in self._read(target)[:1]:
                if fire > moment_ms:
                    return fire
            times += 1

    def _chain(self, moment_ms: int, anchor_ms: int) -> int | None:
        """The first fire of the chain later than the moment, for fixed units with `at`."""
        anchor, last = self._memo[0]
        if anchor != anchor_ms or last > moment_ms or last < anchor_ms:
            last = anchor_ms
        while True:
            last = self._leap(last, moment_ms)
            self._memo[0] = (anchor_ms, last)
            found = self._link(last)
            if found is None:
                return None
            last, fires = found
            if last > moment_ms and fires:
                return last

    def _link(self, last_ms: int) -> tuple[int, bool] | None:
        """The next link of the chain, and whether it fires (it may lie in a skipped gap)."""
        for times in range(1, 400):
            target = self._wall(last_ms, times)
            if target is None:
                return None
            fires = self._read(target)
            fired = bool(fires)
            if not fires:
                fires = (self.zone.after_gap(target // 1000) * 1000,)
            if fires[0] > last_ms:
                return fires[0], fired
            moment = last_ms + times * self.step_ms
            # Not later: it was shown before. In a repeated hour go on with its own pass.
            if fired and fires[-1] > last_ms and self._second_pass(moment):
                return fires[-1], True
            if self._wall_of(moment) - self._wall_of(last_ms) == moment - last_ms:
                break  # no change of offset is to blame
        raise self._stuck(last_ms)

    def _second_pass(self, moment_ms: int) -> bool:
        passes = self.zone.passes(self.zone.wall(moment_ms // 1000))
        return len(passes) > 1 and moment_ms // 1000 >= passes[-1]

    def _leap(self, last_ms: int, moment_ms: int) -> int:
        """A link of the same chain, as late as may be, but not later than the moment.

        Within a span of constant offset a link is a function of the one before that does not
        change when the wall is shifted by a period of `at`. So once a link comes to the same
        place in its period again, whole rounds are leapt over.
        """
        assert self.at is not None
        period = self.at.period_ms
        if period is None or moment_ms - last_ms < 8 * self.step_ms:
            return last_ms
        utc = last_ms // 1000
        table = self.zone.reach(utc)
        span = bisect_right(table.starts, utc) - 1
        offset = table.offsets[span] * 1000
        until = min(table.safe_until[span] * 1000 - self.step_ms - period, moment_ms)
        if last_ms < table.safe_from[span] * 1000 + period:
            return last_ms
        here = last_ms
        for _ in range(_CYCLE):
            wall = self.at.replaced(here + self.step_ms + offset)
            step = wall - offset
            if step <= here or step > until:
                return here
            here = step
            if (here - last_ms) % period == 0:
                round_ms = here - last_ms
                return last_ms + max((until - last_ms) // round_ms, 0) * round_ms
        return here


def fixed_text(step_ms: int, *, placed: bool) -> str:
    """`10 seconds`, `90 minutes`, `0.5 seconds`: the largest unit that goes in evenly.

    A day is told as hours too, unless `at` places it on the clock: it is elapsed time.
    """
    for unit in ("week", "day", "hour", "minute", "second"):
        number, rest = divmod(step_ms, UNIT_MS[unit])
        if not rest:
            text = unit if number == 1 else f"{number} {unit}s"
            whole_days = unit in ("week", "day") and not placed
            return f"{text} ({step_ms // UNIT_MS['hour']} hours)" if whole_days else text
    return f"{step_ms / 1000:g} seconds"
