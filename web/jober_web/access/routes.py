"""All pages of access; what it has for programs is among the routes of the API."""

from fastapi import APIRouter

from jober_web.access import account, audit, log_in, oidc

router = APIRouter(include_in_schema=False)
for part in (log_in, account, audit, oidc):
    router.include_router(part.router)
