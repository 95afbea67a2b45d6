"""A schedule: when a job is due."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from jober.schedule.plan import Plan
from jober.schedule.zone import FIRST, LAST, Zone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludedFire:
    """A fire that is not made at `at`: the reason (`holidays, sat`), and the moment that it is
    moved to, None where it is skipped. Aware datetimes of the schedule's zone."""

    at: datetime
    reason: str
    moved_to: datetime | None = None

    def __str__(self) -> str:
        if self.moved_to is None:
            return f"not made: {self.reason}"
        return f"shifted to {self.moved_to:%Y-%m-%d %H:%M} ({self.reason})"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a job is due, in its zone. Made by `jober.schedule.parse`; equal by value.

    Moments may be aware datetimes of any zone, or epoch milliseconds in the methods that end
    in `_ms`. Fires are later than the moment they are asked for. `anchor` matters to `every`
    alone: its fires are the chain anchor, anchor + n, ...; without one the moment (for ranges:
    the start) is the anchor.
    """

    plan: Plan
    zone: Zone

    @property
    def timezone(self) -> str:
        """The IANA name of the zone."""
        return self.zone.name

    def next_after(self, moment: datetime, anchor: datetime | None = None) -> datetime | None:
        """The first fire strictly later than the moment, in the schedule's zone.

        None if there is none. ValueError for a naive moment; NextFireTimeError where an
        `every` does not move forward.
        """
        anchor_ms = None if anchor is None else _floor_ms(anchor)
        fire = self.next_after_ms(_floor_ms(moment), anchor_ms)
        return None if fire is None else self.zone.aware(fire)

    def next_after_ms(self, moment_ms: int, anchor_ms: int | None = None) -> int | None:
        """`next_after` in epoch milliseconds."""
        if moment_ms < _FIRST_MS:
            moment_ms = _FIRST_MS
        if moment_ms >= _LAST_MS:
            return None
        return self.plan.next_ms(moment_ms, anchor_ms)

    def between(
        self, start: datetime, end: datetime, anchor: datetime | None = None
    ) -> Iterator[datetime]:
        """The fires with start < fire <= end, one by one as they are asked for."""
        for fire in self.between_ms(
            _floor_ms(start), _floor_ms(end), None if anchor is None else _floor_ms(anchor)
        ):
            yield self.zone.aware(fire)

    def between_ms(self, start_ms: int, end_ms: int, anchor_ms: int | None = None) -> Iterator[int]:
        """`between` in epoch milliseconds."""
        anchor = start_ms if anchor_ms is None else anchor_ms
        fire = self.next_after_ms(start_ms, anchor)
        while fire is not None and fire <= end_ms:
            yield fire
            fire = self.next_after_ms(fire, anchor)

    def last_between(
        self, start: datetime, end: datetime, anchor: datetime | None = None
    ) -> datetime | None:
        """The newest fire with start < fire <= end, found without walking through all."""
        fire = self.last_between_ms(
            _floor_ms(start), _floor_ms(end), None if anchor is None else _floor_ms(anchor)
        )
        return None if fire is None else self.zone.aware(fire)

    def last_between_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None = None
    ) -> int | None:
        """`last_between` in epoch milliseconds."""
        start_ms, end_ms = max(start_ms, _FIRST_MS), min(end_ms, _LAST_MS)
        return self.plan.last_ms(start_ms, end_ms, anchor_ms) if start_ms < end_ms else None

    def count_between(
        self, start: datetime, end: datetime, anchor: datetime | None = None, limit: int = 1000
    ) -> int:
        """How many fires there are with start < fire <= end; never more than `limit`."""
        return self.count_between_ms(
            _floor_ms(start),
            _floor_ms(end),
            None if anchor is None else _floor_ms(anchor),
            limit,
        )

    def count_between_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None = None, limit: int = 1000
    ) -> int:
        """`count_between` in epoch milliseconds."""
        start_ms, end_ms = max(start_ms, _FIRST_MS), min(end_ms, _LAST_MS)
        return self.plan.count_ms(start_ms, end_ms, anchor_ms, limit) if start_ms < end_ms else 0

    def describe(self) -> str:
        """Words for people: `every weekday at 03:00 (Europe/Warsaw)`, `every 10 seconds`."""
        words = self.plan.describe()
        return f"{words} ({self.zone.name})" if self.plan.zoned else words

    def notes(self, fire: datetime, anchor: datetime | None = None) -> tuple[str, ...]:
        """What a change of the zone's offset, or an excluded day, did to this fire, in words;
        mostly nothing. `shifted from 2026-12-25 (holidays)`: give the anchor where an `every`
        is shifted, or this is not told."""
        return self.plan.notes(_floor_ms(fire), None if anchor is None else _floor_ms(anchor))

    def excluded_between(
        self, start: datetime, end: datetime, anchor: datetime | None = None, limit: int = 1000
    ) -> tuple[ExcludedFire, ...]:
        """The fires with start < at <= end that hours or excluded days take out, or move to
        another moment; the first `limit` of them. Moments are those before any jitter."""
        start_ms, end_ms = max(_floor_ms(start), _FIRST_MS), min(_floor_ms(end), _LAST_MS)
        if start_ms >= end_ms:
            return ()
        anchor_ms = start_ms if anchor is None else _floor_ms(anchor)
        return tuple(
            ExcludedFire(
                at=self.zone.aware(refusal.at_ms),
                reason=refusal.reason,
                moved_to=None if refusal.moved_ms is None else self.zone.aware(refusal.moved_ms),
            )
            for refusal in self.plan.refusals_ms(start_ms, end_ms, anchor_ms, limit)
        )

    def why_not(self, moment: datetime, anchor: datetime | None = None) -> str | None:
        """Why a fire due at the moment, to the millisecond, is not made then: `not made:
        holidays`, or `shifted to 2026-12-28 03:00 (holidays)`. None if it is made, or none is
        due there at all."""
        before = moment - timedelta(milliseconds=1)
        moment_ms = _floor_ms(moment)
        own = moment if anchor is None else anchor
        if self.next_after_ms(moment_ms - 1, _floor_ms(own)) == moment_ms:
            return None
        found = self.excluded_between(before, moment, own, 1)
        return str(found[0]) if found else None


_FIRST_MS = FIRST * 1000
_LAST_MS = LAST * 1000


def _floor_ms(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone: a moment must be aware")
    since = moment - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
