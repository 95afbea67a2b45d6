"""The streams: what happens in the fleet, and what a run writes."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from jober.access.who import Who
from jober.client import Jober
from jober.client.happenings import Snapshot, check_types, place
from jober.event import Event, is_wanted
from jober_web.access.guard import Viewer, still_is
from jober_web.api.documented import problems
from jober_web.api.route import ApiRoute
from jober_web.problems import Problem
from jober_web.sight import seen_events, seen_job, seen_run, seen_runs
from jober_web.stream.followers import Events, Place, follow_events, follow_output
from jober_web.stream.hub import Hub, hub_of
from jober_web.stream.response import EventStream

router = APIRouter(route_class=ApiRoute, tags=["streams"])

HubDep = Annotated[Hub, Depends(hub_of)]
# How often it is looked whether who follows may still see it, in seconds.
AGAIN_S = 15.0
# What is to be told waits for that so long.
_LOOK_S = 1.0
_STREAM: dict[str, Any] = {
    "description": "Server-sent events, without an end.",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}


@router.get(
    "/events",
    name="api:events",
    response_class=Response,
    responses={**problems(404), 200: _STREAM},
)
async def events(
    request: Request,
    hub: HubDep,
    who: Viewer,
    type: Annotated[
        list[str] | None,
        Query(description='A type, "run.*", or a kind such as "error"; several are any of them.'),
    ] = None,
    job: Annotated[str | None, Query(max_length=200)] = None,
    last_event_id: Annotated[str | None, Header(max_length=60)] = None,
) -> EventStream:
    """What happens, as it happens: first a `snapshot` of how things are, then each event. With
    `Last-Event-ID` it goes on after that one, and a snapshot comes only where the log has lost
    some since. `redis` tells where Redis goes away (`up` is false) and where it is there again.
    A comment comes every 15 s; the stream ends now and then, to be asked for anew."""
    types = check_types(type or ())
    if last_event_id is not None:
        place(last_event_id, "Last-Event-ID")
    if job is not None and who.is_limited:
        await run_in_threadpool(seen_job, hub.jober, who, job)
    hub.check_room()
    chosen = _chosen(hub.jober, who, types, job)
    log = await hub.events()
    return EventStream(_counted(hub, request, who, follow_events(hub, log, last_event_id, chosen)))


@router.get(
    "/runs/{id}/output/stream",
    name="api:run_output",
    response_class=Response,
    responses={**problems(404), 200: _STREAM, 204: {"description": "The end was told before."}},
)
async def output(
    request: Request,
    hub: HubDep,
    who: Viewer,
    id: Annotated[str, Path(max_length=400)],
    last_event_id: Annotated[str | None, Header(max_length=60)] = None,
) -> Response:
    """What a run has written and writes: a `frame` for each piece of it, `truncated` where some is
    kept no more, `progress` when it tells of it, and its `end`. With `Last-Event-ID` it goes on
    after that frame. Its bytes are `text` where they are UTF-8, else `base64`."""
    try:
        at = Place.read(last_event_id) if last_event_id is not None else Place()
    except ValueError as error:
        told = {"field": "Last-Event-ID", "message": str(error)}
        raise Problem(422, str(error), [told]) from None
    await run_in_threadpool(seen_run, hub.jober, who, id)
    if at.is_end:
        return Response(status_code=204)
    hub.check_room()
    return EventStream(_counted(hub, request, who, _output(hub, id, at)))


async def _output(hub: Hub, id: str, at: Place) -> AsyncGenerator[bytes, None]:
    async with hub.output(id) as log, aclosing(follow_output(hub, log, id, at)) as told:
        async for one in told:
            yield one


async def _counted(
    hub: Hub, request: Request, who: Who, told: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    """Until whoever asked may see it no more: it is looked at again and again. Where Redis is away
    that takes long, and the stream goes on meanwhile."""
    looked = time.monotonic()
    look: asyncio.Task[bool] | None = None
    with hub.following():
        async with aclosing(told) as ones:
            try:
                async for one in ones:
                    if look is None and time.monotonic() - looked >= AGAIN_S:
                        look = asyncio.create_task(still_is(request, who))
                        await asyncio.wait([look], timeout=_LOOK_S)
                    if look is not None and look.done():
                        if not look.result():
                            return
                        look, looked = None, time.monotonic()
                    yield one
            finally:
                if look is not None:
                    look.cancel()


def _chosen(jober: Jober, who: Who, types: tuple[str, ...], job: str | None) -> Events:
    """Those of these types, of one job where it is told, and of jobs that they see."""

    def wants(events: Sequence[Event]) -> Sequence[Event]:
        found = [one for one in events if is_wanted(one, types) and job in (None, one.job)]
        return seen_events(jober, who, found)

    def narrow(snapshot: Snapshot) -> Snapshot:
        if not who.is_limited:
            return snapshot
        running = tuple(seen_runs(jober, who, snapshot.running))
        return replace(snapshot, agents=(), running=running)

    return Events(wants=wants, narrow=narrow)
