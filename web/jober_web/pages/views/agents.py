"""The agents: which host has which role, and how busy each is."""

from collections.abc import Sequence
from dataclasses import dataclass

from jober.agent_info import AgentInfo
from jober_web.pages.wall import Wall


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLine:
    id: str
    host: str
    state: str
    roles: frozenset[str]
    own_roles: str
    running: int
    slots: int
    load: float
    version: str
    is_other_version: bool
    started_ms: int
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agents:
    """`roles` are the columns of the matrix; where there are very many, `more` says how many are
    left out. `lines` are a page of them; `next` is the one that the next page comes after."""

    lines: tuple[AgentLine, ...]
    roles: tuple[str, ...]
    more: int
    number: int
    slots: int
    running: int
    versions: tuple[tuple[str, int], ...]
    next: str | None


ROLES = 24


def agents_view(
    agents: Sequence[AgentInfo], wall: Wall, *, text: str, after: str, limit: int
) -> Agents:
    """Those whose host or roles have `text`, that stand after `after`."""
    wanted = sorted(
        (
            agent
            for agent in agents
            if text in agent.host or any(text == role for role in agent.roles)
        ),
        key=_place,
    )
    rest = [agent for agent in wanted if _place(agent) > after]
    page = rest[:limit]
    versions: dict[str, int] = {}
    for agent in wanted:
        versions[agent.version] = versions.get(agent.version, 0) + 1
    usual = max(versions, key=lambda version: versions[version], default="")
    roles = sorted({role for agent in page for role in agent.roles})
    return Agents(
        lines=tuple(_line(agent, usual) for agent in page),
        roles=tuple(roles[:ROLES]),
        more=max(0, len(roles) - ROLES),
        number=len(wanted),
        slots=sum(agent.slots for agent in wanted),
        running=sum(agent.running for agent in wanted),
        versions=tuple(sorted(versions.items())),
        next=_place(page[-1]) if len(rest) > limit else None,
    )


def _place(agent: AgentInfo) -> str:
    """Where it stands among the others."""
    return f"{agent.host} {agent.id}"


def _line(agent: AgentInfo, usual: str) -> AgentLine:
    own = agent.own_roles or agent.roles
    return AgentLine(
        id=agent.id,
        host=agent.host,
        state=agent.state,
        roles=agent.roles,
        own_roles=", ".join(sorted(own)) if own != agent.roles else "",
        running=agent.running,
        slots=agent.slots,
        load=agent.load,
        version=agent.version,
        is_other_version=agent.version != usual,
        started_ms=agent.started_at_ms,
        pid=agent.pid,
    )
