"""The server: uvicorn, which lets followers go before it waits for what goes on."""

import asyncio
import logging
import socket

import uvicorn
from fastapi import FastAPI

from jober_web.access.arguments import Transport
from jober_web.stream.hub import close_hub

# How long requests may go on once it is to end.
_END_S = 5
# One whose event loop does nothing for so long hangs.
_HANGS_S = 5.0


class Server(uvicorn.Server):
    """Serves one application; `should_exit` ends it in order."""

    def __init__(self, app: FastAPI, transport: Transport | None = None) -> None:
        transport = transport or Transport()
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                log_level=logging.WARNING,
                access_log=False,
                server_header=False,
                # By itself it would believe whoever is on this host.
                proxy_headers=bool(transport.proxies),
                forwarded_allow_ips=list(transport.proxies),
                ssl_certfile=transport.cert,
                ssl_keyfile=transport.key,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=_END_S,
            )
        )

    def problem(self) -> str:
        """What is wrong with it, from another thread; nothing where it serves."""
        if self._loop is None:
            return "it does not serve yet"
        turn = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop)
        try:
            turn.result(_HANGS_S)
        except TimeoutError:
            return f"it has done nothing for {_HANGS_S:g} s"
        return ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        close_hub(self._app)
        await super().shutdown(sockets)
