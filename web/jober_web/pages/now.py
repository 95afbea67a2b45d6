"""What goes on now: the first page."""

from fastapi import APIRouter, Response

from jober_web.access.guard import Viewer
from jober_web.pages.page import PageDep
from jober_web.pages.route import PageRoute
from jober_web.pages.views.now import now_view
from jober_web.sight import seen_runs

router = APIRouter(route_class=PageRoute)
_RUNNING, _BAD = 25, 10


@router.get("/", name="now")
def now(page: PageDep, who: Viewer) -> Response:
    """The page; a part of it asks for it again as things happen. Its counts are of all jobs, so who
    sees but some begins with these."""
    if who.is_limited:
        return page.go("jobs")
    jober = page.jober
    queues = jober.queues()
    counts = jober.counts()
    bad, bad_number, looked_ms = jober.bad_runs(24, limit=_BAD)
    view = now_view(
        counts=counts,
        overdue=jober.overdue() if counts.overdue else (),
        queues=queues,
        running=seen_runs(jober, who, jober.running(_RUNNING)),
        bad=seen_runs(jober, who, bad),
        bad_number=bad_number,
        looked_ms=looked_ms,
        leader=jober.leader(),
        agents=jober.agents(),
        made=jober.made_by_minute(60),
        wall=page.wall,
    )
    return page.show("now.html", view=view, wall=page.wall, who=who)
