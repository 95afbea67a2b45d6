"""The class of the API's routes: whatever is wrong is told as a problem, `application/problem+json`
(RFC 9457). So they tell it in any application, whatever that does with errors of its own."""

import logging

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from jober.errors import JoberError
from jober_web.access.route import GuardedRoute
from jober_web.problems import Problem, problem_of, problem_of_input

log = logging.getLogger("jober_web")


class ApiRoute(GuardedRoute):
    """A route of the API."""

    def response_of(self, request: Request, error: Exception) -> Response:
        return response_of(error)


def response_of(error: Exception) -> Response:
    """What the API answers where a route raised; HTTPExceptions of others keep their status."""
    problem = _problem_of(error)
    return JSONResponse(
        problem.to_dict(),
        problem.status,
        headers={**problem.headers, "Cache-Control": "no-store"},
        media_type="application/problem+json",
    )


def _problem_of(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case JoberError():
            return problem_of(error)
        case RequestValidationError():
            return problem_of_input(error.errors())
        case HTTPException():
            return Problem(error.status_code, str(error.detail), headers=error.headers)
    log.error("a request has failed", exc_info=error)
    return Problem(500, "It failed, and the log of the server has why.")
