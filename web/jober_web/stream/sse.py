"""Server-sent events as they are written: https://html.spec.whatwg.org/multipage/server-sent-events.html
Pure."""

import json
from typing import Any

# A browser that has lost the stream comes again after so long.
RETRY = b"retry: 2000\n\n"
# What keeps the stream open where nothing happens.
HEARTBEAT = b": \n\n"


def sse(type: str, data: Any, id: str | None = None) -> bytes:
    """One event with JSON as its data, which has no line ends. Its id is where to go on from."""
    told = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    place = f"id: {id}\n" if id is not None else ""
    return f"{place}event: {type}\ndata: {told}\n\n".encode("utf-8", "replace")
