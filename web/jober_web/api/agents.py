"""Agents and their hosts: listed, read, cordoned, given roles."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from jober.client import Jober
from jober.ids import check_host_name
from jober_web.access.guard import FleetAdmin, FleetOperator, FleetViewer
from jober_web.api.documented import problems
from jober_web.api.models import AgentPage, Changed, HostOut, RolesAsked
from jober_web.api.paging import LIMIT, After, Limit, page
from jober_web.api.route import ApiRoute
from jober_web.dependencies import JoberDep
from jober_web.problems import Problem

router = APIRouter(route_class=ApiRoute, tags=["agents"])

Host = Annotated[str, Path(max_length=300)]


@router.get("/agents", name="api:agents", response_model=AgentPage, responses=problems())
def list_agents(
    jober: JoberDep, who: FleetViewer, after: After, limit: Limit = LIMIT
) -> dict[str, Any]:
    """A page of the live agents, by host."""
    agents = sorted(jober.agents(), key=lambda agent: (agent.host, agent.id))
    rest = [one for one in agents if after is None or f"{one.host} {one.id}" > after]
    items = rest[:limit]
    last = f"{items[-1].host} {items[-1].id}" if len(rest) > limit else None
    return page([agent.to_dict() for agent in items], last)


@router.get("/agents/{host}", name="api:host", response_model=HostOut, responses=problems(404))
def get_host(jober: JoberDep, who: FleetViewer, host: Host) -> dict[str, Any]:
    """The agents of a host, and what is ordered of it."""
    return _host(jober, host)


@router.post(
    "/agents/{host}/cordon", name="api:cordon", response_model=Changed, responses=problems()
)
def cordon(jober: JoberDep, who: FleetOperator, host: Host) -> dict[str, Any]:
    """The host takes no new runs until it is uncordoned, whether or not an agent of it is live."""
    return {"changed": jober.cordon(host)}


@router.post(
    "/agents/{host}/uncordon", name="api:uncordon", response_model=Changed, responses=problems()
)
def uncordon(jober: JoberDep, who: FleetOperator, host: Host) -> dict[str, Any]:
    """The host takes runs again."""
    return {"changed": jober.uncordon(host)}


@router.put("/agents/{host}/roles", name="api:roles", response_model=Changed, responses=problems())
def set_roles(jober: JoberDep, who: FleetAdmin, host: Host, asked: RolesAsked) -> dict[str, Any]:
    """The host has these roles from now on, whatever its agents were started with."""
    return {"changed": jober.set_roles(host, asked.roles)}


def _host(jober: Jober, host: str) -> dict[str, Any]:
    orders = jober.orders_for(check_host_name(host))
    agents = [agent for agent in jober.agents() if agent.host == host]
    if not agents and not orders.cordoned and orders.roles is None:
        raise Problem(404, f"no agent of host '{host}' is live, and nothing is ordered of it")
    return {
        "host": host,
        "agents": [agent.to_dict() for agent in agents],
        "cordoned": orders.cordoned,
        "roles": None if orders.roles is None else sorted(orders.roles),
    }
