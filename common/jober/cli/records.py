"""Log records of a run as a person reads them."""

from jober.clock import from_ms
from jober.log_line import LogLine, read_lines
from jober.words import plain

_COLOURS = {"DEBUG": "2", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}


def shown(data: bytes, in_colour: bool) -> bytes:
    """A piece of the stream `log`, a line for each record, and more where its message has more."""
    return b"".join(
        line if isinstance(line, bytes) else f"{_text(line, in_colour)}\n".encode()
        for line in read_lines(data)
    )


def _text(line: LogLine, in_colour: bool) -> str:
    level = line.level
    if in_colour and level in _COLOURS:
        level = f"\x1b[{_COLOURS[level]}m{level}\x1b[0m"
    at = from_ms(line.at_ms).astimezone()
    head, *rest = line.message.split("\n")
    text = f"{at:%H:%M:%S} {level} {plain(line.logger)}: {plain(head)}"
    return "\n".join([text, *(f"    {plain(one)}" for one in rest)])
