"""One job: when, where and how it runs, and what has become of it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from jober.client.finding import coming_fires
from jober.client.moments import read_moment_ms
from jober.client.why import Why
from jober.errors import DefinitionError
from jober.workflow import svg
from jober_web.access.guard import Admin, Operator, Viewer
from jober_web.access.who import Scope, Who
from jober_web.pages.given import changed_arguments
from jober_web.pages.page import Page, PageDep
from jober_web.pages.route import PageRoute
from jober_web.pages.views.job import PLOTTED, definition_view, job_view, ledger_lines, plots
from jober_web.pages.views.run_line import run_line
from jober_web.sight import seen_job

router = APIRouter(route_class=PageRoute)
_FIRES, _RUNS, _LEDGER = 8, 10, 15
# A graph of more jobs is told of, and not drawn.
_DRAWN = 60

Revision = Annotated[int | None, Query(ge=1)]


@router.get("/jobs/{name}", name="job")
def job(
    page: PageDep,
    who: Viewer,
    name: str,
    revision: Revision = None,
    against: Revision = None,
    at: Annotated[str, Query(max_length=60)] = "",
) -> HTMLResponse:
    """All about it. `revision` and `against` choose definitions, `at` a moment to ask why of."""
    jober, wall = page.jober, page.wall
    record = seen_job(jober, who, name)
    briefs = jober.histories([name], PLOTTED)[name]
    links = {brief.id: page.url("run", id=brief.id) for brief in briefs}
    specs = {number: one.spec() for number, one in jober.revisions(name).items()}
    fires = [] if record.paused else coming_fires(record, wall.now_ms, _FIRES)
    why, why_wrong = _why(page, name, at)
    return page.show(
        "job.html",
        job=job_view(record, fires, jober.hosts_for(record.job), jober.service(name), wall),
        plots=plots(briefs, links, wall),
        definition=definition_view(specs, revision, against),
        runs=[run_line(run, wall.now_ms) for run in jober.runs(name, limit=_RUNS)],
        ledger=ledger_lines(jober.ledger(name, _LEDGER), wall),
        graph=_graph(page, who, name),
        at=at,
        why=why,
        why_wrong=why_wrong,
        may_change=who.may(Scope.OPERATOR),
        may_define=who.may(Scope.ADMIN),
        wall=wall,
        who=who,
    )


@router.post("/jobs/{name}/pause", name="job_pause")
def pause(
    page: PageDep, who: Operator, name: str, do: Annotated[Literal["pause", "resume"], Form()]
) -> RedirectResponse:
    """Pause it, or resume."""
    seen_job(page.jober, who, name)
    (page.jober.pause if do == "pause" else page.jober.resume)(name)
    return page.go("job", name=name)


@router.post("/jobs/{name}/run", name="job_run")
def run(
    page: PageDep,
    who: Operator,
    name: str,
    args: Annotated[str, Form(max_length=100_000)] = "",
    kwargs: Annotated[str, Form(max_length=100_000)] = "",
    host: Annotated[str, Form(max_length=253)] = "",
) -> RedirectResponse:
    """Run it now, with other arguments, on one host or wherever it belongs."""
    record = seen_job(page.jober, who, name)
    job = record.job
    told = changed_arguments(
        {"args": args, "kwargs": kwargs}, {"args": job.args, "kwargs": job.kwargs}
    )
    if host.strip():
        handle = page.jober.run(name, host=host.strip(), detach=True, **told)
    elif record.job.on == "any":
        handle = page.jober.run(name, detach=True, **told)
    else:
        page.jober.run_everywhere(name, **told)
        return page.go("job", name=name)
    return page.go("run", id=handle.id)


@router.post("/jobs/{name}/remove", name="job_remove")
def remove(page: PageDep, who: Admin, name: str) -> RedirectResponse:
    """Remove its definition."""
    seen_job(page.jober, who, name)
    page.jober.remove_job(name)
    return page.go("jobs", query={"told": f"{name} is removed"})


def _why(page: Page, name: str, at: str) -> tuple[Why | None, str]:
    """What became of the fire of a moment, which stands on the wall of who asks."""
    if not at:
        return None, ""
    try:
        zone = page.wall.zone
        told = at.strip().replace(" ", "T", 1)
        at_ms = read_moment_ms(told, "at", page.wall.now_ms)
        if not told.endswith("Z") and "+" not in told and told[:4].isdecimal():
            wall_s = at_ms // 1000
            at_ms = zone.read(wall_s, "after", "first")[0] * 1000
        return page.jober.why(name, at_ms), ""
    except DefinitionError as error:
        return None, str(error)


def _graph(page: Page, who: Who, name: str) -> Markup | str:
    """The jobs that it has to do with, drawn; nothing where there are none, or some that whoever
    asks does not see."""
    graph = page.jober.graph_around(name, _DRAWN)
    if graph is None:
        return f"More than {_DRAWN} jobs come before and after it: jober graph {name}"
    if not graph.linked:
        return ""
    around = page.jober.find_those(graph.around(name))
    if not all(who.sees(record.job) for record in around):
        return ""
    drawn = svg(graph, graph.around(name), here=name, link=lambda one: page.url("job", name=one))
    return Markup(drawn)
