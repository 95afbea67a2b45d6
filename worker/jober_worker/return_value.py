"""What a function returned, or yielded, as JSON can carry it."""

import json
from typing import Any

from jober.run import MAX_RESULT_BYTES, is_plain

REPR_AT_MOST = 10_000
ITEMS_AT_MOST = 10_000
# json.dumps makes one of these for each call that asks for anything but its defaults.
_encode = json.JSONEncoder(allow_nan=False).encode


def plain_value(value: Any) -> tuple[Any, str | None]:
    """The value as JSON can carry it; what it cannot is its repr, with a note."""
    if value is None or is_plain(value):
        return value, None
    try:
        return json.loads(_encode(value)), None
    except Exception:
        kind = type(value).__name__
    try:
        shown = repr(value)
    except Exception as error:
        note = f"the return value is a {kind}, not JSON, and its repr raises {type(error).__name__}"
        return None, note
    return (
        without_surrogates(shown[:REPR_AT_MOST]),
        f"the return value is a {kind}, not JSON: its repr is kept",
    )


class Items:
    """The items of a generator: the first of them are kept, all are counted."""

    def __init__(self) -> None:
        self._kept: list[Any] = []
        self._bytes = 2
        self._count = 0
        self._is_full = False
        self._note: str | None = None

    def add(self, item: Any) -> None:
        self._count += 1
        if self._is_full:
            return
        plain, note = plain_value(item)
        size = len(json.dumps(plain)) + 2
        if len(self._kept) >= ITEMS_AT_MOST or self._bytes + size > MAX_RESULT_BYTES:
            self._is_full = True
            return
        self._bytes += size
        self._kept.append(plain)
        self._note = self._note or note

    def told(self) -> tuple[list[Any], str | None]:
        """The items that were kept, and a note where these are not all, or not as they were."""
        notes = []
        if self._is_full:
            notes.append(f"it yielded {self._count} items: the first {len(self._kept)} are kept")
        if self._note is not None:
            notes.append(self._note.replace("the return value", "an item"))
        return self._kept, "; ".join(notes) or None


def without_surrogates(text: str) -> str:
    """Text that UTF-8 can carry."""
    return text.encode("utf-8", "backslashreplace").decode()
