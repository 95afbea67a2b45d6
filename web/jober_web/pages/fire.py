"""One fire of a job that runs on several hosts: what they said, side by side."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from jober_web.access.guard import Viewer
from jober_web.pages.page import PageDep
from jober_web.pages.route import PageRoute
from jober_web.pages.views.fire import fire_view
from jober_web.sight import seen_job, seen_runs

router = APIRouter(route_class=PageRoute)
# The output of so many hosts is compared.
COMPARED = 500


@router.get("/jobs/{name}/fires/{at_ms}", name="fire")
def fire(
    page: PageDep, who: Viewer, name: str, at_ms: Annotated[int, Path(ge=0, le=253_402_300_000_000)]
) -> HTMLResponse:
    """All its runs, in groups. A job that is gone has its runs still, for who sees all."""
    if who.is_limited:
        seen_job(page.jober, who, name)
    runs = seen_runs(page.jober, who, page.jober.runs_of_fire(name, at_ms))[:COMPARED]
    wall = page.wall
    return page.show(
        "fire.html",
        name=name,
        at_ms=at_ms,
        view=fire_view(runs, page.jober.beginnings([run.id for run in runs]), wall),
        why=page.jober.why(name, at_ms) if not runs else None,
        wall=wall,
        who=who,
    )
