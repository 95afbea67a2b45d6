"""What `overlap` does to the fires of one job, if each run takes the same time.

One host is looked at: of a job on every host, each host sees the same. A run begins the moment
it may; none is started by hand, fails early or is retried.
"""

from collections import deque
from dataclasses import dataclass

SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlaps:
    """How many fires find an earlier run still going, and what becomes of those.

    `overlapping` of them; each is `skipped`, or `waits`, or `cancels` the earlier runs, or runs
    `beside` them. `longest_wait_ms` and `most_at_once` tell how bad it gets; `examples_ms` are
    the first of these fires.
    """

    duration_ms: int
    overlapping: int
    skipped: int
    waits: int
    cancels: int
    beside: int
    longest_wait_ms: int
    most_at_once: int
    examples_ms: tuple[int, ...]


class Runs:
    """The runs of one job, followed from fire to fire.

    `limit` is how many go at once, None for any number. Fires have to come in order.
    """

    def __init__(self, overlap: str, limit: int | None, duration_ms: int) -> None:
        self._overlap = overlap
        self._limit = limit
        self._duration_ms = duration_ms
        # Each takes as long as the others, so they end in the order they begin in; those of
        # the future wait.
        self._ends: deque[int] = deque()
        self._counts = dict.fromkeys(("skipped", "waits", "cancels", "beside"), 0)
        self._overlapping = 0
        self._longest_wait_ms = 0
        self._most_at_once = 0
        self._examples: list[int] = []

    def fire(self, at_ms: int) -> None:
        """One fire, later than those before."""
        ends = self._ends
        while ends and ends[0] <= at_ms:
            ends.popleft()
        start = at_ms
        if ends:
            self._overlapping += 1
            if len(self._examples) < SHOWN:
                self._examples.append(at_ms)
            what = self._what(at_ms)
            self._counts[what] += 1
            if what == "skipped":
                return
            if what == "cancels":
                ends.clear()
            elif what == "waits":
                assert self._limit is not None
                start = ends[-self._limit]
                self._longest_wait_ms = max(self._longest_wait_ms, start - at_ms)
        ends.append(start + self._duration_ms)
        running = len(ends) if self._limit is None else min(len(ends), self._limit)
        self._most_at_once = max(self._most_at_once, running)

    def _what(self, at_ms: int) -> str:
        going = len(self._ends)
        if self._limit is None or going < self._limit:
            return "beside"
        if self._overlap == "skip" or (self._overlap == "queue-one" and going > self._limit):
            return "skipped"
        return "cancels" if self._overlap == "cancel-old" else "waits"

    def result(self) -> Overlaps:
        """What came of all fires so far."""
        return Overlaps(
            duration_ms=self._duration_ms,
            overlapping=self._overlapping,
            longest_wait_ms=self._longest_wait_ms,
            most_at_once=self._most_at_once,
            examples_ms=tuple(self._examples),
            **self._counts,
        )
