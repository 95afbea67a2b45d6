"""Queues, and what waits in them."""

from typing import Any

from fastapi import APIRouter

from jober_web.access.guard import FleetViewer
from jober_web.api.documented import problems
from jober_web.api.models import QueuePage
from jober_web.api.paging import LIMIT, After, Limit, page
from jober_web.api.route import ApiRoute
from jober_web.dependencies import JoberDep

router = APIRouter(route_class=ApiRoute, tags=["fleet"])


@router.get("/queues", name="api:queues", response_model=QueuePage, responses=problems())
def list_queues(
    jober: JoberDep, who: FleetViewer, after: After, limit: Limit = LIMIT
) -> dict[str, Any]:
    """A page of the queues, by name: one for each combination of roles and priority."""
    queues = sorted(jober.queues(), key=lambda queue: queue.name)
    rest = [queue for queue in queues if after is None or queue.name > after]
    items = rest[:limit]
    return page([queue.to_dict() for queue in items], items[-1].name if len(rest) > limit else None)
