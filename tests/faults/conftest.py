"""What the fault tests may ask for: a fleet that can be armed, a checker, their rounds; and the
table that is printed when all rounds were gone through."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jober.embedded import RedisServer
from tests.faults.armed_fleet import ArmedFleet
from tests.faults.checker import Checker
from tests.faults.network import Network, network_or_told, redis_on
from tests.faults.rounds import VARIABLE, Rounds, Told, table
from tests.faults.spread_fleet import SpreadFleet

_TOLD: list[Told] = []


@pytest.fixture
def armed_fleet(tmp_path: Path) -> Iterator[ArmedFleet]:
    """A fleet on a Redis of its own, with short leases."""
    with RedisServer() as server:
        fleet = ArmedFleet(server.url, tmp_path)
        try:
            yield fleet
        finally:
            fleet.stop()
            print(fleet.logs())  # noqa: T201 - shown by pytest where the test fails


@pytest.fixture
def network() -> Iterator[Network]:
    """A network of several hosts; skipped where there can be none, except in CI, where it fails."""
    with network_or_told() as network:
        yield network


@pytest.fixture
def spread_fleet(network: Network, tmp_path: Path) -> Iterator[SpreadFleet]:
    """A fleet with a host for each of its processes, none of which has been started yet."""
    redis = network.host("redis")
    with redis_on(redis) as (server, url):
        fleet = SpreadFleet(network, redis, server.url, url, tmp_path)
        try:
            yield fleet
        finally:
            fleet.stop()
            print(fleet.logs())  # noqa: T201 - shown by pytest where the test fails


@pytest.fixture
def checker(armed_fleet: ArmedFleet) -> Checker:
    return Checker(armed_fleet.jober, armed_fleet.work_log)


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Iterator[Rounds]:
    """The rounds of a test that is marked with `faults(count=…)`."""
    mark = request.node.get_closest_marker("faults")
    assert mark is not None, "mark the test: @pytest.mark.faults(count=…)"
    fault = request.node.name.removeprefix("test_").replace("_", " ")
    rounds = Rounds(fault, mark.kwargs["count"])
    yield rounds
    request.node.user_properties.append(rounds.to_property())


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "teardown":
        for name, value in report.user_properties:
            if name == "fault" and isinstance(value, dict):
                _TOLD.append(Told(**value))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _TOLD and os.environ.get(VARIABLE) == "all":
        terminalreporter.section("faults")
        for line in table(_TOLD):
            terminalreporter.write_line(line)
