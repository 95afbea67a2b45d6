"""A length of time, as a definition writes it."""

import re

from jober.errors import DefinitionError
from jober.job.fields.field import SECONDS_AT_MOST
from jober.job.problems import told

_LENGTH = re.compile(r"(\d+(?:\.\d+)?) ?(s|m|min|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def length_s(value: str | int | float, field: str) -> float:
    """The seconds of `90`, `90s`, `15m`, `6h`, `1.5d` or `2w`.

    >>> length_s("6h", "fresh_for"), length_s(90, "fresh_for")
    (21600.0, 90.0)

    Raises DefinitionError for anything else, and for what is not above 0 or more than a year.
    """
    seconds = float(value) if not isinstance(value, str) else 0.0
    if isinstance(value, str):
        found = _LENGTH.fullmatch(value.strip()[:40])
        if not found:
            raise _refused(value, field, f"{told(value)} is not a length of time")
        seconds = float(found[1]) * _SECONDS[found[2]]
    if not 0 < seconds <= SECONDS_AT_MOST:
        raise _refused(value, field, f"{told(value)} is not above 0 and at most a year")
    return seconds


def _refused(value: object, field: str, problem: str) -> DefinitionError:
    return DefinitionError(
        problem, field=field, value=value, mend=f'{field} = "6h", or {field} = 90'
    )
