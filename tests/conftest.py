"""What every test may ask for: a real Redis on a unix socket, and to wait for a condition."""

from collections.abc import Iterator

import pytest

from jober.embedded import RedisServer
from jober.store import Store


@pytest.fixture(scope="session")
def _server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_server(_server: RedisServer) -> RedisServer:
    """The Redis of this test process, empty."""
    store = Store(_server.url)
    store.connection.command("FLUSHALL")
    store.close()
    return _server


@pytest.fixture
def store(redis_server: RedisServer) -> Iterator[Store]:
    """A store on an empty Redis."""
    store = Store(redis_server.url)
    store.observe_time()
    yield store
    store.close()
