"""A fleet of three agents and two schedulers, each on a host of its own, and Redis on another: the
network between them fails, in whole, one way or by pieces, and is healed."""

import time
from collections.abc import Callable

import pytest

from jober.run import RunState
from tests.faults.checker import Checker
from tests.faults.network import Host
from tests.faults.rounds import Rounds
from tests.faults.spread_fleet import AGENTS, LEASE_S, SCHEDULERS, SpreadFleet
from tests.faults.work import command, function
from tests.waiting import wait_until

# What is cut off stays so until others have taken over what it had.
CUT_S = 1.6 * LEASE_S
# Longer than that: bodies are under way when it begins, and when it ends.
LONG_S = 2 * LEASE_S
RECOVERS_S = 60.0


def begin(fleet: SpreadFleet) -> Checker:
    """Start all, with jobs of each kind; what looks after them."""
    for name in SCHEDULERS:
        fleet.start_scheduler(name)
    for name in AGENTS:
        fleet.start_agent(name)
    fleet.jober.set_limit("shared", 2)
    fleet.add("one", every=[1, "second"], catch_up="all", overlap="allow", **function())
    fleet.add("each", every=[2, "second"], on="every", **function())
    fleet.add("long", every=[2, "second"], concurrency=1, overlap="queue-one", **command(LONG_S))
    again = {"retries": 5, "retry_on": ["lost"], "retry_delay": 0, "limits": ["shared"]}
    fleet.add("again", every=[2, "second"], **again, **command(1.0))
    checker = Checker(fleet.jober, fleet.work_log)
    checker.expect("one", "each", "long", "again")
    well_again(fleet, fleet.now_ms())
    return checker


def well_again(fleet: SpreadFleet, since_ms: int) -> float:
    """Wait until a fire of after that moment has succeeded on every host; how long it took."""

    def served() -> bool:
        return {
            run.host
            for run in fleet.jober.runs("each", limit=60)
            if run.state is RunState.SUCCESS and (run.fire_at_ms or 0) > since_ms
        } == set(AGENTS)

    began = time.monotonic()
    wait_until(served, RECOVERS_S, "each host serves")
    return time.monotonic() - began


def busy_host(fleet: SpreadFleet) -> Host:
    """A host in the midst of a long run."""

    def found() -> str | None:
        runs = fleet.jober.runs("long", limit=10)
        return next((run.host for run in runs if run.state is RunState.RUNNING), None)

    return fleet.hosts[wait_until(found, RECOVERS_S, "a long run")]


def go_through(fleet: SpreadFleet, rounds: Rounds, *faults: Callable[[SpreadFleet], None]) -> None:
    """Bring one fault about in each round, in turn, wait, and heal it: nothing is lost or doubled
    by it."""
    checker = begin(fleet)
    for number in rounds:
        fault = faults[number % len(faults)]
        print(fleet.now_ms(), fault.__name__)  # noqa: T201 - as the logs
        fault(fleet)
        time.sleep(CUT_S)
        since_ms = fleet.now_ms()
        fleet.heal()
        rounds.recovered(well_again(fleet, since_ms))
    rounds.judge(checker.settled())


def cut_an_agent_in_the_midst_of_a_run(fleet: SpreadFleet) -> None:
    host = busy_host(fleet)
    host.cut()
    wait_until(
        lambda: host.name not in {agent.host for agent in fleet.jober.agents()},
        RECOVERS_S,
        "it is struck off",
    )


def cut_the_leader(fleet: SpreadFleet) -> None:
    host = fleet.leader_host()
    host.cut()
    wait_until(lambda: fleet.leader_host() is not host, RECOVERS_S, "another leads")


def cut_redis(fleet: SpreadFleet) -> None:
    busy_host(fleet)
    fleet.redis.cut()


def the_leader_is_not_heard_and_an_agent_does_not_hear(fleet: SpreadFleet) -> None:
    leader, agent = fleet.leader_host(), busy_host(fleet)
    leader.lose(sent=100)
    agent.lose(received=100)
    wait_until(lambda: fleet.leader_host() is not leader, RECOVERS_S, "another leads")


def the_leader_does_not_hear_and_an_agent_is_not_heard(fleet: SpreadFleet) -> None:
    leader, agent = fleet.leader_host(), busy_host(fleet)
    leader.lose(received=100)
    agent.lose(sent=100)
    wait_until(lambda: fleet.leader_host() is not leader, RECOVERS_S, "another leads")


def lose_a_fifth_of_all_and_slow_an_agent_down(fleet: SpreadFleet) -> None:
    fleet.redis.lose(sent=20, received=20)
    busy_host(fleet).slow(kilobits_per_s=64)


@pytest.mark.faults(count=30)
def test_an_agent_the_leader_or_redis_is_cut_off_and_healed(
    spread_fleet: SpreadFleet, rounds: Rounds
) -> None:
    go_through(spread_fleet, rounds, cut_an_agent_in_the_midst_of_a_run, cut_the_leader, cut_redis)


@pytest.mark.faults(count=30)
def test_what_goes_one_way_or_a_part_of_it_is_lost(
    spread_fleet: SpreadFleet, rounds: Rounds
) -> None:
    go_through(
        spread_fleet,
        rounds,
        the_leader_is_not_heard_and_an_agent_does_not_hear,
        the_leader_does_not_hear_and_an_agent_is_not_heard,
        lose_a_fifth_of_all_and_slow_an_agent_down,
    )
