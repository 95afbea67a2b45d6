"""The log of a run, a page of its bytes at a time: a log of any size is as quick as a short one."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from jober.client.handle import RunHandle
from jober.output import Frame
from jober_web.access.guard import Viewer
from jober_web.pages.log_rows import (
    PAGE_BYTES,
    ROW_BYTES,
    LogPage,
    is_found,
    log_page,
    without_first,
    without_open,
)
from jober_web.pages.page import PageDep
from jober_web.pages.route import PageRoute
from jober_web.sight import seen_run

router = APIRouter(route_class=PageRoute)
# So many bytes are searched for one question, in pieces of so many.
SEARCHED_BYTES = 16 * 1024 * 1024
PIECE_BYTES = 512 * 1024
_COLOURS = re.compile(rb"\x1b\[[0-9;:]*m")

Place = Annotated[int | None, Query(ge=0)]
Wanted = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogView:
    """Rows of a log that has `size` bytes; `hit` is the row that was looked for, `told` what became
    of the search where there is none, `searched_to` where it may go on."""

    page: LogPage
    size: int
    hit: int | None = None
    told: str = ""
    searched_to: int | None = None


@router.get("/runs/{id}/log", name="run_log")
def log(
    page: PageDep,
    who: Viewer,
    id: str,
    after: Place = None,
    before: Place = None,
    at: Place = None,
    q: Wanted = "",
) -> HTMLResponse:
    """Rows: those from the byte `after` on, those up to `before`, or those around `at`; with `q`,
    around the first from `after` on that has it, or the last before `before`. By itself the end."""
    handle, _ = seen_run(page.jober, who, id)
    view = log_view(handle, after=after, before=before, at=at, q=q)
    return page.show("log_rows.html", log=view, id=id, wall=page.wall)


def log_view(
    handle: RunHandle,
    *,
    after: int | None = None,
    before: int | None = None,
    at: int | None = None,
    q: str = "",
) -> LogView:
    """What of the log is asked for."""
    size = handle.output.size()
    if q:
        return _found(handle, size, after, before, q)
    if at is not None:
        return LogView(page=_around(handle, min(at, size), size), size=size)
    if after is not None:
        return LogView(page=_from(handle, min(after, size), size), size=size)
    end = size if before is None else min(before, size)
    return LogView(page=_up_to(handle, end), size=size)


def _from(handle: RunHandle, start: int, size: int) -> LogPage:
    """The rows from one on that begins at `start`."""
    end = min(size, start + PAGE_BYTES)
    page = log_page(handle.output.between(start, end), start)
    return page if end == size else without_open(page)


def _up_to(handle: RunHandle, end: int) -> LogPage:
    start = max(0, end - PAGE_BYTES)
    page = log_page(handle.output.between(start, end), start)
    return page if start == 0 else without_first(page)


def _around(handle: RunHandle, at: int, size: int) -> LogPage:
    """The rows from half a page before a place to half a page after it."""
    start, end = max(0, at - PAGE_BYTES // 2), min(size, at + PAGE_BYTES // 2)
    page = log_page(handle.output.between(start, end), start)
    page = page if start == 0 else without_first(page)
    return page if end == size else without_open(page)


def _found(handle: RunHandle, size: int, after: int | None, before: int | None, q: str) -> LogView:
    """Around the next row that has the text, or the last one before."""
    if before is not None:
        return _found_back(handle, size, min(before, size), q)
    at = first = min(after or 0, size)
    while at < size and at - first < SEARCHED_BYTES:
        end = min(size, at + PIECE_BYTES)
        hits = _hits(handle, at, end, q, begins=at == first)
        if hits:
            return LogView(page=_around(handle, hits[0], size), size=size, hit=hits[0])
        at = end if end == size else end - ROW_BYTES
    return _in_vain(handle, size, at, q, after=True)


def _found_back(handle: RunHandle, size: int, first: int, q: str) -> LogView:
    at = first
    while at > 0 and first - at < SEARCHED_BYTES:
        start = max(0, at - PIECE_BYTES)
        hits = _hits(handle, start, at, q, begins=start == 0)
        if hits:
            return LogView(page=_around(handle, hits[-1], size), size=size, hit=hits[-1])
        at = start + ROW_BYTES if start else 0
    return _in_vain(handle, size, at, q, after=False)


def _hits(handle: RunHandle, start: int, end: int, q: str, *, begins: bool) -> list[int]:
    """Where the rows of a piece begin that have the text. Pieces overlap by what is looked at of a
    row, so that it is whole in one of them; the first row of a piece may be the rest of one, but
    where a row `begins` there."""
    items = list(handle.output.between(start, end))
    data = b"".join(item.data for item in items if isinstance(item, Frame))
    if not is_found(_COLOURS.sub(b"", data).decode("utf-8", "replace"), q):
        return []
    page = log_page(items, start)
    rows = (page if begins else without_first(page)).rows
    return [row.start for row in rows if is_found(row.text, q)]


def _in_vain(handle: RunHandle, size: int, at: int, q: str, *, after: bool) -> LogView:
    is_over = at >= size if after else at <= 0
    way = "further on" if after else "further back"
    searched = f"in the next {SEARCHED_BYTES >> 20} MiB; search on"
    told = f"“{q}” is not {way if is_over else searched}."
    page = _up_to(handle, size) if is_over and after else _around(handle, at, size)
    return LogView(page=page, size=size, told=told, searched_to=None if is_over else at)
