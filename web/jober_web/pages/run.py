"""One run: how it goes, what it says, and how to stop it."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse

from jober.errors import DefinitionError
from jober_web.access.guard import Operator, Viewer
from jober_web.pages.log import Place, Wanted, log_view
from jober_web.pages.page import Page, PageDep
from jober_web.pages.route import PageRoute
from jober_web.pages.seen import seen_run
from jober_web.pages.views.run import run_view
from jober_web.problems import Problem

router = APIRouter(route_class=PageRoute)


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
    found = seen_run(page.jober, who, id)
    handle = page.jober.handle(id)
    wall = page.wall
    return page.show(
        "run.html",
        run=run_view(found, handle.attempts, handle.arguments, wall),
        log=log_view(handle, after=after, before=before, at=at, q=q),
        q=q,
        is_tail=after is None and before is None and at is None and not q,
        may_change=_may_change(page, who, found.job),
        wall=wall,
        who=who,
    )


@router.post("/runs/{id}/cancel", name="run_cancel")
def cancel(page: PageDep, who: Operator, id: str) -> RedirectResponse:
    """Stop it."""
    _checked(page, who, id)
    page.jober.handle(id).cancel(f"cancelled by {who.name}")
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
    _checked(page, who, id)
    handle = page.jober.handle(id)
    own = handle.arguments
    told: dict[str, Any] = {}
    for name, text, now in (
        ("args", args, own[0] if own else None),
        ("kwargs", kwargs, own[1] if own else None),
    ):
        if text.strip() and (value := _json(text, name)) != now:
            told[name] = value
    return page.go("run", id=handle.rerun(**told).id)


def _checked(page: Page, who: Operator, id: str) -> None:
    """Raises RunNotFound, and a Problem where it is not theirs to change."""
    found = seen_run(page.jober, who, id)
    if not _may_change(page, who, found.job):
        raise Problem(403, f"{who.name} may not change runs of {found.job or 'no job'}")


def _may_change(page: Page, who: Viewer, job: str | None) -> bool:
    """Of a run without a job, whoever sees all jobs; likewise of one whose job is gone."""
    records = page.jober.find_those([job] if job else [])
    if records:
        return who.may_change(records[0].job)
    return who.may_change(None)


def _json(text: str, field: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise DefinitionError(
            "it is no JSON", field=field, value=text[:60], mend='as [1, "two"] or {"day": 1}'
        ) from None
