"""A fleet whose every process is on a host of its own, and Redis on another."""

from pathlib import Path

from tests.faults.armed_fleet import ArmedFleet
from tests.faults.network import Host, Network
from tests.waiting import wait_until

SCHEDULERS = ("scheduler1", "scheduler2")
AGENTS = ("alpha", "beta", "gamma")
# Leases of agents last 3 s, that of the lead 1.8 s.
PACE = 0.3
LEASE_S = 10 * PACE


class SpreadFleet(ArmedFleet):
    """`hosts`, by name; `redis` is one of them."""

    def __init__(self, network: Network, redis: Host, socket: str, url: str, folder: Path) -> None:
        super().__init__(socket, folder, PACE)
        self.redis = redis
        self.hosts = {name: network.host(name) for name in (*SCHEDULERS, *AGENTS)}
        self._url = url

    def start_scheduler(self, name: str) -> None:
        """Start one on the host of that name."""
        with self.hosts[name].entered():
            self.scheduler("--redis", self._url, "--host", name)

    def start_agent(self, name: str) -> None:
        """Start one on the host of that name, and wait until it has joined."""
        with self.hosts[name].entered():
            self.armed_agent(name, "", "--redis", self._url)

    def leader_host(self) -> Host:
        leader = wait_until(self.jober.leader, told="a leader")
        return self.hosts[leader.host]

    def heal(self) -> None:
        """Heal all there is to heal."""
        for host in (self.redis, *self.hosts.values()):
            host.heal()
