"""The runs, newest first, a page at a time."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from jober.event import BAD
from jober.page import Page
from jober.run import Run, RunState
from jober_web.access.guard import Viewer
from jober_web.pages.page import PageDep
from jober_web.pages.route import PageRoute
from jober_web.pages.views.run_line import run_line
from jober_web.sight import seen_run_page

router = APIRouter(route_class=PageRoute)
PAGE = 50
# Words for several states at once.
SEVERAL = {
    "bad": tuple(str(state) for state in RunState if state in BAD),
    "live": tuple(str(state) for state in RunState if not state.is_final),
}

Text = Annotated[str, Query(max_length=300)]


@router.get("/runs", name="runs")
def runs(
    page: PageDep,
    who: Viewer,
    q: Text = "",
    state: Text = "",
    host: Text = "",
    tag: Text = "",
    after: Text = "",
) -> HTMLResponse:
    """A page of runs; `q` is the job that they are of."""
    job, wall = q.strip(), page.wall

    def ask(after: str | None) -> Page[Run]:
        return page.jober.run_page(
            job or None,
            state=SEVERAL.get(state) or state or None,
            host=host.strip() or None,
            tag=tag or None,
            after=after,
            limit=PAGE,
        )

    found = seen_run_page(page.jober, who, ask, after or None)
    asked = {"q": job, "state": state, "host": host, "tag": tag}
    return page.show(
        "runs.html",
        lines=[run_line(run, wall.now_ms) for run in found],
        asked={name: value for name, value in asked.items() if value},
        is_first=not after,
        next=found.next,
        states=[*SEVERAL, *map(str, RunState)],
        wall=wall,
        who=who,
    )
