"""The disks of the hosts are full, or cannot be written: it costs no result, and is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jober.embedded import RedisServer
from tests.faults.armed_fleet import ArmedFleet
from tests.faults.busy import busy, go_on, said
from tests.faults.checker import Checker
from tests.faults.rounds import Rounds
from tests.faults.work import command
from tests.mounted import fill, mounted
from tests.waiting import wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis", durable=True) as server:
        yield server


@pytest.fixture
def lasting(server: RedisServer, tmp_path: Path) -> Iterator[ArmedFleet]:
    fleet = ArmedFleet(server.url, tmp_path)
    fleet.jober.store.connection.command("CONFIG", "SET", "appendfsync", "always")
    try:
        yield fleet
    finally:
        fleet.stop()
        print(fleet.logs())  # noqa: T201 - shown by pytest where the test fails


@pytest.mark.faults(count=1)
def test_the_disk_of_the_journal_is_full_while_redis_is_away(
    lasting: ArmedFleet, server: RedisServer, tmp_path: Path, rounds: Rounds
) -> None:
    with mounted(tmp_path / "small", "size=64k") as small:
        fill(small)
        lasting.armed_agent("full", "", "--journal-dir", str(small))
        checker = busy(lasting)
        for _ in rounds:
            go_on(lasting)
            server.kill()
            wait_until(lambda: said(lasting, "start") == said(lasting, "end"), told="all end")
            wait_until(lambda: "No space left on device" in lasting.logs())
            server.start()
            rounds.recovered(go_on(lasting))
        rounds.judge(checker.settled())


@pytest.mark.faults(count=1)
def test_the_folder_of_the_logs_cannot_be_written(armed_fleet: ArmedFleet, rounds: Rounds) -> None:
    """What is kept in Redis of the output is there all the same."""
    fleet = armed_fleet
    with mounted(fleet.folder / "web1" / "logs", "ro"):
        fleet.armed_agent("web1")
        fleet.add("filed", every=1, overlap="allow", output="file", **command())
        checker = Checker(fleet.jober, fleet.work_log)
        checker.expect("filed")
        fleet.scheduler()
        for _ in rounds:
            rounds.recovered(go_on(fleet, "end", 5))
        violations = checker.settled()
    # Each run says so itself, and that is all that is other than ever.
    told = "jober: the output is kept in no file from here on: Read-only file system"
    assert len([one for one in violations if told in one]) >= 5
    rounds.judge([one for one in violations if told not in one])
