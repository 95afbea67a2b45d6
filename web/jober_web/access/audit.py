"""Who did what, as a page."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from jober.access.audit import AuditFilter
from jober_web.access.credentials import people_of
from jober_web.access.guard import FleetAdmin
from jober_web.access.places import path_of
from jober_web.pages.route import PageRoute
from jober_web.pages.templates import templates

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_LINES = 100


@router.get("/audit", name="audit", response_class=HTMLResponse)
def audit(
    request: Request,
    admin: FleetAdmin,
    who: str = "",
    action: str = "",
    object: str = "",
    outcome: str = "",
    before: str = "",
) -> Response:
    """The newest lines that are wanted."""
    asked = {"who": who, "action": action, "object": object, "outcome": outcome}
    wanted = AuditFilter(**{name: value[:300] or None for name, value in asked.items()})
    entries, following = people_of(request).audit(_LINES, before or None, wanted)
    more = ""
    if following:
        given = {name: value for name, value in asked.items() if value}
        more = f"{path_of(request, 'audit')}?{urlencode({**given, 'before': following})}"
    context = {"who": admin, "entries": entries, "asked": asked, "more": more}
    return templates.TemplateResponse(request, "access/audit.html", context)
