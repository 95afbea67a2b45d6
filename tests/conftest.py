"""What every test may ask for: a real Redis on a unix socket, a store on it, a real fleet."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from jober.embedded import RedisServer
from jober.store import Store
from tests.fleet import Fleet
from tests.store.hand import Hand

# Whoever starts the tests in the background may have them ignore Ctrl-C, and what they start too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No test is of how long anything takes: the machine may be busy.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


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


@pytest.fixture
def hand(store: Store) -> Hand:
    """Does by hand what a scheduler and agents do."""
    return Hand(store)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """A fleet on a Redis of its own, so that nothing of another test is in its way."""
    with RedisServer() as server:
        fleet = Fleet(server.url, tmp_path)
        try:
            yield fleet
        finally:
            fleet.stop()
            print(fleet.logs())  # noqa: T201 - shown by pytest where the test fails
