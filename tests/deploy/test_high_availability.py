"""The files for high availability, with users and TLS: a fleet works, and outlives its primary."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from jober.errors import RedisUnavailable
from jober.run import Run
from tests.deploy.highly_available import HighlyAvailable
from tests.fleet import Fleet
from tests.waiting import wait_until

USERS = {"jober-scheduler": "scheduler", "jober-worker": "agent"}


@pytest.fixture
def available(secrets: Path, tmp_path: Path) -> Iterator[HighlyAvailable]:
    with HighlyAvailable(secrets, tmp_path) as available:
        yield available


class FleetOfParts(Fleet):
    """Each program with its own user; who asks is `ops`."""

    def __init__(self, available: HighlyAvailable, folder: Path) -> None:
        super().__init__(available.url("ops"), folder)
        self._available = available

    def start(
        self, program: str, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        own = {"JOBER_REDIS_URL": self._available.url(USERS[program])}
        return super().start(program, *arguments, environ={**own, **(environ or {})})

    def runs(self, name: str) -> list[Run]:
        """Its runs, asked for until there is a primary to ask."""

        def told() -> list[list[Run]]:
            try:
                return [self.jober.runs(name)]
            except RedisUnavailable:
                return []

        return wait_until(told, 60)[0]


def test_runs_go_on_while_a_replica_takes_over_and_each_part_may_do_what_it_does(
    available: HighlyAvailable, tmp_path: Path
) -> None:
    fleet = FleetOfParts(available, tmp_path)
    jober = fleet.jober
    try:
        fleet.scheduler()
        fleet.scheduler()
        fleet.agent("db1", "db")
        go, done = tmp_path / "go", "until [ -e {0} ]; do sleep 0.05; done; echo done"
        jober.add_job(done.format(go), name="long", shell=True, roles=["db"])
        jober.add_job("echo hello", name="often", shell=True, roles=["db"], every=1)
        long = jober.run("long")
        wait_until(lambda: long.state == "running", 60, "the long run")
        wait_until(lambda: len(jober.runs("often")) > 1, 60, "runs before")
        available.fail_over()
        before = {run.id for run in fleet.runs("often")}
        go.touch()
        assert long.wait(60).state == "success"
        assert long.output.lines() == ["done"]
        wait_until(lambda: {run.id for run in fleet.runs("often")} - before, 60, "fires afterwards")
        # Those that were caught up may still wait.
        states = {run.state for run in fleet.runs("often")}
        assert states - {"queued", "parked", "running"} == {"success"}
        assert available.refused() == set()
    finally:
        fleet.stop()
        print(fleet.logs())  # noqa: T201 - shown by pytest where the test fails
