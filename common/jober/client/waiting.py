"""Why a run that has not started waits, in words."""

from jober import roles
from jober.client.jober import Jober
from jober.errors import JobNotFound
from jober.placement import Roster
from jober.run import Run, RunState
from jober.words import moment, plain


def why_it_waits(jober: Jober, run: Run, agents_at: str = "`jober agents`") -> str | None:
    """What a run waits for, beginning with a verb; None where there is nothing to say. The agents
    are told of at `agents_at`."""
    if run.state is RunState.WAITING:
        return f"waits for {plain(run.waits_for or 'its turn to be looked at')}"
    if run.state is RunState.PARKED:
        return f"waits: as many runs of {run.job} as may run at once are running"
    if run.retry_at_ms is not None:
        at = moment(run.retry_at_ms, jober.store.clock.now_ms())
        told = f" ({plain(run.reason)})" if run.reason else ""
        return f"is tried again at {at}: attempt {run.attempt} did not succeed{told}"
    if run.state is not RunState.QUEUED or run.job is None:
        return None
    try:
        asked = jober.job(run.job).job.queue
    except JobNotFound:
        return None
    agents = jober.agents()
    roster = Roster.of(agents)
    bound = run.host if roles.is_host_queue(run.queue) else None
    hosts = roster.hosts_for(asked) if bound is None else (bound,)
    if not hosts:
        return f"waits: no live host has a role that it asks for (see {agents_at})"
    if bound is not None and bound not in roster.use_of:
        states = sorted({agent.state for agent in agents if agent.host == bound})
        told = f"{states[0]}, and takes no new runs" if states else "not live"
        return f"waits for {bound}, which is {told} (see {agents_at})"
    if all(roster.use_of[host].is_full for host in hosts):
        return f"waits: all slots of {', '.join(hosts[:5])} are taken (see {agents_at})"
    return None
