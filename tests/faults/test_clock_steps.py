"""Clocks are set while a fleet works: of a host nothing is asked, and of Redis nothing is lost."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from jober.client import RunHandle
from jober.embedded import RedisServer
from jober.run import RunState
from tests.faults.armed_fleet import LEASE_S, ArmedFleet
from tests.faults.busy import busy, go_on
from tests.faults.clocks import SteppedClock
from tests.faults.rounds import Rounds
from tests.faults.work import function
from tests.waiting import wait_until

HOUR_S = 3_600


@pytest.fixture
def of_redis(tmp_path: Path) -> SteppedClock:
    return SteppedClock(tmp_path, "redis")


@pytest.fixture
def fleet(of_redis: SteppedClock, tmp_path: Path) -> Iterator[ArmedFleet]:
    """A fleet on a Redis whose clock can be set."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in of_redis.environ.items():
            patch.setenv(name, value)
        server = RedisServer().start()
    fleet = ArmedFleet(server.url, tmp_path)
    try:
        yield fleet
    finally:
        fleet.stop()
        server.stop()
        print(fleet.logs())  # noqa: T201 - shown by pytest where the test fails


@pytest.mark.faults(count=10)
@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S], ids=["ahead", "back"])
def test_the_clock_of_a_host_is_set(fleet: ArmedFleet, rounds: Rounds, by_s: int) -> None:
    """It has the leader, and an agent."""
    clock = SteppedClock(fleet.folder, "host")
    fleet.environ |= clock.environ
    fleet.scheduler()
    fleet.leading()
    fleet.armed_agent("stepped")
    for name in clock.environ:
        del fleet.environ[name]
    checker = busy(fleet)
    for number in rounds:
        go_on(fleet)
        clock.set_by(0 if number % 2 else by_s)
        rounds.recovered(go_on(fleet, more=6))
    rounds.judge(checker.settled())


def goes_on(run: RunHandle) -> bool:
    return run.state is RunState.RUNNING


@pytest.mark.faults(count=10)
@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S], ids=["ahead", "back"])
def test_the_clock_of_redis_is_set(
    fleet: ArmedFleet, of_redis: SteppedClock, rounds: Rounds, by_s: int
) -> None:
    """What runs goes on, and is not taken for lost. Fires of an hour that was passed are missed, or
    caught up; one that comes again has been decided on, so it is waited out."""
    checker = busy(fleet)
    fleet.add("long", **function(3 * LEASE_S))
    for number in rounds:
        go_on(fleet)
        long = fleet.jober.run("long")
        wait_until(partial(goes_on, long))
        of_redis.set_by((number + 1) * HOUR_S if by_s > 0 else by_s)
        ended = long.wait(60)
        assert (ended.state, ended.attempt) == (RunState.SUCCESS, 1)
        of_redis.set_by(max(0, (number + 1) * by_s))
        rounds.recovered(go_on(fleet))
    rounds.judge(checker.settled())
