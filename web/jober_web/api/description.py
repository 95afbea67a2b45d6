"""The description of the API: OpenAPI, made once for each place where the router is."""

import re
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from pydantic.json_schema import models_json_schema

from jober import __version__
from jober.job.fields import JobFields
from jober_web.access.guard import Operator, Viewer
from jober_web.api.documented import ProblemDetails, problems
from jober_web.api.route import ApiRoute
from jober_web.problems import Problem

_ABOUT = """\
Jobs, runs and the fleet. Errors are `application/problem+json` (RFC 9457). Lists are pages:
`{"items": [...], "next": cursor}`. Moments are ISO text in UTC.
"""
_READING = ["GET", "HEAD"]
_OTHERS = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
_REFERENCE = "#/components/schemas/{model}"


def described(routes: APIRouter) -> dict[str, Any]:
    """The description of these routes, at their own paths."""
    told = get_openapi(title="jober", version=__version__, description=_ABOUT, routes=routes.routes)
    _, known = models_json_schema(
        [(ProblemDetails, "serialization"), (JobFields, "validation")], ref_template=_REFERENCE
    )
    schemas = told["components"]["schemas"]
    schemas |= known["$defs"]
    # The fields of a definition are said there in full; what FastAPI has of them is any object.
    schemas["Fields"] = {**schemas.pop("JobFields"), "title": "Fields"}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for operations in told["paths"].values():
        for operation in operations.values():
            for status, problem in problems(404, 409).items():
                if (
                    "application/json"
                    in operation["responses"].get(str(status), problem)["content"]
                ):
                    del operation["responses"][str(status)]
                operation["responses"].setdefault(str(status), problem)
    return told


def allowed(told: dict[str, Any], path: str) -> list[str]:
    """The methods that a path takes, by the description; none where there is no such path."""
    methods: set[str] = set()
    for template, operations in told["paths"].items():
        pattern = "/".join(
            "[^/]+" if part.startswith("{") else re.escape(part) for part in template.split("/")
        )
        if re.fullmatch(pattern, path):
            methods |= {method.upper() for method in operations}
    return sorted(methods)


def description_routes(routes: APIRouter) -> APIRouter:
    """A route that tells it, and one for whatever is not there, or takes another method."""
    router = APIRouter(include_in_schema=False, route_class=ApiRoute)
    made: dict[str, Any] = {}

    def description() -> dict[str, Any]:
        if not made:
            made.update(described(routes))
        return made

    @router.get("/api/v1/openapi.json", name="api:openapi")
    def openapi(request: Request, who: Viewer) -> JSONResponse:
        prefix = request.url_for("api:openapi").path.removesuffix("/api/v1/openapi.json")
        return JSONResponse({**description(), "servers": [{"url": prefix or "/"}]})

    @router.api_route("/api/v1/{path:path}", name="api:unknown", methods=_READING)
    def unknown(who: Viewer, path: str) -> None:
        refuse(path)

    @router.api_route("/api/v1/{path:path}", name="api:unknown_change", methods=_OTHERS)
    def unknown_change(who: Operator, path: str) -> None:
        refuse(path)

    def refuse(path: str) -> None:
        told = f"/api/v1/{path}"
        methods = allowed(description(), told)
        if methods:
            takes = ", ".join(methods)
            raise Problem(405, f"{told} takes {takes}", headers={"Allow": takes})
        raise Problem(404, f"there is nothing at {told:.200}")

    return router
