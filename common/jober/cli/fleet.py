"""The way to the fleet, for every command."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jober.daemon import redis_url
from jober.store import Store

if TYPE_CHECKING:
    from jober.client import Jober


@contextmanager
def fleet(url: str | None) -> "Iterator[Jober]":
    """jober at that address, its clock set by Redis's. Raises RedisUnavailable."""
    with own_fleet(redis_url(url)) as jober:
        yield jober


@contextmanager
def own_fleet(url: str | None) -> "Iterator[Jober]":
    """The same; where no Redis is named, with all that is needed started for the command alone."""
    from jober.client import Jober

    with Jober(url) as jober:
        jober.store.observe_time()
        yield jober


@contextmanager
def state(url: str | None) -> Iterator[Store]:
    """What is stored at that address, for a command that only lists: `Jober` takes as long to
    load as all the rest of it. Raises RedisUnavailable."""
    store = Store(redis_url(url))
    try:
        store.observe_time()
        yield store
    finally:
        store.close()
