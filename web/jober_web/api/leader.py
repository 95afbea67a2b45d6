"""Who schedules now."""

from typing import Any

from fastapi import APIRouter

from jober_web.access.guard import Viewer
from jober_web.api.documented import problems
from jober_web.api.models import LeaderAnswer
from jober_web.api.route import ApiRoute
from jober_web.dependencies import JoberDep

router = APIRouter(route_class=ApiRoute, tags=["fleet"])


@router.get("/leader", name="api:leader", response_model=LeaderAnswer, responses=problems())
def leader(jober: JoberDep, who: Viewer) -> dict[str, Any]:
    """Who schedules now: its `leader` is null where nobody does."""
    found = jober.leader()
    return {"leader": found.to_dict() if found else None}
