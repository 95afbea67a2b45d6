"""What the API answers, and what it is sent: shapes for its description, checked on the way."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

Moment = str | None


class Asked(BaseModel):
    """What is sent: a field that is not known is an error."""

    model_config = ConfigDict(extra="forbid")


class Fields(RootModel[dict[str, Any]]):
    """The fields of a definition, as in a jobs file (docs/jobs.md)."""


class JobOut(BaseModel):
    """A job. `definition` has the fields that are not their defaults."""

    name: str
    job: str
    state: str
    schedule: str
    timezone: str
    roles: list[str]
    on: str | int
    next: Moment
    last_decided: Moment
    fires: int
    revision: int
    created_at: Moment
    updated_at: Moment
    description: str
    definition: dict[str, Any]


class LaterJobOut(BaseModel):
    """A job that a later jober has written: this one cannot read its definition."""

    name: str
    job: str
    state: Literal["later"]
    schema_: int = Field(alias="schema")
    problem: str


class JobPage(BaseModel):
    items: list[JobOut | LaterJobOut]
    next: str | None


class Preview(BaseModel):
    """What a definition would be: with its `fires` to come, as of now."""

    description: str
    schedule: str
    definition: dict[str, Any]
    fires: "list[FireOut]"


class FireOut(BaseModel):
    fire_at: str
    timezone: str
    in_zone: str
    notes: list[str]


class Fires(BaseModel):
    items: list[FireOut]


class Changed(BaseModel):
    changed: bool = Field(description="False where it was so before.")


class Decision(BaseModel):
    job: str
    decision: str
    at: Moment
    fire_at: Moment
    first_fire_at: Moment
    count: int
    run: str | None
    host: str | None
    reason: str | None


class Ledger(BaseModel):
    items: list[Decision]
    next: str | None


class WhyOut(BaseModel):
    job: str
    at: str
    answer: str
    hosts: list[str]
    notes: list[str]
    mends: list[str]
    decisions: list[Decision]


class RevisionOut(BaseModel):
    revision: int
    definition: dict[str, Any]


class Revisions(BaseModel):
    items: list[RevisionOut]


class EdgeOut(BaseModel):
    earlier: str
    later: str
    kind: str


class GraphOut(BaseModel):
    """The jobs around one, in order, and how they come after one another. It is `cut` where they
    are too many to tell."""

    jobs: list[str]
    edges: list[EdgeOut]
    cut: bool


class ServicePlaceOut(BaseModel):
    state: str
    host: str | None
    run: str | None
    restarts: int
    failures: int
    started_at: Moment
    restart_at: Moment


class ServiceOut(BaseModel):
    places: list[ServicePlaceOut]


class RunOut(BaseModel):
    id: str
    job: str | None
    state: str
    host: str | None
    agent: str | None
    attempt: int
    trigger: str
    revision: int | None
    queue: str
    description: str
    fire_at: Moment
    enqueued_at: Moment
    started_at: Moment
    ended_at: Moment
    retry_at: Moment
    duration_s: float | None
    exit_code: int | None
    reason: str | None
    waits_for: str | None
    needed: dict[str, list[str]]
    blocked_by: str | None
    after: str | None
    cpu_s: float | None
    peak_memory_bytes: int | None
    term: str | None
    progress: dict[str, Any] | None


class RunDetails(RunOut):
    """A run, with what is told of one alone: its `result` (what the function returned), the
    `traceback` of one that raised, and its `arguments`, where they are still known."""

    result: Any
    traceback: str | None
    arguments: dict[str, Any] | None
    cancel_requested: bool


class RunPage(BaseModel):
    items: list[RunOut]
    next: str | None


class Runs(BaseModel):
    items: list[RunOut]


class AttemptOut(BaseModel):
    attempt: int
    state: str
    host: str | None
    agent: str | None
    started_at: Moment
    ended_at: Moment
    exit_code: int | None
    reason: str | None


class Attempts(BaseModel):
    items: list[AttemptOut]


class RunAsked(Asked):
    """How a job is to be run. What is left out is as its definition says."""

    args: list[Any] | None = None
    kwargs: dict[str, Any] | None = None
    host: str | None = Field(default=None, description="On this host.")
    everywhere: bool = Field(default=False, description="One run on each live host of its roles.")
    with_needs: bool = Field(default=False, description="First what it needs and is outdated.")
    with_dependents: bool = Field(default=False, description="Then all that needs it.")
    force: bool = Field(default=False, description="It waits for nothing but results.")
    options: dict[str, Any] = Field(
        default={}, description="Fields that say how it runs, such as timeout, retries and env."
    )


class RerunAsked(Asked):
    """With which arguments it is run again; default: its own."""

    args: list[Any] | None = None
    kwargs: dict[str, Any] | None = None
    append: bool = Field(default=False, description="After its own, and not in their place.")


class Because(Asked):
    reason: str = Field(default="cancelled", max_length=1000)


class Cancelled(BaseModel):
    outcome: str = Field(
        description="`withdrawn` where it had not started, `asked` where its agent was told to "
        "stop it, else the state in which it had ended before."
    )


class Piece(BaseModel):
    """A piece of output, or (`dropped`) a mark where so many bytes are missing. The bytes are
    `text` where they are UTF-8, else `base64`. `seq` is null for what comes from a file."""

    seq: int | None = None
    stream: str | None = None
    at: Moment = None
    offset: int | None = None
    text: str | None = None
    base64: str | None = None
    dropped: int | None = None
    why: str | None = None


class OutputRange(BaseModel):
    """The bytes from `start` to before `end`, of `size` that there are so far; `next` is where the
    next range begins, null where there is no more yet."""

    start: int
    end: int
    size: int
    next: int | None
    items: list[Piece]


class Line(BaseModel):
    number: int
    text: str


class Lines(BaseModel):
    """`next` is the number of the line after the last of these; null where there is none."""

    items: list[Line]
    next: int | None


class LogRecord(BaseModel):
    at: Moment
    level: str
    logger: str
    message: str


class LogRecords(BaseModel):
    items: list[LogRecord]


class AgentOut(BaseModel):
    id: str
    host: str
    pid: int
    roles: list[str]
    own_roles: list[str]
    slots: int
    running: int
    state: str
    load: float
    version: str
    started_at: Moment
    seen_at: Moment


class AgentPage(BaseModel):
    items: list[AgentOut]
    next: str | None


class HostOut(BaseModel):
    """The live agents of a host, and what an operator has ordered of it."""

    host: str
    agents: list[AgentOut]
    cordoned: bool
    roles: list[str] | None = Field(description="Those that it was given; null: its agents' own.")


class RolesAsked(Asked):
    roles: list[str] | None = Field(description="Null gives its agents their own back.")


class LeaderOut(BaseModel):
    node: str
    host: str
    pid: int
    term: int
    since: Moment


class LeaderAnswer(BaseModel):
    leader: LeaderOut | None


class QueueOut(BaseModel):
    name: str
    waiting: int
    oldest: str | None
    oldest_at: Moment


class QueuePage(BaseModel):
    items: list[QueueOut]
    next: str | None


class CalendarOut(BaseModel):
    name: str
    title: str | None
    dates: list[str]


class Calendars(BaseModel):
    items: list[CalendarOut]


class CalendarAsked(Asked):
    title: str | None = None
    dates: list[str]


class LimitOut(BaseModel):
    name: str
    slots: int
    used: int
    waiting: int
    jobs: list[str]


class Limits(BaseModel):
    items: list[LimitOut]


class LimitAsked(Asked):
    slots: int


class EventOut(BaseModel):
    """An event; what else it tells, by its type, stands beside these."""

    model_config = ConfigDict(extra="allow")

    id: str
    type: str
    at: Moment


class EventPage(BaseModel):
    items: list[EventOut]
    next: str | None
