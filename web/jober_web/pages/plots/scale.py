"""Where values stand, and which round numbers are told beside them."""

from dataclasses import dataclass
from math import ceil, floor, log


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` at places from `start` to `end`, in a straight line."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value; of one outside, that of the nearest inside."""
        if self.high <= self.low:
            return self.start
        part = (value - self.low) / (self.high - self.low)
        return self.start + min(1.0, max(0.0, part)) * (self.end - self.start)


def round_steps(high: float, number: int = 4, base: int = 10) -> list[float]:
    """Round values from 0 to at least `high`, about so many; `base` is that of the number system,
    10, or 1024 for bytes.

    >>> round_steps(7.3), round_steps(3000, base=1024)
    ([0.0, 2.0, 4.0, 6.0, 8.0], [0.0, 1024.0, 2048.0, 3072.0])
    """
    if high <= 0:
        return [0.0, 1.0]
    step = _round_up(high / number, base)
    return [place * step for place in range(ceil(high / step - 1e-9) + 1)]


def _round_up(value: float, base: int) -> float:
    size = float(base) ** floor(log(value, base))
    parts = (1, 2, 2.5, 5, 10) if base == 10 else [2**power for power in range(11)]
    return next(size * one for one in parts if size * one >= value * (1 - 1e-9))


# Steps of time that people count in, in ms.
_STEPS_MS = tuple(
    round(minutes * 60_000)
    for minutes in (1 / 60, 1 / 12, 1 / 4, 1 / 2, 1, 5, 15, 30, 60, 180, 360, 720, 1440, 7 * 1440)
)


def time_step_ms(span_ms: int, most: int = 10) -> int:
    """The least step of time that divides a span into no more than `most` parts."""
    return next((step for step in _STEPS_MS if span_ms / step <= most), _STEPS_MS[-1])
