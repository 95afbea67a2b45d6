"""Whether somebody schedules, and agents are there, well and alike."""

from collections.abc import Iterator, Mapping, Sequence

from jober.agent_info import AgentInfo, HostOrders, LeaderInfo
from jober.doctor.finding import Finding, Findings, Section
from jober.words import count, duration

# Redis's clock rules; a host that is so far off writes logs that nobody can follow.
OFF_MS = 1_000
LOAD_A_SLOT = 4.0
_SAY = Findings(Section.FLEET)


def examine_fleet(
    leader: LeaderInfo | None,
    agents: Sequence[AgentInfo],
    orders: Mapping[str, HostOrders],
    version: str,
    now_ms: int,
) -> list[Finding]:
    """All that there is to say of schedulers and agents. `version` is that of who asks."""
    return [
        *_leader(leader),
        *_agents(agents),
        *_orders(agents, orders),
        *(finding for agent in agents for finding in _agent(agent, now_ms)),
        *_versions(agents, version),
    ]


def _leader(leader: LeaderInfo | None) -> Iterator[Finding]:
    if leader is None:
        mend = "`jober scheduler` on two or three hosts"
        yield _SAY.problem("leader", "no scheduler leads: nothing fires", mend)
    else:
        yield _SAY.ok("leader", "leads", where=leader.host)


def _agents(agents: Sequence[AgentInfo]) -> Iterator[Finding]:
    up = [agent for agent in agents if agent.state == "up"]
    if not up:
        mend = "`jober worker --roles ROLE,ROLE` on each host, or `jober agents uncordon HOST`"
        yield _SAY.problem("agents", "no agent takes runs", mend)
        return
    slots = sum(agent.slots for agent in up)
    hosts = len({agent.host for agent in up})
    told = f"{count(len(up), 'agent')} on {count(hosts, 'host')}, {count(slots, 'slot')}"
    yield _SAY.ok("agents", told)


def _orders(agents: Sequence[AgentInfo], orders: Mapping[str, HostOrders]) -> Iterator[Finding]:
    live = {agent.host for agent in agents}
    for host, ordered in sorted(orders.items()):
        if ordered.cordoned:
            gone = "" if host in live else ", and has no live agent"
            mend = f"`jober agents uncordon {host}`, where that is over"
            yield _SAY.warning("cordoned", f"is cordoned{gone}", mend, where=host)


def _agent(agent: AgentInfo, now_ms: int) -> Iterator[Finding]:
    host, ahead_ms = agent.host, agent.clock_ahead_ms
    if silent_ms := agent.silent_ms(now_ms):
        yield _SAY.problem(
            "silent",
            f"gave no sign for {duration(silent_ms / 1000)}",
            "a look at its log, its load and the network",
            where=host,
        )
    if agent.problem:
        mend = "what it says; its log has more (`journalctl -u jober-worker`)"
        yield _SAY.problem("agent", agent.problem, mend, where=host)
    if ahead_ms is not None and abs(ahead_ms) > OFF_MS:
        way = "ahead of" if ahead_ms > 0 else "behind"
        told = f"its clock is {duration(abs(ahead_ms) / 1000)} {way} Redis's"
        yield _SAY.warning("clock", told, "chrony or systemd-timesyncd there", where=host)
    if agent.allows == "anything" and not agent.trusts:
        mend = "[allow] in its worker.toml, or --trust and keys: what may run, or who may say so"
        yield _SAY.warning("allow-list", "runs whatever is in Redis", mend, where=host)
    if agent.load > LOAD_A_SLOT * max(1, agent.slots):
        mend = "fewer --slots there, or more hosts with its roles"
        yield _SAY.warning("load", f"has a load of {agent.load:.0f}", mend, where=host)


def _versions(agents: Sequence[AgentInfo], version: str) -> Iterator[Finding]:
    for agent in agents:
        if _minor(agent.version) != _minor(version):
            yield _SAY.warning(
                "version",
                f"is jober {agent.version}, not {version}",
                "the same version everywhere; one minor version apart works, for an upgrade",
                where=agent.host,
            )


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]
