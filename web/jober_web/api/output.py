"""What runs write: by ranges of bytes and lines, the first and the last of it, and all."""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import PlainTextResponse, StreamingResponse

from jober.client import RunHandle
from jober.client.output import Output
from jober.output import Stream
from jober_web.access.guard import Viewer
from jober_web.api.documented import problems
from jober_web.api.models import Lines, OutputRange
from jober_web.api.pieces import lines_of, piece, shown
from jober_web.api.route import ApiRoute
from jober_web.dependencies import JoberDep
from jober_web.sight import seen_run

router = APIRouter(route_class=ApiRoute, tags=["output"])

RANGE_BYTES = 256 * 1024
RANGE_AT_MOST = 1024 * 1024
LINES_AT_MOST = 10_000
# Whatever lines are asked for, no more than so much is read back for them.
_TAIL_BYTES = 8 * 1024 * 1024
_STEP_BYTES = 64 * 1024

_LAST = 2**53
RunId = Annotated[str, Path(max_length=400)]
OneStream = Annotated[Stream | None, Query(description="One of its streams; default: all.")]
Count = Annotated[int, Query(ge=1, le=LINES_AT_MOST)]
_TEXT: dict[str, Any] = {"content": {"text/plain": {"schema": {"type": "string"}}}}


@router.get(
    "/runs/{id}/output", name="api:output", response_model=OutputRange, responses=problems(404, 409)
)
def output(
    jober: JoberDep,
    who: Viewer,
    id: RunId,
    start: Annotated[int, Query(ge=-_LAST, le=_LAST, description="Of the end, if negative.")] = 0,
    limit: Annotated[int, Query(ge=1, le=RANGE_AT_MOST, description="Bytes.")] = RANGE_BYTES,
    stream: OneStream = None,
) -> dict[str, Any]:
    """A range of its bytes, counted over all streams together. `start=-65536` is the last 64 KiB.

    A log record is text in place of its bytes, so that texts may be of another length than ranges.
    """
    handle, _ = seen_run(jober, who, id)
    chosen = _output(handle, stream)
    size = chosen.size()
    first = min(size, start if start >= 0 else max(0, size + start))
    end = min(size, first + limit)
    return {
        "start": first,
        "end": end,
        "size": size,
        "next": end if end < size else None,
        "items": [piece(item) for item in chosen.between(first, end)],
    }


@router.get(
    "/runs/{id}/output/lines", name="api:lines", response_model=Lines, responses=problems(404, 409)
)
def lines(
    jober: JoberDep,
    who: Viewer,
    id: RunId,
    first: Annotated[int, Query(ge=1, le=_LAST, description="The number of the first.")] = 1,
    count: Count = 100,
    stream: OneStream = None,
) -> dict[str, Any]:
    """A range of its lines, counted from 1. What is no UTF-8 is shown as such."""
    handle, _ = seen_run(jober, who, id)
    found = list(islice(_all_lines(_output(handle, stream)), first - 1, first + count))
    return {
        "items": [
            {"number": number, "text": line.decode("utf-8", "replace")}
            for number, line in enumerate(found[:count], first)
        ],
        "next": first + count if len(found) > count else None,
    }


@router.get(
    "/runs/{id}/output/head",
    name="api:head",
    response_class=PlainTextResponse,
    responses={**problems(404, 409), 200: _TEXT},
)
def head(
    jober: JoberDep, who: Viewer, id: RunId, lines: Count = 10, stream: OneStream = None
) -> PlainTextResponse:
    """Its first lines, as text."""
    handle, _ = seen_run(jober, who, id)
    return _text(islice(_all_lines(_output(handle, stream)), lines))


@router.get(
    "/runs/{id}/output/tail",
    name="api:tail",
    response_class=PlainTextResponse,
    responses={**problems(404, 409), 200: _TEXT},
)
def tail(
    jober: JoberDep, who: Viewer, id: RunId, lines: Count = 10, stream: OneStream = None
) -> PlainTextResponse:
    """Its last lines, as text; of a very long one, those within its last 8 MiB."""
    handle, _ = seen_run(jober, who, id)
    chosen = _output(handle, stream)
    size, back = chosen.size(), _STEP_BYTES
    while True:
        start = max(0, size - back)
        # One more than wanted: the first of them may have begun before.
        found = deque(lines_of(chosen.between(start, size)), lines + 1)
        if len(found) > lines or start == 0 or back >= _TAIL_BYTES:
            return _text(islice(found, max(0, len(found) - lines), None))
        back *= 4


@router.get(
    "/runs/{id}/output/download",
    name="api:download",
    response_class=StreamingResponse,
    responses={
        **problems(404, 409),
        200: {
            "description": "All that it has written so far.",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        },
    },
)
def download(
    jober: JoberDep, who: Viewer, id: RunId, stream: OneStream = None
) -> StreamingResponse:
    """All of it, as a file: bytes as they were written, log records as lines of text."""
    handle, _ = seen_run(jober, who, id)
    name = f"{id}.{stream or 'output'}.log"
    chosen = _output(handle, stream)
    size = chosen.size()
    return StreamingResponse(
        (shown(item) for item in chosen.between(0, size)),
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _output(handle: RunHandle, stream: Stream | None) -> Output:
    match stream:
        case Stream.STDOUT:
            return handle.stdout
        case Stream.STDERR:
            return handle.stderr
        case Stream.LOG:
            return handle.log
    return handle.output


def _all_lines(chosen: Output) -> Iterator[bytes]:
    return lines_of(chosen.between(0, chosen.size()))


def _text(lines: Iterator[bytes]) -> PlainTextResponse:
    text = b"".join(line + b"\n" for line in lines)
    headers = {"X-Content-Type-Options": "nosniff"}
    return PlainTextResponse(text.decode("utf-8", "replace"), headers=headers)
