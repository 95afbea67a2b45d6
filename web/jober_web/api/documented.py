"""What the description of the API says of answers that are problems."""

from typing import Any

from pydantic import BaseModel, Field

from jober_web.problems import title_of


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Which: a field of the body, a parameter, or a header.")
    message: str = Field(description="What is wrong with it, and the mend.")


class ProblemDetails(BaseModel):
    """Why a request is not served (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = Field(default=[], description="Of each field that is wrong.")


Responses = dict[int | str, dict[str, Any]]

_OF_ALL = (400, 401, 403, 413, 422, 503)


def problems(*statuses: int) -> Responses:
    """The problems that a route may answer with: these, and those that every one may."""
    told: Responses = {}
    for status in sorted({*statuses, *_OF_ALL}):
        told[status] = {
            "description": title_of(status),
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/ProblemDetails"}
                }
            },
        }
        if status == 503:
            told[status]["headers"] = {
                "Retry-After": {
                    "description": "After so many seconds it may be asked again.",
                    "schema": {"type": "integer"},
                }
            }
    return told
