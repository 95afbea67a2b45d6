"""The jobs: looked for as one writes, and changed several at a time."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse

from jober.errors import JoberError
from jober.job_filter import JobFilter
from jober_web.access.guard import Operator, Viewer
from jober_web.pages.page import PageDep
from jober_web.pages.route import PageRoute
from jober_web.pages.views.jobs import RUNS, STATES, jobs_view
from jober_web.sight import seen_job, seen_jobs

router = APIRouter(route_class=PageRoute)
PAGE = 50
_TOLD = 10

Text = Annotated[str, Query(max_length=200)]


@router.get("/jobs", name="jobs")
def jobs(
    page: PageDep,
    who: Viewer,
    q: Text = "",
    tag: Text = "",
    role: Text = "",
    state: Text = "",
    after: Text = "",
    told: Annotated[str, Query(max_length=2000)] = "",
) -> HTMLResponse:
    """A page of jobs by name. `told` is what became of a change of several."""
    wanted = JobFilter(
        text=q.strip(),
        tag=tag or None,
        role=role or None,
        paused={"active": False, "paused": True}.get(state),
    )
    found = seen_jobs(page.jober, who, wanted, after or None, PAGE)
    histories = page.jober.histories([record.name for record in found.jobs], RUNS)
    view = jobs_view(
        found.jobs,
        found.later,
        histories,
        found.next,
        page.wall,
        text=q.strip(),
        tag=tag,
        role=role,
        state=state if state in STATES else "",
    )
    return page.show("jobs.html", view=view, wall=page.wall, who=who, told=told, states=STATES)


@router.post("/jobs", name="jobs_change")
def change(
    page: PageDep,
    who: Operator,
    do: Annotated[Literal["pause", "resume", "run"], Form()],
    names: Annotated[list[str], Form(max_length=PAGE)] = [],  # noqa: B006 - FastAPI copies it
) -> RedirectResponse:
    """Pause, resume or run several; of what fails, the others are done nevertheless."""
    done, failed = 0, []
    for name in names:
        try:
            record = seen_job(page.jober, who, name)
            if do == "pause":
                page.jober.pause(name)
            elif do == "resume":
                page.jober.resume(name)
            elif record.job.on == "any":
                page.jober.run(name, detach=True)
            else:
                page.jober.run_everywhere(name)
            done += 1
        except JoberError as error:
            failed.append(f"{name}: {error}")
    words = {"pause": "paused", "resume": "resumed", "run": "started"}
    told = f"{done} {words[do]}" + "".join(f"; {one}" for one in failed[:_TOLD])
    return page.go("jobs", query={"told": told[:2000]})
