"""Who did what, as a page."""

from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from jober.access.audit import AuditFilter
from jober_web.access.credentials import people_of
from jober_web.access.guard import FleetAdmin
from jober_web.pages.page import PageDep
from jober_web.pages.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_LINES = 100


@router.get("/audit", name="audit", response_class=HTMLResponse)
def audit(
    page: PageDep,
    admin: FleetAdmin,
    who: str = "",
    action: str = "",
    object: str = "",
    outcome: str = "",
    before: str = "",
) -> HTMLResponse:
    """The newest lines that are wanted."""
    asked = {"who": who, "action": action, "object": object, "outcome": outcome}
    wanted = AuditFilter(**{name: value[:300] or None for name, value in asked.items()})
    entries, following = people_of(page.request).audit(_LINES, before or None, wanted)
    more = ""
    if following:
        given = {name: value for name, value in asked.items() if value}
        more = f"{page.url('audit')}?{urlencode({**given, 'before': following})}"
    return page.show(
        "access/audit.html", who=admin, entries=entries, asked=asked, more=more, wall=page.wall
    )
