"""The timeline: what has run, and what is to come."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from jober.clock import from_ms
from jober.placement import Roster
from jober_web.access.guard import Viewer
from jober_web.pages.page import PageDep
from jober_web.pages.route import PageRoute
from jober_web.pages.views.coming import Where, by_place
from jober_web.pages.views.timeline import timeline_view
from jober_web.pages.views.window import SPANS, window_of
from jober_web.sight import seen_runs

router = APIRouter(route_class=PageRoute)
_RUNS, _FIRES, _JOBS = 500, 1000, 60
_LAST_MS = 253_402_300_000_000

Span = Annotated[str, Query(max_length=5)]
Moment = Annotated[int | None, Query(ge=0, le=_LAST_MS)]


@router.get("/timeline", name="timeline")
def timeline(
    page: PageDep,
    who: Viewer,
    span: Span = "6h",
    at: Moment = None,
    by: Literal["job", "host"] = "job",
    q: Annotated[str, Query(max_length=200)] = "",
    tag: Annotated[str, Query(max_length=200)] = "",
) -> HTMLResponse:
    """A window of time around `at` (ms), or around now; of one job, or of those with a tag."""
    jober, wall, job = page.jober, page.wall, q.strip()
    window = window_of(span, at, wall.now_ms)
    found = jober.run_page(
        job or None,
        since=from_ms(window.start_ms),
        until=from_ms(min(window.end_ms, wall.now_ms + 1000)),
        tag=tag or None,
        limit=_RUNS,
    )
    runs = seen_runs(jober, who, found)
    coming = jober.coming(window.end_ms, n=_FIRES, limit=_JOBS)
    jobs = {one.name: one.job for one in jober.find_those([one.job for one in coming])}
    coming = [
        one
        for one in coming
        if one.job in jobs
        and who.sees(jobs[one.job])
        and job in ("", one.job)
        and (not tag or tag in jobs[one.job].tags)
    ]
    wheres = {name: Where(on=job.on, queue=job.queue) for name, job in jobs.items()}
    view = timeline_view(
        runs,
        coming,
        by_place(coming, wheres, Roster.of(jober.agents())) if by == "host" else {},
        window,
        wall,
        by=by,
        job_link=lambda name: page.url("job", name=name) if name else page.url("runs"),
        run_link=lambda id: page.url("run", id=id),
        host_link=lambda host: f"{page.url('runs')}?{urlencode({'host': host})}",
        # Of several alternatives, each has all of its jobs.
        queue_link=lambda queue: (
            f"{page.url('jobs')}?{urlencode({'role': queue.partition('|')[0]})}"
        ),
        is_all=found.next is None,
        is_now=at is None,
    )
    asked = {"span": window.span, "by": by, "q": job, "tag": tag, "at": "" if at is None else at}
    return page.show(
        "timeline.html",
        view=view,
        asked={name: value for name, value in asked.items() if value != ""},
        spans=list(SPANS),
        wall=wall,
        who=who,
    )
