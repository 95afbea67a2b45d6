"""How pages are made: Jinja2, which escapes whatever it is given.

A template says `static('jober.css')` for a file, and `url('now')` for a page or a route by its
name: paths with all prefixes in them, of the application that we are in, and of a proxy. `theme`,
`zone` and `csrf` are of whoever asks.
"""

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.templating import Jinja2Templates
from jinja2 import StrictUndefined, pass_context
from jinja2.runtime import Context

from jober import __version__
from jober.access import Scope
from jober.event import EVENT_TYPES
from jober.words import count, duration
from jober_web.access.cookies import cookie
from jober_web.access.csrf import csrf_token
from jober_web.access.guard import known_credentials
from jober_web.pages.amounts import size
from jober_web.pages.wall import read_zone
from jober_web.static_files import static_url

THEMES = ("light", "dark")


def of_request(request: Request) -> dict[str, Any]:
    """What every template knows of whoever asks."""
    theme = request.cookies.get("jober_theme", "")
    return {
        "theme": theme if theme in THEMES else "",
        "zone": read_zone(request.cookies.get("jober_zone")),
        "csrf": csrf_token(cookie(request, "session")),
        "me": found.who if (found := known_credentials(request)) else None,
        "path": request.url.path,
    }


templates = Jinja2Templates(
    directory=Path(__file__).parent.parent / "templates", context_processors=[of_request]
)


def url_of(request: Request, name: str, /, **parameters: Any) -> str:
    """The path of a route by its name."""
    return request.url_for(name, **parameters).path


@pass_context
def _static(context: Context, name: str) -> str:
    return static_url(context["request"], name)


@pass_context
def _url(context: Context, name: str, /, **parameters: Any) -> str:
    return url_of(context["request"], name, **parameters)


templates.env.undefined = StrictUndefined
templates.env.trim_blocks = templates.env.lstrip_blocks = True
templates.env.globals |= {
    "static": _static,
    "url": _url,
    "version": __version__,
    "event_types": " ".join(EVENT_TYPES),
    "OPERATOR": Scope.OPERATOR,
    "ADMIN": Scope.ADMIN,
}
templates.env.filters |= {"duration": duration, "size": size, "count_of": count}
