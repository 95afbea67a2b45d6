"""A fleet of three agents and two schedulers, each on a host of its own, and Redis on another: the
network between them fails, in whole, one way or by pieces, and is healed."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jober.run import RunState
from tests.faults.armed_fleet import ArmedFleet
from tests.faults.checker import Checker
from tests.faults.network import Host, Network, redis_on
from tests.faults.rounds import Rounds
from tests.faults.work import command, function
from tests.waiting import wait_until

SCHEDULERS = ("scheduler1", "scheduler2")
AGENTS = ("alpha", "beta", "gamma")
# Leases of agents last 3 s, that of the lead 1.8 s.
PACE = 0.3
LEASE_S = 10 * PACE
# What is cut off stays so until others have taken over what it had.
CUT_S = 1.6 * LEASE_S
# Longer than that: bodies are under way when it begins, and when it ends.
LONG_S = 2 * LEASE_S
RECOVERS_S = 60.0


class SpreadFleet(ArmedFleet):
    """`hosts`, by name; `redis` is one of them."""

    def __init__(self, network: Network, redis: Host, socket: str, url: str, folder: Path) -> None:
        super().__init__(socket, folder, PACE)
        self.redis = redis
        self.hosts = {name: network.host(name) for name in (*SCHEDULERS, *AGENTS)}
        self._url = url

    def begin(self) -> Checker:
        """Start all, with jobs of each kind; what looks after them."""
        for name in SCHEDULERS:
            with self.hosts[name].entered():
                self.scheduler("--redis", self._url, "--host", name)
        for name in AGENTS:
            with self.hosts[name].entered():
                self.armed_agent(name, "", "--redis", self._url)
        self.jober.set_limit("shared", 2)
        self.add("one", every=[1, "second"], catch_up="all", overlap="allow", **function())
        self.add("each", every=[2, "second"], on="every", **function())
        self.add("long", every=[2, "second"], concurrency=1, overlap="queue-one", **command(LONG_S))
        again = {"retries": 5, "retry_on": ["lost"], "limits": ["shared"], "retry_delay": 0}
        self.add("again", every=[2, "second"], **again, **command(1.0))
        checker = Checker(self.jober, self.work_log)
        checker.expect("one", "each", "long", "again")
        self.is_well(self.now_ms())
        return checker

    def is_well(self, since_ms: int) -> float:
        """Wait until a fire of after that moment has succeeded on every host; how long it took."""

        def served() -> bool:
            return {
                run.host
                for run in self.jober.runs("each", limit=60)
                if run.state is RunState.SUCCESS and (run.fire_at_ms or 0) > since_ms
            } == set(AGENTS)

        began = time.monotonic()
        wait_until(served, RECOVERS_S, "each host serves")
        return time.monotonic() - began

    def leader_host(self) -> Host:
        leader = wait_until(self.jober.leader, told="a leader")
        return self.hosts[leader.host]

    def busy_host(self) -> Host:
        """A host in the midst of a long run."""

        def found() -> str | None:
            runs = self.jober.runs("long", limit=10)
            return next((run.host for run in runs if run.state is RunState.RUNNING), None)

        return self.hosts[wait_until(found, told="a long run")]

    def heal(self) -> float:
        """Heal all there is to heal; how long it took until all was well again."""
        since_ms = self.now_ms()
        for host in (self.redis, *self.hosts.values()):
            host.heal()
        return self.is_well(since_ms)


@pytest.fixture
def spread_fleet(network: Network, tmp_path: Path) -> Iterator[SpreadFleet]:
    redis = network.host("redis")
    with redis_on(redis) as (server, url):
        fleet = SpreadFleet(network, redis, server.url, url, tmp_path)
        try:
            yield fleet
        finally:
            fleet.stop()
            print(fleet.logs())  # noqa: T201 - shown by pytest where the test fails


def go_through(fleet: SpreadFleet, rounds: Rounds, *faults: Callable[[SpreadFleet], None]) -> None:
    """Bring one fault about in each round, in turn, wait, and heal it: nothing is lost or doubled
    by it."""
    checker = fleet.begin()
    for number in rounds:
        fault = faults[number % len(faults)]
        print(fleet.now_ms(), fault.__name__)  # noqa: T201 - as the logs
        fault(fleet)
        time.sleep(CUT_S)
        rounds.recovered(fleet.heal())
    rounds.judge(checker.settled())


def cut_an_agent_in_the_midst_of_a_run(fleet: SpreadFleet) -> None:
    host = fleet.busy_host()
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
    fleet.busy_host()
    fleet.redis.cut()


def the_leader_is_not_heard_and_an_agent_does_not_hear(fleet: SpreadFleet) -> None:
    leader, agent = fleet.leader_host(), fleet.busy_host()
    leader.lose(sent=100)
    agent.lose(received=100)
    wait_until(lambda: fleet.leader_host() is not leader, RECOVERS_S, "another leads")


def the_leader_does_not_hear_and_an_agent_is_not_heard(fleet: SpreadFleet) -> None:
    leader, agent = fleet.leader_host(), fleet.busy_host()
    leader.lose(received=100)
    agent.lose(sent=100)
    wait_until(lambda: fleet.leader_host() is not leader, RECOVERS_S, "another leads")


def lose_a_fifth_of_all_and_slow_an_agent_down(fleet: SpreadFleet) -> None:
    fleet.redis.lose(sent=20, received=20)
    fleet.busy_host().slow(kilobits_per_s=64)


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
