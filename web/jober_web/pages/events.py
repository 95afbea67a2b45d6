"""What has happened, the newest first."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from jober.event import EVENT_KINDS, EVENT_TYPES, is_wanted
from jober_web.access.guard import Viewer
from jober_web.pages.page import PageDep
from jober_web.pages.route import PageRoute
from jober_web.pages.views.events import event_line
from jober_web.sight import seen_events

router = APIRouter(route_class=PageRoute)
PAGE = 100
# So many of the newest are looked at for those of a kind.
_LOOKED_AT = 2000

Text = Annotated[str, Query(max_length=200)]


@router.get("/events", name="events")
def events(page: PageDep, who: Viewer, q: Text = "", type: Text = "") -> HTMLResponse:
    """The newest of a kind, of one job or of all."""
    wall = page.wall
    known = type in EVENT_TYPES or type in EVENT_KINDS
    kinds = (type,) if known else ()
    recent = page.jober.recent_events(_LOOKED_AT if kinds or q or who.is_limited else PAGE)
    found = [
        event for event in recent if is_wanted(event, kinds) and (not q or event.job == q.strip())
    ]
    return page.show(
        "events.html",
        lines=[event_line(event, wall) for event in seen_events(page.jober, who, found)[:PAGE]],
        q=q.strip(),
        type=type if known else "",
        kinds=EVENT_KINDS,
        types=EVENT_TYPES,
        wall=wall,
        who=who,
    )
