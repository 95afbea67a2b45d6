"""Pages of lists: `limit`, an opaque `cursor`, and answers `{"items": [...], "next": cursor}`."""

import base64
import binascii
from typing import Annotated, Any

from fastapi import Depends, Query

from jober_web.problems import Problem

LIMIT = 50
LIMIT_AT_MOST = 200
_CURSOR_AT_MOST = 1_000

Limit = Annotated[int, Query(ge=1, le=LIMIT_AT_MOST, description="How many at the most.")]


def _cursor(
    cursor: Annotated[
        str | None,
        Query(
            max_length=_CURSOR_AT_MOST,
            description="`next` of the page before; without one, the first page.",
        ),
    ] = None,
) -> str | None:
    return None if cursor is None else read_cursor(cursor)


# What a cursor stands for: the place after which the page begins.
After = Annotated[str | None, Depends(_cursor)]


def cursor_of(place: str | None) -> str | None:
    """A cursor for a place in a list; None where there is no further page."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(place.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def read_cursor(cursor: str) -> str:
    """The place that it stands for. Raises Problem."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        place = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        place = ""
    if not place or not place.isprintable():
        told = "it is no cursor (take it from `next` of the page before)"
        raise Problem(422, f"cursor: {told}", [{"field": "cursor", "message": told}])
    return place


def page(items: list[Any], following: str | None) -> dict[str, Any]:
    """A page as it is answered."""
    return {"items": items, "next": cursor_of(following)}
