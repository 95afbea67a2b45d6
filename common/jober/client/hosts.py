"""The hosts: whose agents are live, what operators order of them, and who leads."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jober.agent_info import AgentInfo, HostOrders, LeaderInfo
from jober.client.access import Access
from jober.client.arguments import checked
from jober.ids import check_host_name
from jober.placement import Roster
from jober.roles import check_agent_roles

if TYPE_CHECKING:
    from jober.job import Job


class Hosts(Access):
    """Where runs go."""

    def agents(self) -> list[AgentInfo]:
        """The live agents."""
        self.store.observe_time()
        return self.store.agents.live()

    def hosts_for(self, job: "Job") -> list[str]:
        """The live hosts that the job may run on."""
        return list(Roster.of(self.agents()).hosts_for(job.queue))

    @checked
    def cordon(self, host: str) -> bool:
        """The host takes no new runs until it is uncordoned, whether or not its agent is live or
        starts again; False where it was so. What runs goes on."""
        return self.store.agents.order(check_host_name(host), "cordon")

    @checked
    def uncordon(self, host: str) -> bool:
        """The host takes runs again; False where it was not cordoned."""
        return self.store.agents.order(check_host_name(host), "uncordon")

    @checked
    def set_roles(self, host: str, roles: Iterable[str] | None) -> bool:
        """The host has these roles from now on, whatever its agents were started with; None gives
        them their own back. False where it was so. Raises DefinitionError."""
        wanted = None if roles is None else check_agent_roles(roles)
        return self.store.agents.order(check_host_name(host), "roles", wanted)

    @checked
    def orders_for(self, host: str) -> HostOrders:
        """What an operator has ordered of a host, whether or not it is live."""
        return self.store.agents.orders().get(check_host_name(host), HostOrders())

    def leader(self) -> LeaderInfo | None:
        """Who schedules now; None where nobody does."""
        return self.store.leader.current()
