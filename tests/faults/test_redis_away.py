"""Redis dies under load, and comes back with what its append-only file has: nothing is lost, and
nothing is done twice. What ends meanwhile is on the hosts' disks, and is reported then."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jober.embedded import RedisServer
from tests.faults.armed_fleet import PACE, ArmedFleet
from tests.faults.busy import busy, go_on, said
from tests.faults.rounds import VARIABLE, Rounds
from tests.faults.work import function
from tests.waiting import wait_until

# In a tenth of the rounds a minute is as long as it is for a fleet of this pace.
MINUTE_S = 60 if os.environ.get(VARIABLE) == "all" else 60 * PACE


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """With the settings that we ship."""
    with RedisServer(tmp_path / "redis", durable=True) as server:
        yield server


def sync_always(fleet: ArmedFleet) -> None:
    """Once more after each start: it is told, and in no file."""
    fleet.jober.store.connection.command("CONFIG", "SET", "appendfsync", "always")


@pytest.fixture
def lasting(server: RedisServer, tmp_path: Path) -> Iterator[ArmedFleet]:
    fleet = ArmedFleet(server.url, tmp_path)
    try:
        yield fleet
    finally:
        fleet.stop()
        print(fleet.logs())  # noqa: T201 - shown by pytest where the test fails


@pytest.mark.faults(count=20)
def test_redis_is_killed_and_starts_again_from_a_file_that_is_always_synced(
    lasting: ArmedFleet, server: RedisServer, rounds: Rounds
) -> None:
    sync_always(lasting)
    checker = busy(lasting)
    for _ in rounds:
        go_on(lasting)
        server.kill()
        server.start()
        sync_always(lasting)
        rounds.recovered(go_on(lasting))
    rounds.judge(checker.settled())


@pytest.mark.faults(count=20)
def test_redis_is_killed_and_starts_again_without_its_last_second(
    lasting: ArmedFleet, server: RedisServer, rounds: Rounds
) -> None:
    """Synced each second, the file may lack so much: a body may run again, and nothing is lost."""
    checker = busy(lasting, may_repeat=True)
    for _ in rounds:
        go_on(lasting)
        server.kill()
        server.start()
        rounds.recovered(go_on(lasting))
    rounds.judge(checker.settled())


@pytest.mark.faults(count=5)
def test_redis_is_away_for_a_minute_under_load(
    lasting: ArmedFleet, server: RedisServer, rounds: Rounds
) -> None:
    checker = busy(lasting)
    lasting.add("backlog", **function(0.2))
    backlog = []
    for _ in rounds:
        for _ in range(60):
            backlog.append(lasting.jober.run("backlog"))
        go_on(lasting)
        server.kill()
        away_until = time.monotonic() + MINUTE_S
        wait_until(lambda: said(lasting, "start") == said(lasting, "end"), told="all end")
        time.sleep(max(0.0, away_until - time.monotonic()))
        server.start()
        rounds.recovered(go_on(lasting))
    for one in backlog:
        one.wait(MINUTE_S)
    rounds.judge(checker.settled())
