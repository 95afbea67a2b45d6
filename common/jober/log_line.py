"""A log record of a run, as it stands in the run's output: a line of JSON."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jober.clock import iso

if TYPE_CHECKING:
    from logging import Formatter, LogRecord

# A longer message is cut; with that, a line fits into one frame.
MESSAGE_AT_MOST = 4096
NAME_AT_MOST = 200
# The last millisecond of the year 9999: no moment is told after it.
_LAST_MS = 253_402_300_799_999
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """`level` is the name of a level, `message` may have several lines (a traceback)."""

    at_ms: int
    level: str
    logger: str
    message: str

    def to_bytes(self) -> bytes:
        told = {
            "at": self.at_ms,
            "level": _cut(self.level, NAME_AT_MOST),
            "logger": _cut(self.logger, NAME_AT_MOST),
            "message": _cut(self.message, MESSAGE_AT_MOST),
        }
        return json.dumps(told, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"

    def to_dict(self) -> dict[str, Any]:
        """The stable names that scripts rely on (`--json`)."""
        return {
            "at": iso(self.at_ms),
            "level": self.level,
            "logger": self.logger,
            "message": self.message,
        }

    def __str__(self) -> str:
        return f"{self.level} {self.logger}: {self.message}"


def of_record(record: "LogRecord", formatter: "Formatter") -> LogLine:
    """The line of a record; `formatter` makes its message, with the traceback that it may have."""
    try:
        message = formatter.format(record)
    except Exception as error:
        message = f"{record.msg!r:.500} (which cannot be formatted: {type(error).__name__})"
    return LogLine(
        at_ms=int(record.created * 1000),
        level=record.levelname,
        logger=record.name,
        message=message,
    )


def read_lines(data: bytes) -> Iterator[LogLine | bytes]:
    """The records of a piece of output; what is none (the cap may have cut it) as it stands."""
    for line in data.splitlines(keepends=True):
        try:
            told = json.loads(line)
            yield LogLine(
                at_ms=checked_at(told["at"]),
                level=str(told["level"]),
                logger=str(told["logger"]),
                message=str(told["message"]),
            )
        except (ValueError, TypeError, KeyError, RecursionError):
            yield line


def checked_at(value: Any) -> int:
    """When a record was made, in ms, as anybody may have said it. Raises ValueError, TypeError."""
    if not 0 <= value <= _LAST_MS:
        raise ValueError(f"{value!r:.50} is no moment in milliseconds since 1970")
    return int(value)


def as_text(data: bytes) -> bytes:
    """The records as a person reads them, a line each."""
    return b"".join(
        line if isinstance(line, bytes) else f"{line}\n".encode("utf-8", "backslashreplace")
        for line in read_lines(data)
    )


def _cut(text: str, at_most: int) -> str:
    if len(text) <= at_most:
        return text
    # The last lines of a traceback tell what happened, the first of it where it began.
    half = at_most // 2 - 20
    return f"{text[:half]} [... {len(text) - 2 * half} characters cut ...] {text[-half:]}"
