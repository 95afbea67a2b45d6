"""All pages; none is in the description of the API."""

from fastapi import APIRouter

from jober_web.pages import now

router = APIRouter(include_in_schema=False)
for part in (now,):
    router.include_router(part.router)
