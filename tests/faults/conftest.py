"""What tests of faults may ask for."""

from collections.abc import Iterator

import pytest

from tests.faults.network import Network, network_or_told


@pytest.fixture
def network() -> Iterator[Network]:
    """A network of several hosts; skipped where there can be none, except in CI, where it fails."""
    with network_or_told() as network:
        yield network
