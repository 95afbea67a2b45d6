"""How the pages look: light or dark, as each browser keeps it in a cookie."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Header
from fastapi.responses import RedirectResponse

from jober_web.access.guard import Viewer
from jober_web.pages.page import PageDep
from jober_web.pages.route import PageRoute
from jober_web.pages.templates import THEMES

router = APIRouter(route_class=PageRoute)
_YEAR_S = 365 * 86_400


@router.post("/theme", name="theme")
def theme(
    page: PageDep,
    who: Viewer,
    theme: Annotated[str, Form()],
    referer: Annotated[str, Header()] = "",
) -> RedirectResponse:
    """Keep a theme, and go back to where it was asked for."""
    back = urlsplit(referer)
    inside = back.netloc == page.request.url.netloc and back.path.startswith("/")
    url = back._replace(scheme="", netloc="").geturl() if inside else page.url("now")
    # Two slashes at the front would be another host.
    response = RedirectResponse("/" + url.lstrip("/\\"), 303)
    if theme in THEMES:
        response.set_cookie(
            "jober_theme", theme, max_age=_YEAR_S, path=page.url("now"), samesite="lax"
        )
    return response
