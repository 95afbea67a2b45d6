"""`jober-scheduler` as a process: its start and its end."""

import subprocess
import sys
from pathlib import Path

import pytest

from jober.embedded import RedisServer
from tests.fleet import Fleet
from tests.waiting import wait_until


def test_a_scheduler_waits_for_a_redis_that_is_not_there_yet(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis")
    fleet = Fleet(server.url, tmp_path)
    try:
        scheduler = fleet.scheduler()
        wait_until(lambda: "waiting for Redis" in fleet.logs())
        server.start()
        assert fleet.leading().pid == scheduler.pid
        assert fleet.logs().count("waiting for Redis") == 1, "it says so once"
    finally:
        fleet.stop()
        server.stop()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--redis", "http://x"], "is not an address of Redis"),
        (["--host", "a_b"], "'a_b' is not a host name"),
    ],
)
@pytest.mark.parametrize("program", ["jober-scheduler", "jober-worker"])
def test_a_wrong_setting_ends_a_daemon_with_one_line_and_a_status_of_its_own(
    program: str, arguments: list[str], problem: str
) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / program, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 78
    assert problem in done.stderr and "Traceback" not in done.stderr
