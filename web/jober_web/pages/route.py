"""The class of the routes of pages: whatever is wrong is told on a page, in words."""

import logging
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from jober.errors import JoberError
from jober_web.access.csrf import SAFE_METHODS
from jober_web.access.guard import NotLoggedIn
from jober_web.access.places import asked_for, path_of
from jober_web.access.route import GuardedRoute
from jober_web.pages.templates import templates
from jober_web.problems import Problem, problem_of, problem_of_input

log = logging.getLogger("jober_web")


class PageRoute(GuardedRoute):
    """A route of a page. Who is not known is led to the log-in, and from there back."""

    def response_of(self, request: Request, error: Exception) -> Response:
        return to_log_in(request) if isinstance(error, NotLoggedIn) else page_of(request, error)


def to_log_in(request: Request) -> Response:
    path = path_of(request, "log_in")
    if request.method in SAFE_METHODS:
        path += f"?next={quote(asked_for(request))}"
    if "HX-Request" in request.headers:
        # A part of a page: all of it goes there.
        return Response(status_code=204, headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)


def page_of(request: Request, error: Exception) -> Response:
    """What is shown where a page raised. HTTPExceptions keep their status and headers, so that one
    which leads elsewhere does."""
    match error:
        case HTTPException(status_code=status) if status < 400:
            return Response(status_code=status, headers=error.headers)
        case Problem():
            problem = error
        case JoberError():
            problem = problem_of(error)
        case RequestValidationError():
            problem = problem_of_input(error.errors())
        case HTTPException():
            problem = Problem(error.status_code, str(error.detail), headers=error.headers)
        case _:
            log.error("a page has failed", exc_info=error)
            problem = Problem(500, "It failed, and the log of the server has why.")
    return templates.TemplateResponse(
        request,
        "problem.html",
        {"problem": problem},
        problem.status,
        headers={**problem.headers, "Cache-Control": "no-store"},
    )
