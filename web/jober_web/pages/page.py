"""What the route of a page stands on: the Jober, who asks, and how moments are told to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from jober.client import Jober
from jober_web.dependencies import jober_of
from jober_web.pages.templates import templates, url_of
from jober_web.pages.wall import Wall, read_zone


@dataclass(frozen=True, slots=True)
class Page:
    """One request for a page."""

    request: Request
    jober: Jober

    @property
    def wall(self) -> Wall:
        """Now, by Redis's clock, in the zone that the browser has told."""
        return Wall(self.jober.now_ms(), read_zone(self.request.cookies.get("jober_zone")))

    def url(self, name: str, /, **parameters: Any) -> str:
        """The path of a route by its name."""
        return url_of(self.request, name, **parameters)

    def show(self, template: str, status: int = 200, /, **context: Any) -> HTMLResponse:
        """The page of a template. One that is asked for a part, by htmx, gets the same: it takes
        what it wants."""
        return templates.TemplateResponse(self.request, template, context, status)

    def go(
        self, name: str, /, query: Mapping[str, str] | None = None, **parameters: Any
    ) -> RedirectResponse:
        """After a change: to the page that shows it."""
        asked = f"?{urlencode(query)}" if query else ""
        return RedirectResponse(f"{self.url(name, **parameters)}{asked}", 303)


def page_of(request: Request) -> Page:
    return Page(request, jober_of(request))


PageDep = Annotated[Page, Depends(page_of)]
