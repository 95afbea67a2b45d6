"""Pieces of a run's output as JSON values, and as text. Pure."""

import base64
from collections.abc import Iterable, Iterator
from typing import Any

from jober.clock import iso
from jober.log_line import as_text
from jober.output import Frame, Stream, Truncated


def piece(item: Frame | Truncated) -> dict[str, Any]:
    """A frame, or a mark where bytes are missing. No byte of it is lost, whatever its bytes are."""
    if isinstance(item, Truncated):
        return {"dropped": item.dropped, "why": item.why}
    data = shown(item)
    try:
        told = {"text": data.decode()}
    except UnicodeDecodeError:
        told = {"base64": base64.b64encode(data).decode()}
    return {
        "seq": item.seq or None,
        "stream": str(item.stream),
        "at": iso(item.at_ms),
        "offset": item.offset,
        **told,
    }


def shown(item: Frame | Truncated) -> bytes:
    """The bytes that a reader sees of it: log records are lines of text."""
    if isinstance(item, Truncated):
        return f"\n{item}\n".encode()
    return as_text(item.data) if item.stream is Stream.LOG else item.data


def lines_of(items: Iterable[Frame | Truncated]) -> Iterator[bytes]:
    """The lines, without their ends; never more than one of them is kept."""
    rest = b""
    for item in items:
        *lines, rest = (rest + shown(item)).split(b"\n")
        yield from lines
    if rest:
        yield rest
