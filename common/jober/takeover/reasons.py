"""Why a moment is there for one side only: the likely reason, from all else that the log shows.

Pure. A reason that lies with the host (it was down, cron did not run, the crontab said
something else then) explains a difference: it says nothing against the schedule.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace

from jober.schedule.zone import Zone
from jober.takeover.agreement import Comparison, Difference, Shadowed
from jober.takeover.evidence import Evidence, unheard
from jober.takeover.log_line import MarkKind

_NEAR_MS = 3_600_000
_AFTER_BOOT_MS = 900_000
_DST_MS = 3 * 3_600_000


class Reasons:
    """What the log shows, ready to be asked about many moments."""

    def __init__(self, evidence: Evidence, zone: Zone) -> None:
        self._zone = zone
        self._minutes = evidence.minutes()
        self._starts = [start.at_ms for start in evidence.starts()]
        marks = evidence.marks()
        self._of = {kind: [one.at_ms for one in marks if one.kind is kind] for kind in MarkKind}

    def give(self, jobs: Sequence[Shadowed], found: Sequence[Comparison]) -> None:
        """Put the reason into each difference."""
        for shadowed, comparison in zip(jobs, found, strict=True):
            comparison.differences = [self._with(one, shadowed) for one in comparison.differences]

    def _with(self, one: Difference, shadowed: Shadowed) -> Difference:
        changed = shadowed.changed_ms
        if changed is not None and one.at_ms < changed:
            reason = f"{shadowed.origin.file} was changed at {self._wall(changed)}, after this"
            return replace(one, reason=reason, explained=True)
        known = self._host_only(one.at_ms) if one.by_host else self._jober_only(one.at_ms)
        if known is not None:
            return replace(one, reason=known, explained=True)
        offset = self._changed_offset(one.at_ms)
        return replace(one, reason=offset)

    def _jober_only(self, at_ms: int) -> str | None:
        silence = unheard(self._minutes, at_ms)
        if silence is not None:
            since, until = silence
            told = "no line of any program in the log"
            if since is not None:
                told += f" from {self._wall(since)}"
            if until is None:
                return f"{told} on: the host was down, or its log is elsewhere"
            booted = self._next(MarkKind.BOOT, at_ms)
            is_boot = booted is not None and booted < until + 300_000
            why = "the host was down, and then booted" if is_boot else "the host was down or slept"
            return f"{told} to {self._wall(until)}: {why}"
        began = self._next(MarkKind.CRON, at_ms)
        if began is not None:
            place = bisect_left(self._starts, at_ms)
            if place >= len(self._starts) or self._starts[place] > began - 1000:
                return f"cron was not running: it began at {self._wall(began)}"
        return self._clock(at_ms)

    def _host_only(self, at_ms: int) -> str | None:
        booted = self._last(MarkKind.BOOT, at_ms)
        if booted is not None and at_ms - booted < _AFTER_BOOT_MS:
            return f"the host had booted at {self._wall(booted)}"
        return self._clock(at_ms)

    def _clock(self, at_ms: int) -> str | None:
        for mark in (self._last(MarkKind.CLOCK, at_ms), self._next(MarkKind.CLOCK, at_ms)):
            if mark is not None and abs(mark - at_ms) < _NEAR_MS:
                return f"the clock was set at {self._wall(mark)}"
        return None

    def _changed_offset(self, at_ms: int) -> str | None:
        """That summer time began or ended near; it does not explain, but it tells where to look."""
        utc = at_ms // 1000
        before, after = (utc - _DST_MS // 1000, utc + _DST_MS // 1000)
        if self._zone.wall(before) - before == self._zone.wall(after) - after:
            return None
        return "near a change of summer time: cron and the job take it differently"

    def _next(self, kind: MarkKind, at_ms: int) -> int | None:
        marks = self._of[kind]
        place = bisect_left(marks, at_ms)
        return marks[place] if place < len(marks) else None

    def _last(self, kind: MarkKind, at_ms: int) -> int | None:
        marks = self._of[kind]
        place = bisect_right(marks, at_ms)
        return marks[place - 1] if place else None

    def _wall(self, moment_ms: int) -> str:
        return f"{self._zone.aware(moment_ms):%Y-%m-%d %H:%M}"
