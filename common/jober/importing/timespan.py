"""Time spans as systemd.time(7) writes them: `1h 30min`, `90`, `infinity`."""

import re
from decimal import Decimal

from jober.errors import DefinitionError

_S = 1_000_000
_UNITS_US = {
    **dict.fromkeys(("seconds", "second", "sec", "s", ""), _S),
    **dict.fromkeys(("minutes", "minute", "min", "m"), 60 * _S),
    **dict.fromkeys(("months", "month", "M"), 2_629_800 * _S),
    **dict.fromkeys(("msec", "ms"), 1000),
    **dict.fromkeys(("hours", "hour", "hr", "h"), 3600 * _S),
    **dict.fromkeys(("days", "day", "d"), 86_400 * _S),
    **dict.fromkeys(("weeks", "week", "w"), 604_800 * _S),
    **dict.fromkeys(("years", "year", "y"), 31_557_600 * _S),
    **dict.fromkeys(("usec", "us", "µs", "μs"), 1),
}
_PART = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-zµμ]*)")


def read_span(text: str) -> int | None:
    """Microseconds; None for `infinity`. DefinitionError where it is no span.

    >>> read_span("1h 30min"), read_span("1.5"), read_span("infinity")
    (5400000000, 1500000, None)
    """
    left = text.strip()
    if left == "infinity":
        return None
    total = Decimal(0)
    place = 0
    while place < len(left):
        part = _PART.match(left, place)
        if part is None or part[2] not in _UNITS_US:
            break
        total += Decimal(part[1]) * _UNITS_US[part[2]]
        place = part.end()
    if not left or place < len(left):
        raise DefinitionError(f"'{text}' is no time span", mend="as 90s, or 1h 30min")
    return int(total)


def every_of(span_us: int) -> int | float | list[int | str]:
    """`every` of a job: the largest unit that goes in evenly, or seconds.

    >>> every_of(5_400_000_000), every_of(45_000_000), every_of(1_500_000)
    ([90, 'minute'], 45, 1.5)
    """
    for unit in ("week", "day", "hour", "minute"):
        number, rest = divmod(span_us, _UNITS_US[unit])
        if number and not rest:
            return [number, unit]
    return seconds_of(span_us)


def seconds_of(span_us: int) -> int | float:
    """Seconds, whole where they are."""
    return span_us // _S if span_us % _S == 0 else span_us / _S
