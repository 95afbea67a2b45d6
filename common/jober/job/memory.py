"""An amount of memory, as a definition writes it."""

import re

from jober.errors import DefinitionError
from jober.job.problems import told

_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT]?)(?:i?B)?", re.IGNORECASE)
_BYTES_AT_LEAST = 1 << 20
_BYTES_AT_MOST = 1 << 50


def memory_bytes(value: str | int) -> int:
    """The bytes of `512M`, `1.5G`, or of a number of bytes; K, M, G and T are powers of 1024.

    >>> memory_bytes("512M"), memory_bytes("1.5 GiB"), memory_bytes(1 << 20)
    (536870912, 1610612736, 1048576)

    Raises DefinitionError for anything else, and for less than 1M or more than 1024T.
    """
    if isinstance(value, str):
        found = _SIZE.fullmatch(value.strip()[:40])
        if not found:
            raise _refused(value, f"{told(value)} is not an amount of memory")
        bytes = int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " "))
    else:
        bytes = value
    if bytes < _BYTES_AT_LEAST:
        raise _refused(value, f"{told(value)} is less than 1M, in which no program can start")
    if bytes > _BYTES_AT_MOST:
        raise _refused(value, f"{told(value)} is more than 1024T")
    return bytes


def _refused(value: str | int, problem: str) -> DefinitionError:
    return DefinitionError(problem, field="memory", value=value, mend='memory = "512M"')
