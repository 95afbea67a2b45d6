"""What may be done about a job that does not run, each with its command. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jober.agent_info import AgentInfo
from jober.ledger import Decision, LedgerEntry
from jober.placement import Roster, without_work
from jober.run import Run, RunState
from jober.store.jobs import JobRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What is live now: the agents, and whether a scheduler leads."""

    agents: Sequence[AgentInfo]
    is_led: bool

    def hosts_for(self, record: JobRecord) -> tuple[str, ...]:
        """The hosts that take runs of the job."""
        return Roster.of(self.agents).hosts_for(record.job.queue)


def mends(
    record: JobRecord, entries: Sequence[LedgerEntry], runs: Sequence[Run], fleet: Fleet
) -> Iterator[str]:
    """What to do about what is wrong now, and about what was decided: the causes that stop all
    first. `runs` are those that the answer tells of."""
    name = record.name
    if not fleet.is_led:
        yield "no scheduler leads, so nothing fires: `jober scheduler`, on two or three hosts"
    if record.paused:
        yield f"`jober resume {name}`: it is paused"
    if not fleet.hosts_for(record):
        away = without_work(record.job.queue, fleet.agents)
        for host, state in away[:3]:
            do = f"`jober agents uncordon {host}`: it" if state == "cordoned" else host
            yield f"{do} has a role of the job, and is {state}"
        if not away:
            yield (
                "an agent with a role of the job (`jober worker --roles …`), or other `roles` for "
                "it: `jober agents` lists the live ones"
            )
    if any(entry.decision is Decision.SKIPPED for entry in entries) and not runs:
        yield f"`jober runs {name}` shows what it met; `jober cancel RUN` ends a run"
    if any(run.state is RunState.PARKED for run in runs):
        yield f"`jober runs {name} --state running` and `jober limits` show who has the slots"
    failed = [run for run in runs if run.attempt and run.state.is_final and not run.is_good]
    for run in failed[:3]:
        yield f"`jober logs {run.id}` is what it wrote, `jober show {run.id}` how it went"
