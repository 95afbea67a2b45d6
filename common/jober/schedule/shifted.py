"""A plan whose fires on excluded days are moved to the next day that is free, or the one before.

How `only_between`, `exclude` and `shift` work together, and with the rest:
1. The fires of the schedule alone come first, bounded by `start` and `end`; of an `any_of` they
   are those of all its parts. An interval counts on through what is left out: no anchor moves.
2. A fire whose time on its own wall clock is not in `only_between` is none, and is not moved.
   Over midnight the day counts, not the evening: 01:00 of a Saturday is Saturday's.
3. A fire on an excluded day (of its own wall clock) is skipped, or moved by whole days to the
   nearest day that is not excluded: 366 days away at most, else it is skipped. It keeps its
   time of day, which is read as the schedule's `dst_gap` and `dst_repeat` say (a union's own;
   their defaults there are after and first). A moved fire lies on that very day, in
   `only_between`, and within `start` and `end`; else it is skipped.
4. Fires that meet are one: several excluded days moved onto one, or a moved fire and one that
   is due there anyhow.
5. `jitter` comes last. It never carries a fire out of its hours or into an excluded day.
6. If 1,000 fires in a row are refused (those of one day or night counting once, an excluded
   stretch not at all), there is no next fire.

The fires of a day that is free are its own and those moved to it, each moment once. So the
next fire is the sooner of two: the next that needs no moving, and the next that was moved. For
the second the excluded days are taken block by block (days in a row, which all move to the
same day), and of each day in a block only the first fire is asked for that could come to lie
later than the moment. A day is a map of the clock to instants, in stretches (`_Stretch`): one
on most days, more where the offset changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from jober.schedule.day_set import FIRST_DAY, LAST_DAY, day_text
from jober.schedule.hours import DAY_MS
from jober.schedule.plan import Plan, Refusal, count, in_order, newest
from jober.schedule.restricted import refusal_reason, refused, restriction_words
from jober.schedule.restriction import TRIES, Fires, Restriction, next_in, until
from jober.schedule.zone import Gap, Repeat, wall_text

DAYS_AT_MOST = 366  # how far a fire is moved; farther, it is skipped
_TOLD_AT_MOST = 3


class _Stretch(NamedTuple):
    """The clock from `low` to before `high`, in ms of its day, and the instant that a time of
    it stands for: by the `offset_ms`, or (in a gap) `moment_ms` for all of them."""

    low: int
    high: int
    offset_ms: int
    moment_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifted:
    """The fires of `plan` in the hours of the restriction, those on excluded days moved to the
    nearest day that is free: the `next`, or if not `forward` the one before.

    A moved fire keeps its time of day, read under `gap` and `repeat`; it stays on that day, and
    in the hours, or it is not made. A day that the zone leaves out is passed over.
    """

    plan: Plan
    restriction: Restriction
    forward: bool
    gap: Gap
    repeat: Repeat

    @property
    def zoned(self) -> bool:
        return True

    def next_ms(self, moment_ms: int, anchor_ms: int | None = None) -> int | None:
        return self._next(self._fires(moment_ms, anchor_ms), moment_ms)

    def last_ms(self, start_ms: int, end_ms: int, anchor_ms: int | None = None) -> int | None:
        anchor = start_ms if anchor_ms is None else anchor_ms
        # A fire moved to before the end may be due that much later.
        later = 0 if self.forward else (DAYS_AT_MOST + 3) * DAY_MS
        fires = until(self._fires(start_ms, anchor), end_ms + later)
        return newest(lambda moment: self._next(fires, moment), start_ms, end_ms)

    def count_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None = None, limit: int = 1000
    ) -> int:
        anchor = start_ms if anchor_ms is None else anchor_ms
        return count(lambda moment: self.next_ms(moment, anchor), start_ms, end_ms, limit)

    def describe(self) -> str:
        where = "the next day that is free" if self.forward else "the last free day before"
        return f"{self.plan.describe()}{restriction_words(self.restriction)}, but on {where}"

    def notes(self, fire_ms: int, anchor_ms: int | None = None) -> tuple[str, ...]:
        own = fire_ms if anchor_ms is None else anchor_ms
        if self.plan.next_ms(fire_ms - 1, own) == fire_ms:
            return self.plan.notes(fire_ms, anchor_ms)
        from_ms = list(self._moved_to(fire_ms, own))
        if not from_ms:
            return ()
        told = [self._told(source, fire_ms) for source in from_ms[:_TOLD_AT_MOST]]
        if len(from_ms) > _TOLD_AT_MOST:
            told.append(f"{len(from_ms) - _TOLD_AT_MOST} more")
        return (f"shifted from {' and '.join(told)}",)

    def refusals_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None, limit: int
    ) -> list[Refusal]:
        anchor = start_ms if anchor_ms is None else anchor_ms
        found = self.plan.refusals_ms(start_ms, end_ms, anchor, limit)
        for fire in refused(self.plan, self.restriction, start_ms, end_ms, anchor, limit):
            reason, moved = refusal_reason(self.restriction, fire), None
            day, clock = divmod(self.restriction.wall_ms(fire), DAY_MS)
            if self.restriction.hours.holds(clock):
                target = self._target(day)
                moved = None if target is None else self._moment(target, clock)
                if target is None:
                    reason += f"; no day is free within {DAYS_AT_MOST} days"
                elif moved is None:
                    reason += f"; no {wall_text(clock // 1000)} to move to on {day_text(target)}"
            found.append(Refusal(fire, reason, moved))
        return in_order(found, limit)

    # Fires that are moved

    def _fires(self, moment_ms: int, anchor_ms: int | None) -> Fires:
        """The plan's next fire later than any moment, as it is asked for at `moment_ms`: an
        interval without an anchor counts from there, and has no earlier fire."""
        plan = self.plan

        def anchored(after: int) -> int | None:
            return plan.next_ms(after, anchor_ms)

        def unanchored(after: int) -> int | None:
            if after < moment_ms:
                fire = plan.next_ms(after, moment_ms + 1)
                if fire is not None and fire <= moment_ms:
                    return fire
                after = moment_ms
            return plan.next_ms(after, moment_ms)

        return unanchored if anchor_ms is None else anchored

    def _next(self, fires: Fires, moment_ms: int) -> int | None:
        kept = next_in(fires, self.restriction.allowed_from, moment_ms)
        moved = self._moved_after(fires, moment_ms, kept)
        return min((fire for fire in (kept, moved) if fire is not None), default=None)

    def _moved_after(self, fires: Fires, moment_ms: int, kept: int | None) -> int | None:
        """The first moved fire later than the moment; not looked for where `kept` is sooner."""
        days = self.restriction.days
        cursor = self._look_back(moment_ms) if self.forward else moment_ms
        for _ in range(TRIES):
            source = next_in(fires, self.restriction.excluded_from, cursor)
            if source is None or self.forward and kept is not None and source >= kept:
                return None
            day = self._day(source)
            target = self._target(day)
            if target is None:
                free = days.free_from(day)
                if free is None:
                    return None
                if self.forward:
                    free = max(free - DAYS_AT_MOST, day + 1)
                cursor = max(source, self._end(free - 1))
                continue
            if not self.forward and kept is not None and target > self._day(kept) + 1:
                return None
            sources = self._sources(target)
            found = self._first_moved(fires, target, sources, moment_ms)
            if found is not None:
                return found
            cursor = max(source, self._end(sources[-1]))
        return None

    def _look_back(self, moment_ms: int) -> int:
        """A moment before every fire that could be moved over `moment_ms`."""
        latest = day = self._day(moment_ms) - 2
        while day > max(latest - DAYS_AT_MOST, FIRST_DAY) and self._is_passed(day):
            day -= 1
        return (day - 1) * DAY_MS

    def _first_moved(
        self, fires: Fires, target: int, sources: list[int], moment_ms: int
    ) -> int | None:
        """The first fire later than the moment among those moved from the sources."""
        best: int | None = None
        midnight = target * DAY_MS
        for stretch in self._stretches(target):
            low, high = stretch.low, stretch.high
            if stretch.moment_ms is None:
                low = max(low, moment_ms + 1 + stretch.offset_ms - midnight)
                if best is not None:
                    high = min(high, best + stretch.offset_ms - midnight)
            elif stretch.moment_ms <= moment_ms or best is not None and stretch.moment_ms >= best:
                continue
            for day in sources:
                clock = self._first_clock(fires, day, low, high)
                if clock is not None:
                    best = self._at(stretch, target, clock)
                    if stretch.moment_ms is not None:
                        break
                    high = clock
        return best

    def _first_clock(self, fires: Fires, day: int, low: int, high: int) -> int | None:
        """The earliest clock in low..high-1, in the hours, at which there is a fire that day."""
        best: int | None = None
        midnight = day * DAY_MS
        for first, last in self.restriction.hours.windows:
            for piece_low, piece_high, offset in self.restriction.zone.pieces(day):
                begin = max(low, first, piece_low * 1000)
                end = min(high, last, piece_high * 1000)
                if begin >= end:
                    continue
                fire = fires(midnight + begin - offset * 1000 - 1)
                if fire is not None and fire < midnight + end - offset * 1000:
                    best = high = fire + offset * 1000 - midnight
        return best

    def _moved_to(self, fire_ms: int, anchor_ms: int) -> Iterator[int]:
        """For a fire that was moved: of each day the first that was moved to it."""
        target, clock = divmod(self.restriction.wall_ms(fire_ms), DAY_MS)
        if self.restriction.days.covers(target):
            return
        fires = self._fires(fire_ms, anchor_ms)
        for stretch in self._stretches(target):
            low, high = stretch.low, stretch.high
            if stretch.moment_ms is None:
                if stretch.offset_ms != target * DAY_MS + clock - fire_ms:
                    continue
                low, high = max(low, clock), min(high, clock + 1)
            elif stretch.moment_ms != fire_ms:
                continue
            for day in self._sources(target):
                found = self._first_clock(fires, day, low, high)
                if found is not None:
                    yield day * DAY_MS + found  # the wall time is all that is told of it

    def _told(self, wall_ms: int, fire_ms: int) -> str:
        """`2026-12-25 (holidays)`; with the time where that has become another."""
        day, clock = divmod(wall_ms, DAY_MS)
        same = clock == self.restriction.wall_ms(fire_ms) % DAY_MS
        time = "" if same else f" {wall_text(clock // 1000)}"
        return f"{day_text(day)}{time} ({self.restriction.days.reason(day)})"

    # Days

    def _day(self, moment_ms: int) -> int:
        return self.restriction.wall_ms(moment_ms) // DAY_MS

    def _end(self, day: int) -> int:
        """The last moment of a day; of the one before where the zone leaves it out."""
        while not (pieces := self.restriction.zone.pieces(day)):
            day -= 1
        _, high, offset = pieces[-1]
        return day * DAY_MS + (high - offset) * 1000 - 1

    def _is_passed(self, day: int) -> bool:
        """Whether no fire is moved to the day: it is excluded, or left out by the zone."""
        if not FIRST_DAY + 2 < day < LAST_DAY - 2:
            return True
        return self.restriction.days.covers(day) or not self.restriction.zone.pieces(day)

    def _target(self, day: int) -> int | None:
        """The day that the fires of an excluded day are moved to."""
        step = 1 if self.forward else -1
        for target in range(day + step, day + step * (DAYS_AT_MOST + 1), step):
            if not self._is_passed(target):
                return target
        return None

    def _sources(self, target: int) -> list[int]:
        """The excluded days whose fires are moved to a day, in order."""
        step = -1 if self.forward else 1
        found = []
        day = target + step
        while abs(day - target) <= DAYS_AT_MOST and self._is_passed(day):
            if self.restriction.zone.pieces(day):
                found.append(day)
            day += step
        return sorted(found)

    def _stretches(self, day: int) -> list[_Stretch]:
        """What each time of a day stands for under `gap` and `repeat`."""
        pieces = self.restriction.zone.pieces(day)
        if len(pieces) == 1 and pieces[0][:2] == (0, 86_400):
            return [_Stretch(0, DAY_MS, pieces[0][2] * 1000)]
        found: list[_Stretch] = []
        taken: list[tuple[int, int]] = []
        for low, high, offset in pieces[::-1] if self.repeat == "last" else pieces:
            known = [] if self.repeat == "both" else taken
            found += [
                _Stretch(first * 1000, last * 1000, offset * 1000)
                for first, last in _left_of(low, high, known)
            ]
            taken.append((low, high))
        if self.gap == "after":
            for first, last in _left_of(0, 86_400, taken):
                after = self.restriction.zone.after_gap(day * 86_400 + first) * 1000
                after_day, clock = divmod(self.restriction.wall_ms(after), DAY_MS)
                if after_day == day and self.restriction.hours.holds(clock):
                    found.append(_Stretch(first * 1000, last * 1000, 0, after))
        return found

    def _moment(self, target: int, clock: int) -> int | None:
        """The first moment that a time of the target day stands for."""
        return min(
            (
                self._at(stretch, target, clock)
                for stretch in self._stretches(target)
                if stretch.low <= clock < stretch.high
            ),
            default=None,
        )

    def _at(self, stretch: _Stretch, target: int, clock: int) -> int:
        if stretch.moment_ms is not None:
            return stretch.moment_ms
        return target * DAY_MS + clock - stretch.offset_ms


def _left_of(low: int, high: int, taken: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The parts of low..high-1 that lie in none of those taken."""
    for first, last in sorted(taken):
        if low < first:
            yield low, min(first, high)
        low = max(low, last)
        if low >= high:
            return
    yield low, high
