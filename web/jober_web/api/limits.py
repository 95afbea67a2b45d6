"""The limits that jobs share."""

from typing import Any

from fastapi import APIRouter, Response

from jober.client import Jober
from jober.errors import LimitNotFound
from jober_web.access.guard import FleetAdmin, FleetViewer
from jober_web.api.documented import problems
from jober_web.api.models import LimitAsked, LimitOut, Limits
from jober_web.api.route import ApiRoute
from jober_web.dependencies import JoberDep

router = APIRouter(route_class=ApiRoute, tags=["limits"])


@router.get("/limits", name="api:limits", response_model=Limits, responses=problems())
def list_limits(jober: JoberDep, who: FleetViewer) -> dict[str, Any]:
    """All limits, how much of each is used, and how many runs wait for it."""
    return {"items": [limit.to_dict() for limit in jober.limits()]}


@router.get("/limits/{name}", name="api:limit", response_model=LimitOut, responses=problems(404))
def get_limit(jober: JoberDep, who: FleetViewer, name: str) -> dict[str, Any]:
    """One limit."""
    return _limit(jober, name)


@router.put("/limits/{name}", name="api:put_limit", response_model=LimitOut, responses=problems())
def put_limit(jober: JoberDep, who: FleetAdmin, name: str, asked: LimitAsked) -> dict[str, Any]:
    """Let so many runs of the jobs that name it go on at once."""
    jober.set_limit(name, asked.slots)
    return _limit(jober, name)


@router.delete(
    "/limits/{name}", name="api:delete_limit", status_code=204, responses=problems(404, 409)
)
def delete_limit(jober: JoberDep, who: FleetAdmin, name: str) -> Response:
    """Remove a limit that no job names."""
    jober.remove_limit(name)
    return Response(status_code=204)


def _limit(jober: Jober, name: str) -> dict[str, Any]:
    found = {limit.name: limit for limit in jober.limits()}
    if name not in found:
        raise LimitNotFound(name, known=found)
    return found[name].to_dict()
