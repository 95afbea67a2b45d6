"""Runs: listed, read, cancelled, run again."""

import json
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response

from jober.client import RunHandle
from jober.run import Run, RunState
from jober_web.access.guard import Operator, Viewer
from jober_web.api.documented import problems
from jober_web.api.models import (
    Attempts,
    Because,
    Cancelled,
    LogRecords,
    RerunAsked,
    RunDetails,
    RunOut,
    RunPage,
)
from jober_web.api.paging import LIMIT, After, Limit, page
from jober_web.api.route import ApiRoute
from jober_web.dependencies import JoberDep
from jober_web.sight import seen_run, seen_run_page

router = APIRouter(route_class=ApiRoute, tags=["runs"])

_Text = Annotated[str | None, Query(max_length=200)]
_Moment = Annotated[
    str | None, Query(max_length=100, description="ISO text, or `2h` for so long ago.")
]


@router.get("/runs", name="api:runs", response_model=RunPage, responses=problems())
def list_runs(
    jober: JoberDep,
    who: Viewer,
    after: After,
    job: _Text = None,
    state: Annotated[list[RunState] | None, Query(description="One, or several.")] = None,
    host: _Text = None,
    tag: _Text = None,
    since: _Moment = None,
    until: _Moment = None,
    limit: Limit = LIMIT,
) -> dict[str, Any]:
    """A page of runs, newest first. Where few are what is looked for, a page may be short, or
    empty, and yet have a `next` one."""
    ask = partial(
        jober.run_page,
        job,
        state=[str(one) for one in state] if state else None,
        host=host,
        since=since,
        until=until,
        tag=tag,
        limit=limit,
    )
    found = seen_run_page(jober, who, lambda place: ask(after=place), after)
    return page([run.to_dict() for run in found], found.next)


@router.get("/runs/{id}", name="api:get_run", response_model=RunDetails, responses=problems(404))
def get_run(jober: JoberDep, who: Viewer, id: str) -> dict[str, Any]:
    """One run, with its result, its traceback and its arguments."""
    return _details(*seen_run(jober, who, id))


@router.get(
    "/runs/{id}/attempts", name="api:attempts", response_model=Attempts, responses=problems(404)
)
def attempts(jober: JoberDep, who: Viewer, id: str) -> dict[str, Any]:
    """Its attempts that have begun, in order: more than one where it was tried again."""
    handle, _ = seen_run(jober, who, id)
    return {"items": [attempt.to_dict() for attempt in handle.attempts]}


@router.get("/runs/{id}/logs", name="api:logs", response_model=LogRecords, responses=problems(404))
def logs(jober: JoberDep, who: Viewer, id: str) -> dict[str, Any]:
    """What is kept of the records that its loggers wrote."""
    handle, _ = seen_run(jober, who, id)
    return {"items": [line.to_dict() for line in handle.logs]}


@router.post(
    "/runs/{id}/cancel",
    name="api:cancel",
    response_model=Cancelled,
    responses=problems(404),
)
def cancel(
    jober: JoberDep, who: Operator, id: str, because: Annotated[Because | None, Body()] = None
) -> dict[str, Any]:
    """Stop it, or withdraw it where it has not started."""
    handle, _ = seen_run(jober, who, id)
    return {"outcome": handle.cancel((because or Because()).reason)}


@router.post(
    "/runs/{id}/rerun",
    name="api:rerun",
    status_code=201,
    response_model=RunOut,
    responses={
        **problems(404, 409),
        201: {"headers": {"Location": {"schema": {"type": "string"}}}},
    },
)
def rerun(
    jober: JoberDep,
    who: Operator,
    id: str,
    request: Request,
    response: Response,
    asked: Annotated[RerunAsked | None, Body()] = None,
) -> dict[str, Any]:
    """Run the same again, now, as a run of its own."""
    handle, _ = seen_run(jober, who, id)
    asked = asked or RerunAsked()
    made = handle.rerun(asked.args, asked.kwargs, append=asked.append, detach=True)
    response.headers["Location"] = request.url_for("api:get_run", id=made.id).path
    return made.run.to_dict()


def _details(handle: RunHandle, run: Run) -> dict[str, Any]:
    arguments = handle.arguments
    return {
        **run.to_dict(),
        "result": _result(run),
        "traceback": run.traceback,
        "arguments": {"args": arguments[0], "kwargs": arguments[1]} if arguments else None,
        "cancel_requested": run.cancel_requested,
    }


def _result(run: Run) -> Any:
    """What the function returned; None where that cannot be read: anybody may write a record."""
    try:
        return json.loads(run.return_value) if run.return_value else None
    except (ValueError, RecursionError):
        return None
