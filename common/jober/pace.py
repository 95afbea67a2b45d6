"""How fast a fleet lives: leases, and all that is timed by them.

How long leases last, how often they are renewed, and when who is silent is given up hang together;
the values in the code are those of a fleet in use. Tests of what happens when they are over would
mostly wait: JOBER_PACE=0.2 in the environment of every process of a fleet makes each a fifth.
"""

import os
from collections.abc import Mapping

from jober.errors import DefinitionError

VARIABLE = "JOBER_PACE"


def read_pace(environ: Mapping[str, str]) -> float:
    """What the environment says, 1 where it says nothing. Raises DefinitionError."""
    told = environ.get(VARIABLE, "1")
    try:
        pace = float(told)
        if 0.05 <= pace <= 1:
            return pace
    except ValueError:
        pass
    raise DefinitionError(
        f"'{told}' is no pace",
        field=VARIABLE,
        value=told,
        mend="a number from 0.05 to 1; for tests",
    )


def _pace() -> float:
    try:
        return read_pace(os.environ)
    except DefinitionError:
        return 1.0  # the daemons refuse it, with a word


_PACE = _pace()


def paced_s(seconds: float) -> float:
    """So many seconds, at the pace of this process."""
    return seconds * _PACE


def paced_ms(ms: int) -> int:
    """So many milliseconds, at the pace of this process."""
    return round(ms * _PACE)
