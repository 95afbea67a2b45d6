"""All of `/api/v1`."""

from fastapi import APIRouter

from jober_web.access import api as access
from jober_web.api import (
    agents,
    calendars,
    events,
    job_actions,
    job_facts,
    jobs,
    leader,
    limits,
    output,
    queues,
    runs,
)
from jober_web.api.description import description_routes
from jober_web.api.route import ApiRoute
from jober_web.stream import routes as streams

_described = APIRouter(prefix="/api/v1", route_class=ApiRoute)
for part in (
    jobs,
    job_actions,
    job_facts,
    runs,
    output,
    agents,
    leader,
    queues,
    calendars,
    limits,
    events,
    streams,
    access,
):
    _described.include_router(part.router)

router = APIRouter()
router.include_router(_described)
router.include_router(description_routes(_described))
