"""What every kind of schedule can do: the least that the rest is built upon."""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import NamedTuple, Protocol


class Refusal(NamedTuple):
    """A fire that is not made when it would be, why, and when it is made instead, if at all."""

    at_ms: int
    reason: str
    moved_ms: int | None = None


class Plan(Protocol):
    """Fires in epoch milliseconds, without bounds or jitter. Frozen, and equal by value."""

    @property
    def zoned(self) -> bool:
        """Whether the zone matters: not for an interval of elapsed time."""
        ...

    def next_ms(self, moment_ms: int, anchor_ms: int | None) -> int | None:
        """The first fire later than the moment; None if there is none."""
        ...

    def last_ms(self, start_ms: int, end_ms: int, anchor_ms: int | None) -> int | None:
        """The newest fire with start < fire <= end."""
        ...

    def count_ms(self, start_ms: int, end_ms: int, anchor_ms: int | None, limit: int) -> int:
        """How many fires there are with start < fire <= end; never more than `limit`."""
        ...

    def describe(self) -> str:
        """Words for people, without the zone."""
        ...

    def notes(self, fire_ms: int, anchor_ms: int | None) -> tuple[str, ...]:
        """What a change of the zone's offset, or an excluded day, did to this fire."""
        ...

    def refusals_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None, limit: int
    ) -> list[Refusal]:
        """The fires with start < fire <= end that hours or excluded days take out or move, in
        order; at most `limit`."""
        ...


def in_order(refusals: Iterable[Refusal], limit: int) -> list[Refusal]:
    """The first `limit` of them."""
    return sorted(refusals, key=attrgetter("at_ms"))[:limit]


def newest(next_ms: Callable[[int], int | None], start_ms: int, end_ms: int) -> int | None:
    """The newest fire with start < fire <= end, found by asking for next fires alone.

    Looks back from the end in growing windows until one holds a fire, then halves it: some
    forty questions for a year, however many fires it has.
    """
    if start_ms >= end_ms:
        return None
    size = 60_000
    while True:
        low = max(end_ms - size, start_ms)
        fire = next_ms(low)
        if fire is not None and fire <= end_ms:
            break
        if low == start_ms:
            return None
        size *= 8
    beyond = end_ms  # no fire lies in (beyond, end]
    while fire < beyond:
        middle = (fire + beyond) // 2
        later = next_ms(middle)
        if later is not None and later <= beyond:
            fire = later
        else:
            beyond = middle
    return fire


def count(next_ms: Callable[[int], int | None], start_ms: int, end_ms: int, limit: int) -> int:
    """How many fires there are with start < fire <= end, walked one by one up to `limit`."""
    found = 0
    fire = next_ms(start_ms)
    while found < limit and fire is not None and fire <= end_ms:
        found += 1
        fire = next_ms(fire)
    return found
