"""The way to the fleet, for every command."""

from collections.abc import Iterator
from contextlib import contextmanager

from jober.client import Jober


@contextmanager
def fleet(url: str | None) -> Iterator[Jober]:
    """jober at that address, its clock set by Redis's. Raises RedisUnavailable."""
    with Jober(url) as jober:
        jober.store.observe_time()
        yield jober
