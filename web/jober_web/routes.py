"""All that is served, as one router: `app.include_router(jober_web.router, prefix="/jober")`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.concurrency import run_in_threadpool

from jober_web import static_files
from jober_web.access import routes as access
from jober_web.api import routes as api
from jober_web.dependencies import close_jober
from jober_web.pages import routes as pages
from jober_web.stream.hub import close_hub


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    try:
        yield
    finally:
        hub = close_hub(app)
        if hub is not None:
            await run_in_threadpool(hub.end)
        await run_in_threadpool(close_jober, app)


router = APIRouter(lifespan=_lifespan)
for part in (api.router, static_files.router, access.router, pages.router):
    router.include_router(part)
