"""A real server of the web part, on the Redis of the test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from jober import Jober
from jober.embedded import RedisServer
from jober_web import create_app
from jober_web.main import listen
from jober_web.settings import Bind
from tests.waiting import wait_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """A server: its address, the Jober that it stands on, and a client for it."""

    url: str
    jober: Jober
    client: httpx.Client


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port of this host; its address."""
    with listen(Bind("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            wait_until(lambda: server.started or not thread.is_alive(), 60, "it serves")
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def web(redis_server: RedisServer) -> Iterator[Web]:
    """A server with everything, on an empty Redis."""
    with (
        Jober(redis_server.url) as jober,
        serving(create_app(jober)) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        yield Web(url=url, jober=jober, client=client)
