"""Why a run that has not started waits, in words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jober import roles
from jober.agent_info import AgentInfo
from jober.errors import JobNotFound
from jober.placement import Roster, without_work
from jober.run import Run, RunState
from jober.words import moment, plain

if TYPE_CHECKING:
    from jober.client.jober import Jober

AGENTS_AT = "`jober agents`"


def why_it_waits(jober: "Jober", run: Run, agents_at: str = AGENTS_AT) -> str | None:
    """What a run waits for, beginning with a verb; None where there is nothing to say. The agents
    are told of at `agents_at`."""
    asked: str | None = None
    agents: list[AgentInfo] = []
    if run.state is RunState.QUEUED and run.job is not None:
        try:
            asked, agents = jober.job(run.job).job.queue, jober.agents()
        except JobNotFound:
            return None
    return wait_of(run, asked, agents, jober.store.clock.now_ms(), agents_at)


def wait_of(
    run: Run,
    asked: str | None,
    agents: Sequence[AgentInfo],
    now_ms: int,
    agents_at: str = AGENTS_AT,
) -> str | None:
    """As `why_it_waits`: `asked` is the role expression of the run's job, `agents` are those that
    are live. Pure."""
    if run.state is RunState.WAITING:
        return f"waits for {plain(run.waits_for or 'its turn to be looked at')}"
    if run.state is RunState.PARKED:
        return f"waits for {plain(run.waits_for or 'a slot')}: as many as may are running"
    if run.retry_at_ms is not None:
        told = f" ({plain(run.reason)})" if run.reason else ""
        at = moment(run.retry_at_ms, now_ms)
        return f"is tried again at {at}: attempt {run.attempt} did not succeed{told}"
    if run.state is not RunState.QUEUED or asked is None:
        return None
    roster = Roster.of(agents)
    bound = run.host if roles.is_host_queue(run.queue) else None
    hosts = roster.hosts_for(asked) if bound is None else (bound,)
    if not hosts:
        return f"waits: {no_host(asked, agents, agents_at)}"
    if bound is not None and bound not in roster.use_of:
        states = sorted({agent.state for agent in agents if agent.host == bound})
        told = f"{states[0]}, and takes no new runs" if states else "not live"
        return f"waits for {bound}, which is {told} (see {agents_at})"
    if all(roster.use_of[host].is_full for host in hosts):
        return f"waits: all slots of {', '.join(hosts[:5])} are taken (see {agents_at})"
    return None


def no_host(asked: str, agents: Sequence[AgentInfo], agents_at: str = AGENTS_AT) -> str:
    """That no host takes what asks for these roles: none has them, or those that have them take no
    new runs."""
    away = without_work(asked, agents)
    if not away:
        return f"no live host has a role that it asks for (see {agents_at})"
    told = ", ".join(f"{host} is {state}" for host, state in away[:5])
    return f"no live host with a role that it asks for takes new runs: {told} (see {agents_at})"
