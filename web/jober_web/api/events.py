"""What has happened: the log of events, newest first."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from jober_web.access.guard import Viewer
from jober_web.api.documented import problems
from jober_web.api.models import EventPage
from jober_web.api.paging import LIMIT, After, Limit, page
from jober_web.api.route import ApiRoute
from jober_web.dependencies import JoberDep
from jober_web.sight import must_see_all, seen_job

router = APIRouter(route_class=ApiRoute, tags=["events"])


@router.get("/events/log", name="api:events_log", response_model=EventPage, responses=problems(404))
def list_events(
    jober: JoberDep,
    who: Viewer,
    after: After,
    type: Annotated[
        list[str] | None,
        Query(description='A type, "run.*", or a kind such as "error"; several are any of them.'),
    ] = None,
    job: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = LIMIT,
) -> dict[str, Any]:
    """A page of events, newest first: those of one job, or of the whole fleet. Where few are what
    is looked for, a page may be short, or empty, and yet have a `next` one."""
    if job is not None and who.is_limited:
        seen_job(jober, who, job)
    elif job is None:
        must_see_all(who)
    found = jober.event_page(*(type or ()), name=job, before=after, limit=limit)
    return page([event.to_dict() for event in found], found.next)
