"""One run: how it goes, what it says, and how to stop it."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse

from jober.client.waiting import why_it_waits
from jober.run import RunState
from jober_web.access.guard import Operator, Viewer
from jober_web.access.who import Scope
from jober_web.pages.given import changed_arguments
from jober_web.pages.log import Place, Wanted, log_view
from jober_web.pages.page import PageDep
from jober_web.pages.route import PageRoute
from jober_web.pages.views.run import run_view
from jober_web.sight import seen_run

router = APIRouter(route_class=PageRoute)
# Of the others the run itself says why it is as it is.
_WAITS = (RunState.QUEUED, RunState.PARKED)


@router.get("/runs/{id}", name="run")
def run(
    page: PageDep,
    who: Viewer,
    id: str,
    after: Place = None,
    before: Place = None,
    at: Place = None,
    q: Wanted = "",
) -> HTMLResponse:
    """All about it, and of its log what the address asks for, or else its end."""
    handle, found = seen_run(page.jober, who, id)
    wall = page.wall
    waits = why_it_waits(page.jober, found, "Agents") if found.state in _WAITS else None
    return page.show(
        "run.html",
        run=run_view(found, handle.attempts, handle.arguments, waits, wall),
        log=log_view(handle, after=after, before=before, at=at, q=q),
        q=q,
        is_tail=after is None and before is None and at is None and not q,
        may_change=who.may(Scope.OPERATOR),
        wall=wall,
        who=who,
    )


@router.post("/runs/{id}/cancel", name="run_cancel")
def cancel(page: PageDep, who: Operator, id: str) -> RedirectResponse:
    """Stop it."""
    handle, _ = seen_run(page.jober, who, id)
    handle.cancel(f"cancelled by {who.name}")
    return page.go("run", id=id)


@router.post("/runs/{id}/rerun", name="run_again")
def rerun(
    page: PageDep,
    who: Operator,
    id: str,
    args: Annotated[str, Form(max_length=100_000)] = "",
    kwargs: Annotated[str, Form(max_length=100_000)] = "",
) -> RedirectResponse:
    """The same once more, with its arguments or others."""
    handle, _ = seen_run(page.jober, who, id)
    own = handle.arguments or (None, None)
    told = changed_arguments({"args": args, "kwargs": kwargs}, {"args": own[0], "kwargs": own[1]})
    return page.go("run", id=handle.rerun(**told, detach=True).id)
