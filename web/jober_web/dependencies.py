"""What routes stand on: the one Jober of the application, and how it serves."""

import threading
from typing import Annotated

from fastapi import Depends, FastAPI, Request

from jober.client import Jober
from jober.daemon import redis_url
from jober_web.settings import Settings

_opening = threading.Lock()


def jober_of(request: Request) -> Jober:
    """The Jober of the application: as it has been set (`app.state.jober`), else one at the Redis
    of JOBER_REDIS_URL, opened with the first request that asks for it."""
    state = request.app.state
    with _opening:
        if getattr(state, "jober", None) is None:
            state.jober = state.jober_opened = Jober(redis_url())
    jober: Jober = state.jober
    return jober


def close_jober(app: FastAPI) -> None:
    """Let go of the Jober, where no one but us has opened it."""
    with _opening:
        opened: Jober | None = getattr(app.state, "jober_opened", None)
        if opened is not None:
            app.state.jober = app.state.jober_opened = None
            opened.close()


def settings_of(request: Request) -> Settings:
    """How the application serves; the defaults, where the router is in one of somebody else."""
    settings = getattr(request.app.state, "jober_settings", None)
    return settings if isinstance(settings, Settings) else Settings()


JoberDep = Annotated[Jober, Depends(jober_of)]
SettingsDep = Annotated[Settings, Depends(settings_of)]
