"""Moments and spans as callers tell them."""

import re
from datetime import UTC, datetime, timedelta

from jober.clock import to_ms
from jober.errors import DefinitionError

_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([smhdw]?)")
_SECONDS = {"s": 1, "": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def read_span_s(told: object, field: str) -> float:
    """Seconds, of a number of them, a timedelta, or text such as `90`, `30m`, `12h`, `7d`, `2w`."""
    if isinstance(told, timedelta):
        return max(0.0, told.total_seconds())
    if isinstance(told, int | float) and not isinstance(told, bool) and 0 <= told < 1e11:
        return float(told)
    found = _SPAN.fullmatch(told.strip()) if isinstance(told, str) else None
    if found is None:
        raise DefinitionError(
            f"{told!r:.60} is no span of time",
            field=field,
            value=told,
            mend="as in 90, 30m, 12h or 7d",
        )
    return float(found[1]) * _SECONDS[found[2]]


def read_moment_ms(told: object, field: str, now_ms: int) -> int:
    """A moment in ms: a datetime (without a zone it is UTC), ISO text, or a span ago, as `2h`."""
    if isinstance(told, str) and _SPAN.fullmatch(told.strip()) and not told.strip().isdecimal():
        return now_ms - round(read_span_s(told, field) * 1000)
    try:
        moment = told if isinstance(told, datetime) else datetime.fromisoformat(str(told))
        return max(0, to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))
    except (ValueError, OverflowError):
        raise DefinitionError(
            f"{told!r:.60} is no moment",
            field=field,
            value=told,
            mend="as in 2026-11-21, 2026-11-21T03:00:00Z, or 2h for so long ago",
        ) from None
