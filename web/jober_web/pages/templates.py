"""How pages are made: Jinja2, which escapes whatever it is given.

A template says `static('jober.css')` for a file, and `url('now')` for a page or a route by its
name: paths with all prefixes in them, of the application that we are in, and of a proxy.
"""

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.templating import Jinja2Templates
from jinja2 import pass_context
from jinja2.runtime import Context

from jober_web.static_files import static_url

templates = Jinja2Templates(directory=Path(__file__).parent.parent / "templates")


def url_of(request: Request, name: str, /, **parameters: Any) -> str:
    """The path of a route by its name."""
    return request.url_for(name, **parameters).path


@pass_context
def _static(context: Context, name: str) -> str:
    return static_url(context["request"], name)


@pass_context
def _url(context: Context, name: str, /, **parameters: Any) -> str:
    return url_of(context["request"], name, **parameters)


templates.env.globals |= {"static": _static, "url": _url}
