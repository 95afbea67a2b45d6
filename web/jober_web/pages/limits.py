"""Limits that jobs share, and queues: what holds runs up."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse

from jober.run import RunState
from jober_web.access.guard import FleetAdmin, FleetViewer
from jober_web.pages.page import PageDep
from jober_web.pages.route import PageRoute

router = APIRouter(route_class=PageRoute)
# So many are shown; those where something waits come first.
_SHOWN = 200


@router.get("/limits", name="limits")
def limits(page: PageDep, who: FleetViewer) -> HTMLResponse:
    """Both, with what waits."""
    queues = sorted(page.jober.queues(), key=lambda queue: (-queue.waiting, queue.name))
    found = sorted(page.jober.limits(), key=lambda limit: (-limit.waiting, limit.name))
    return page.show(
        "limits.html",
        limits=found[:_SHOWN],
        limits_more=max(0, len(found) - _SHOWN),
        queues=queues[:_SHOWN],
        queues_more=max(0, len(queues) - _SHOWN),
        counts=page.jober.counts(),
        waiting=(RunState.QUEUED, RunState.PARKED, RunState.DELAYED, RunState.WAITING),
        wall=page.wall,
        who=who,
    )


@router.post("/limits", name="limit_set")
def set_limit(
    page: PageDep,
    who: FleetAdmin,
    name: Annotated[str, Form(max_length=200)],
    slots: Annotated[int, Form()],
) -> RedirectResponse:
    """Let so many runs of the jobs that name it go on at once."""
    page.jober.set_limit(name.strip(), slots)
    return page.go("limits")


@router.post("/limits/{name}/remove", name="limit_remove")
def remove_limit(page: PageDep, who: FleetAdmin, name: str) -> RedirectResponse:
    """Remove a limit that no job names."""
    page.jober.remove_limit(name)
    return page.go("limits")
