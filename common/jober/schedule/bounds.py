"""What narrows or shifts the fires of any plan: a start, an end, a jitter.

Calendars, `exclude` and `only_between` belong here too, as further plans around a plan.
"""

import hashlib
from dataclasses import dataclass

from jober.schedule.plan import Plan, count, newest


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
        if anchor_ms is None:
            anchor_ms = start_ms
        if self.start_ms is not None:
            anchor_ms = self.start_ms
            start_ms = max(start_ms, self.start_ms - 1)
        if self.end_ms is not None:
            end_ms = min(end_ms, self.end_ms)
        return self.plan.last_ms(start_ms, end_ms, anchor_ms) if start_ms < end_ms else None

    def count_ms(
        self, start_ms: int, end_ms: int, anchor_ms: int | None = None, limit: int = 1000
    ) -> int:
        if anchor_ms is None:
            anchor_ms = start_ms
        if self.start_ms is not None:
            anchor_ms = self.start_ms
            start_ms = max(start_ms, self.start_ms - 1)
        if self.end_ms is not None:
            end_ms = min(end_ms, self.end_ms)
        if start_ms >= end_ms:
            return 0
        return self.plan.count_ms(start_ms, end_ms, anchor_ms, limit)

    def describe(self) -> str:
        return f"{self.plan.describe()}{self.words}"

    def notes(self, fire_ms: int) -> tuple[str, ...]:
        return self.plan.notes(fire_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jittered:
    """Each fire of `plan` later by 0 to `jitter_ms`, the same at each computation.

    The delay hangs on the name and on the fire. It never reaches the next fire, so that the
    order stays and no two fires meet.
    """

    plan: Plan
    name: str
    jitter_ms: int

    @property
    def zoned(self) -> bool:
        return self.plan.zoned

    def next_ms(self, moment_ms: int, anchor_ms: int | None = None) -> int | None:
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

    def notes(self, fire_ms: int) -> tuple[str, ...]:
        due = self.plan.last_ms(fire_ms - self.jitter_ms - 1, fire_ms, fire_ms + 1)
        return () if due is None else self.plan.notes(due)

    def _shifted(self, fire_ms: int, anchor_ms: int) -> int:
        following = self.plan.next_ms(fire_ms, anchor_ms)
        room = self.jitter_ms + 1
        if following is not None:
            room = min(room, following - fire_ms)
        digest = hashlib.blake2b(f"{self.name}:{fire_ms}".encode(), digest_size=8).digest()
        return fire_ms + int.from_bytes(digest) % room
