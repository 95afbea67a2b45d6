"""An event: something that happened to a job, a run, an agent or the leader."""

from dataclasses import dataclass, field

from jober.clock import iso
from jober.run import GOOD, RunState

# Every type there is, and what it tells.
EVENT_TYPES: dict[str, str] = {
    "job.added": "a definition was added",
    "job.changed": "a definition was changed",
    "job.removed": "a definition was removed",
    "job.paused": "a job was paused",
    "job.resumed": "a job was resumed",
    "fire.missed": "one or more fires made no run; reason says why",
    "fire.short": "a fire made runs on fewer hosts than were asked for; reason says why",
    "fire.skipped": "a fire made no run because an earlier run is still going",
    "run.waiting": "a run was made that waits for runs of other jobs",
    "run.queued": "a run was put into its queue, for the first time or again",
    "run.parked": "a run waits for a slot of its job",
    "run.retrying": "an attempt ended as state says, and the run will be tried again",
    "run.started": "an agent took a run",
    "run.refused": "a host refused a run; reason says why",
    "run.poisoned": "agents fell silent too often while a run was theirs; reason names them",
    "run.finished": "a run ended; state says how",
    "service.healthy": "a run of a service has gone on for so long that it is healthy",
    "service.restarting": "a run of a service has ended, and another begins at restart_at",
    "agent.joined": "an agent registered",
    "agent.left": "an agent left in order",
    "agent.lost": "an agent has been silent for longer than its lease",
    "agent.problem": "an agent cannot keep results on its host's disk; reason says why",
    "agent.cordoned": "a host takes no new runs, until it is uncordoned",
    "agent.uncordoned": "a host takes runs again",
    "agent.roles": "a host has got other roles, or the own ones of its agents back",
    "notice.sent": "a message about a job was delivered; to says where",
    "notice.failed": "a message about a job was given up; reason says why",
    "leader.elected": "a scheduler became leader",
    "leader.resigned": "the leader resigned in order",
}

# Kinds of events, by what they mean for people.
EVENT_KINDS: dict[str, str] = {
    "start": "an agent took a run",
    "finish": "a run ended, however",
    "error": "a run ended badly: neither success nor skipped, nor cancelled, nor missed",
    "missed": "a fire made no run, or its run was not started in time",
    "leader": "who schedules",
    "agents": "an agent came, went, or is treated otherwise",
}
# Ends that somebody should look after.
BAD = (
    frozenset(state for state in RunState if state.is_final)
    - GOOD
    - {
        RunState.CANCELLED,
        RunState.MISSED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`id` is its place in the log (`<ms>-<n>`); `facts` holds the rest by name, as text."""

    id: str
    type: str
    at_ms: int
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def job(self) -> str | None:
        return self.facts.get("job")

    @property
    def run(self) -> str | None:
        return self.facts.get("run")

    def to_dict(self) -> dict[str, object]:
        return {"id": self.id, "type": self.type, "at": iso(self.at_ms), **self.facts}


def is_wanted(event: Event, types: tuple[str, ...]) -> bool:
    """Whether the event is of one of these types or kinds; none stand for all."""
    return not types or any(_is_of(event, type) for type in types)


def _is_of(event: Event, type: str) -> bool:
    finished = event.type == "run.finished"
    match type:
        case "start":
            return event.type == "run.started"
        case "finish":
            return finished
        case "error":
            return finished and event.facts.get("state") in BAD
        case "missed":
            missed = finished and event.facts.get("state") == RunState.MISSED
            return missed or event.type == "fire.missed"
        case "leader":
            return event.type.startswith("leader.")
        case "agents":
            return event.type.startswith("agent.")
    return event.type == type or (type.endswith("*") and event.type.startswith(type[:-1]))
