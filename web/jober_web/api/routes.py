"""All of `/api/v1`."""

from fastapi import APIRouter

from jober_web.access import api as access
from jober_web.api import leader
from jober_web.api.route import ApiRoute

router = APIRouter(prefix="/api/v1", route_class=ApiRoute)
for part in (leader, access):
    router.include_router(part.router)
