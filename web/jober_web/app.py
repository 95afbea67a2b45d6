"""The application that `jober-web` serves."""

from fastapi import FastAPI

from jober import __version__
from jober.client import Jober
from jober_web.access.shield import Shield
from jober_web.routes import router
from jober_web.settings import Settings


def create_app(jober: Jober | None = None, settings: Settings | None = None) -> FastAPI:
    """An application with all that is served, at its root. `jober` is the caller's to close;
    without one, the Redis of JOBER_REDIS_URL is opened with the first request."""
    settings = settings or Settings()
    app = FastAPI(
        title="jober",
        version=__version__,
        root_path=settings.root_path,
        # Its own description is below /api/v1; FastAPI's pages of it load scripts of others.
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.jober = jober
    app.state.jober_settings = settings
    app.include_router(router)
    app.add_middleware(Shield, settings=settings.access)
    return app
