"""A log record as a line of JSON."""

import time
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

# journald makes several lines of one that is longer than 48 KiB.
MESSAGE_AT_MOST = 4096
EXCEPTION_AT_MOST = 16 * 1024

_NAMES = {
    "asctime": "timestamp",
    "levelname": "level",
    "name": "logger",
    "exc_info": "exception",
    "stack_info": "stack",
}


class JsonLog(JsonFormatter):
    """`timestamp` (RFC 3339, UTC, ms), `level`, `logger`, `message`, in this order, and then what
    else is known. `static_fields` may be changed: they are in each line."""

    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__(
            ["asctime", "levelname", "name", "message"],
            rename_fields=_NAMES,
            # uvicorn tells its messages a second time, in colours.
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],
        )
        self.converter = time.gmtime

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        for name, at_most in (
            ("message", MESSAGE_AT_MOST),
            ("exception", EXCEPTION_AT_MOST),
            ("stack", EXCEPTION_AT_MOST),
        ):
            if len(log_data.get(name, "")) > at_most:
                log_data[name] = _cut(log_data[name], at_most)
        return log_data


def _cut(text: str, at_most: int) -> str:
    half = at_most // 2 - 20
    return f"{text[:half]} [... {len(text) - 2 * half} characters cut ...] {text[-half:]}"
