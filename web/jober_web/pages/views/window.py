"""The time that a timeline shows, and the steps of its zoom."""

from dataclasses import dataclass

HOUR_MS = 3_600_000
# What a step of the zoom shows: from the finest to the widest.
SPANS = {
    "1h": HOUR_MS,
    "6h": 6 * HOUR_MS,
    "24h": 24 * HOUR_MS,
    "3d": 72 * HOUR_MS,
    "7d": 168 * HOUR_MS,
}
# Of what is shown, so much is to come.
_AHEAD = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time that is shown."""

    start_ms: int
    end_ms: int
    span: str

    def moved(self, share: float) -> int:
        """The middle of a window that is moved by a share of its length."""
        middle = (self.start_ms + self.end_ms) // 2
        return middle + round((self.end_ms - self.start_ms) * share)


def window_of(span: str, at_ms: int | None, now_ms: int) -> Window:
    """The window of a zoom, around a moment, or with now where most of it is past."""
    length = SPANS.get(span, SPANS["6h"])
    span = span if span in SPANS else "6h"
    if at_ms is None:
        start = now_ms - round(length * (1 - _AHEAD))
    else:
        start = max(0, at_ms - length // 2)
    return Window(start_ms=start, end_ms=start + length, span=span)
