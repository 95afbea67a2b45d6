"""One fire of a job that runs on several hosts: what they said, side by side."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, RedirectResponse

from jober.errors import JoberError
from jober.run import Run
from jober_web.access.guard import Operator, Viewer
from jober_web.access.who import Scope, Who
from jober_web.pages.page import Page, PageDep
from jober_web.pages.route import PageRoute
from jober_web.pages.views.fire import fire_view
from jober_web.problems import Problem
from jober_web.sight import seen_job, seen_runs

router = APIRouter(route_class=PageRoute)
# The output of so many hosts is compared.
COMPARED = 500
_TOLD = 10

Moment = Annotated[int, Path(ge=0, le=253_402_300_000_000)]


@router.get("/jobs/{name}/fires/{at_ms}", name="fire")
def fire(page: PageDep, who: Viewer, name: str, at_ms: Moment) -> HTMLResponse:
    """All its runs, in groups. A job that is gone has its runs still, for who sees all."""
    runs = _runs(page, who, name, at_ms)
    wall = page.wall
    return page.show(
        "fire.html",
        name=name,
        at_ms=at_ms,
        may_change=who.may(Scope.OPERATOR),
        view=fire_view(runs, page.jober.beginnings([run.id for run in runs]), wall),
        why=page.jober.why(name, at_ms) if not runs else None,
        wall=wall,
        who=who,
    )


@router.post("/jobs/{name}/fires/{at_ms}/rerun", name="fire_again")
def again(page: PageDep, who: Operator, name: str, at_ms: Moment) -> RedirectResponse:
    """Run those once more that did not end well, each on its host; of what fails, the others are
    run nevertheless."""
    failed = []
    for run in _runs(page, who, name, at_ms):
        if run.state.is_final and not run.is_good:
            try:
                page.jober.handle(run.id).rerun(detach=True)
            except JoberError as error:
                failed.append(f"{run.host or run.id}: {error}")
    if failed:
        raise Problem(409, "Not all were run again. " + "; ".join(failed[:_TOLD]))
    return page.go("runs", query={"q": name})


def _runs(page: Page, who: Who, name: str, at_ms: int) -> list[Run]:
    """Those of the fire. Raises JobNotFound."""
    if who.is_limited:
        seen_job(page.jober, who, name)
    return seen_runs(page.jober, who, page.jober.runs_of_fire(name, at_ms))[:COMPARED]
