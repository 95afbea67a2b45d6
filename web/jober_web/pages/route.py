"""The class of the routes of pages: whatever is wrong is told on a page, in words."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from jober.errors import JoberError
from jober_web.pages.templates import templates
from jober_web.problems import Problem, problem_of, problem_of_input

log = logging.getLogger("jober_web")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """A route of a page."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def shown(request: Request) -> Response:
            try:
                response = await handle(request)
            except Exception as error:
                return page_of(request, error)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return shown


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
