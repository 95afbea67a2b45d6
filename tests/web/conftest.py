"""A real server of the web part, on the Redis of the test."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI

from jober import Jober
from jober.access import Actor, Scope
from jober.bind import Bind
from jober.client.log_in import LogIn
from jober.client.people import People
from jober.embedded import RedisServer
from jober_web import create_app
from jober_web.main import listen
from jober_web.server import Server
from tests.waiting import wait_until

TEST = Actor(name="the test", via="cli")


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """A server: its address, the Jober that it stands on, and a client for it that has a token for
    an admin."""

    url: str
    jober: Jober
    app: FastAPI
    client: httpx.Client

    def token(
        self,
        scope: str = "admin",
        *,
        tags: Iterable[str] | None = None,
        roles: Iterable[str] | None = None,
    ) -> str:
        """A new API token."""
        people = People(self.jober)
        return people.make_token("of the test", scope, TEST, tags=tags, roles=roles)[1]

    def link(self, scope: Scope = Scope.ADMIN) -> str:
        """The address of a link that logs a browser in, once, by the button on its page."""
        secret = LogIn(self.jober).make_link("tester", scope, TEST)
        return f"{self.url}/link/{secret}"

    def session(self, scope: Scope = Scope.ADMIN) -> str:
        """The cookie `jober` of a browser that is logged in."""
        secret = self.link(scope).rpartition("/")[2]
        return LogIn(self.jober).with_link(secret, "127.0.0.1").id

    @contextmanager
    def browser(self, token: str | None = None) -> Iterator[httpx.Client]:
        """Another client: of nobody, or of that token."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            if token is not None:
                client.headers["Authorization"] = f"Bearer {token}"
            yield client


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port of this host; its address."""
    with listen(Bind("127.0.0.1", 0)) as listening:
        server = Server(app)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            wait_until(lambda: server.started or not thread.is_alive(), 60, "it serves")
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def web_at(redis_server: RedisServer) -> Iterator[Web]:
    """A server with everything, at that Redis; its client is an admin."""
    with Jober(redis_server.url) as jober:
        app = create_app(jober)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=10)
        with (
            serving(app) as url,
            httpx.Client(base_url=url, timeout=60, limits=limits) as client,
        ):
            web = Web(url=url, jober=jober, app=app, client=client)
            client.headers["Authorization"] = f"Bearer {web.token()}"
            yield web


@pytest.fixture
def web(redis_server: RedisServer) -> Iterator[Web]:
    """A server with everything, on an empty Redis."""
    with web_at(redis_server) as web:
        yield web
