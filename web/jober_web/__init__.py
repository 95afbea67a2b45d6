"""The web part: `/api/v1`, what happens as it happens, and pages.

    jober-web                                             a process of its own
    app.include_router(jober_web.router, prefix="/jober")  within an application on FastAPI

`main` is the daemon, `app` makes the application, `settings` says how it serves. `api` has the
HTTP API, `stream` what followers are told, `pages` what people see, `access` who may do what;
`meters` counts what is answered, `problems` tells what is wrong, `dependencies` gives routes what
they stand on.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jober_web.app import create_app as create_app
    from jober_web.routes import router as router

__all__ = ["create_app", "router"]


def __getattr__(name: str) -> Any:
    # Loaded where it is asked for: the daemon tells in words where its extra is not installed.
    if name == "create_app":
        from jober_web.app import create_app

        return create_app
    if name == "router":
        from jober_web.routes import router

        return router
    raise AttributeError(f"module 'jober_web' has no attribute {name!r}")
