"""What narrows or shifts the fires of any plan: a start, an end, a jitter.

`restricted` and `shifted` are such plans around a plan too, for hours and excluded days.
"""

import hashlib
from dataclasses import dataclass, field

from jober.schedule.plan import Plan, Refusal, count, newest
from jober.schedule.restriction import Restriction


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounded:
    """The fires of `plan` that lie neither before the start nor after the end.

    A start is also the anchor of an `every`: its chain begins there, whatever the anchor
    given, so that the definition alone says when it fires. `words` tells the bounds.
    """

    plan: Plan
    start_ms: int | None
    end_ms: int | None
    words: str = ""

    @property
    def zoned(self) -> bool:
        return self.plan.zoned or bool(self.words)

    def next_ms(self, moment_ms: int, anchor_ms: int | None = None) -> int | None:
        if self.start_ms is not None:
            anchor_ms = self.start_ms
            moment_ms = max(moment_ms, self.start_ms - 1)
        if self.end_ms is not None and moment_ms >= self.end_ms:
            return None
        fire = self.plan.next_ms(moment_ms, anchor_ms)
        return None if fire is None or self.end_ms is not None and fire > self.end_ms else fire

    def last_ms(self, start_ms: int, end_ms: int, anchor_ms: int | None = None) -> int | None:
        start_ms, end_ms, anchor_ms = self._within(start_ms, end_ms, anchor_ms)
        return self.plan.last_ms(start_ms, end_ms, anchor_ms) if start_ms < end_ms else None

    def count_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None = None, limit: int = 1000
    ) -> int:
        start_ms, end_ms, anchor_ms = self._within(start_ms, end_ms, anchor_ms)
        if start_ms >= end_ms:
            return 0
        return self.plan.count_ms(start_ms, end_ms, anchor_ms, limit)

    def describe(self) -> str:
        return f"{self.plan.describe()}{self.words}"

    def notes(self, fire_ms: int, anchor_ms: int | None = None) -> tuple[str, ...]:
        return self.plan.notes(fire_ms, anchor_ms if self.start_ms is None else self.start_ms)

    def refusals_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None, limit: int
    ) -> list[Refusal]:
        start_ms, end_ms, anchor_ms = self._within(start_ms, end_ms, anchor_ms)
        if start_ms >= end_ms:
            return []
        found = self.plan.refusals_ms(start_ms, end_ms, anchor_ms, limit)
        return [self._bounded(refusal) for refusal in found]

    def _within(self, start_ms: int, end_ms: int, anchor_ms: int | None) -> tuple[int, int, int]:
        """What is left of start < fire <= end, and the anchor there."""
        if anchor_ms is None:
            anchor_ms = start_ms
        if self.start_ms is not None:
            anchor_ms = self.start_ms
            start_ms = max(start_ms, self.start_ms - 1)
        if self.end_ms is not None:
            end_ms = min(end_ms, self.end_ms)
        return start_ms, end_ms, anchor_ms

    def _bounded(self, refusal: Refusal) -> Refusal:
        """The refusal; one that would be moved out of the bounds is not made at all."""
        moved = refusal.moved_ms
        if moved is not None:
            if self.start_ms is not None and moved < self.start_ms:
                return refusal._replace(moved_ms=None, reason=f"{refusal.reason}; before start")
            if self.end_ms is not None and moved > self.end_ms:
                return refusal._replace(moved_ms=None, reason=f"{refusal.reason}; after end")
        return refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Jittered:
    """Each fire of `plan` later by 0 to `jitter_ms`, the same at each computation.

    The delay hangs on the name and on the fire. It never reaches the next fire, so that the
    order stays and no two fires meet; nor, with a restriction, a moment that this refuses.
    """

    plan: Plan
    name: str
    jitter_ms: int
    restriction: Restriction | None = None
    # The newest answer, (moment, anchor) and the fire of the plan that follows it: who walks on
    # from there, as all do, is spared the way back.
    _newest: list[tuple[int, int | None, int | None]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    @property
    def zoned(self) -> bool:
        return self.plan.zoned

    def next_ms(self, moment_ms: int, anchor_ms: int | None = None) -> int | None:
        for moment, anchor, following in self._newest:
            if moment == moment_ms and anchor == anchor_ms and anchor is not None:
                return None if following is None else self._shifted(following, anchor)
        # An interval without an anchor counts from the moment itself, and has no earlier fire.
        anchor = moment_ms if anchor_ms is None else anchor_ms
        before = moment_ms + 1 if anchor_ms is None else anchor_ms
        fire = self.plan.last_ms(moment_ms - self.jitter_ms - 1, moment_ms, before)
        if fire is not None:
            shifted = self._shifted(fire, anchor)
            if shifted > moment_ms:
                return shifted
        fire = self.plan.next_ms(moment_ms, anchor)
        return None if fire is None else self._shifted(fire, anchor)

    def last_ms(self, start_ms: int, end_ms: int, anchor_ms: int | None = None) -> int | None:
        anchor = start_ms if anchor_ms is None else anchor_ms
        return newest(lambda moment: self.next_ms(moment, anchor), start_ms, end_ms)

    def count_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None = None, limit: int = 1000
    ) -> int:
        anchor = start_ms if anchor_ms is None else anchor_ms
        return count(lambda moment: self.next_ms(moment, anchor), start_ms, end_ms, limit)

    def describe(self) -> str:
        return f"{self.plan.describe()}, up to {self.jitter_ms / 1000:g} s later"

    def notes(self, fire_ms: int, anchor_ms: int | None = None) -> tuple[str, ...]:
        own = fire_ms + 1 if anchor_ms is None else anchor_ms
        due = self.plan.last_ms(fire_ms - self.jitter_ms - 1, fire_ms, own)
        return () if due is None else self.plan.notes(due, anchor_ms)

    def refusals_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None, limit: int
    ) -> list[Refusal]:
        return self.plan.refusals_ms(start_ms, end_ms, anchor_ms, limit)

    def _shifted(self, fire_ms: int, anchor_ms: int) -> int:
        following = self.plan.next_ms(fire_ms, anchor_ms)
        room = self.jitter_ms + 1
        if following is not None:
            room = min(room, following - fire_ms)
        if self.restriction is not None:
            refused = self.restriction.refused_from(fire_ms)
            if refused is not None:
                room = min(room, refused - fire_ms)
        digest = hashlib.blake2b(f"{self.name}:{fire_ms}".encode(), digest_size=8).digest()
        shifted = fire_ms + int.from_bytes(digest) % room
        self._newest[:] = [(shifted, anchor_ms, following)]
        return shifted
