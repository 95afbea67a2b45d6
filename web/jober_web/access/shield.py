"""Before all routes of an application of ours: whom a request may be for, and what every answer
tells browsers, that of a route that there is none of too."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jober_web.access.headers import secure
from jober_web.access.hosts import is_allowed
from jober_web.access.settings import AccessSettings


class Shield:
    """An application within it."""

    def __init__(self, app: ASGIApp, settings: AccessSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        encrypted = scope.get("scheme") == "https" or self._settings.has_tls

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure(MutableHeaders(scope=message), encrypted)
            await send(message)

        names = self._settings.hosts
        if names is not None and not is_allowed(Headers(scope=scope).get("Host", ""), names):
            told = "jober is not known by this name here (jober-web --public-url https://NAME)\n"
            await PlainTextResponse(told, 421)(scope, receive, secured)
            return
        await self._app(scope, receive, secured)
