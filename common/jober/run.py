"""A run: one execution of a job on one host, and the states it may go through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from jober.clock import iso
from jober.progress import Progress
from jober.value import quick

# What stands for the job of runs that have none, in Redis: no job may have that name.
NO_JOB = "_"
# A longer return value, as JSON, is not kept.
MAX_RESULT_BYTES = 256 * 1024
# A return value of this size at the most is the same as JSON, both ways, by its kind alone.
_SHORT, _SMALL = 64, 1 << 53
# How many ended runs of a job are kept, and for how long, where the job does not say.
KEEP_RUNS = 1000
KEEP_FOR_S = 7 * 86_400


def is_plain(value: Any) -> bool:
    """Whether it is a short value that JSON carries as it is, as most return values are: what is
    made of such a one can be kept, and made once."""
    kind = type(value)
    if kind is str:
        return len(value) <= _SHORT and value.isascii()
    return kind is bool or kind is int and -_SMALL <= value <= _SMALL


class RunState(StrEnum):
    """Where a run is. The first six are live, the others are ends."""

    WAITING = "waiting"  # for the runs of other jobs, before it goes to its queue
    QUEUED = "queued"
    PARKED = "parked"
    DELAYED = "delayed"
    RESERVED = "reserved"  # an agent has it, and begins it as soon as a slot is free
    RUNNING = "running"
    SUCCESS = "success"
    SKIPPED = "skipped"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    LOST = "lost"
    MISSED = "missed"
    POISONED = "poisoned"

    @property
    def is_final(self) -> bool:
        return self in FINAL


FINAL = frozenset(
    {
        RunState.SUCCESS,
        RunState.SKIPPED,
        RunState.FAILED,
        RunState.TIMEOUT,
        RunState.CANCELLED,
        RunState.LOST,
        RunState.MISSED,
        RunState.POISONED,
    }
)
# Ends that nobody needs to look after.
GOOD = frozenset({RunState.SUCCESS, RunState.SKIPPED})

# The only ways a state may change; the scripts of the store hold to the same table, and a test
# holds the two together. `lost` and `poisoned` are what others conclude of silent agents: when the
# agent comes back with the outcome of that very attempt, the truth replaces the conclusion, and
# where that is a good one, it replaces the wait for another attempt too.
_TRUTH = frozenset(
    {
        RunState.SUCCESS,
        RunState.SKIPPED,
        RunState.FAILED,
        RunState.TIMEOUT,
        RunState.CANCELLED,
    }
)
TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.WAITING: frozenset(
        {
            RunState.QUEUED,
            RunState.SKIPPED,
            RunState.FAILED,  # it lacks a result
            RunState.CANCELLED,
            RunState.MISSED,
        }
    ),
    RunState.QUEUED: frozenset(
        {
            RunState.PARKED,
            RunState.RESERVED,
            RunState.RUNNING,
            RunState.CANCELLED,
            RunState.MISSED,
        }
    ),
    RunState.PARKED: frozenset({RunState.QUEUED, RunState.CANCELLED, RunState.MISSED}),
    RunState.DELAYED: frozenset(
        {RunState.QUEUED, RunState.CANCELLED, RunState.SUCCESS, RunState.SKIPPED}
    ),
    # What ends within moments is never told to run.
    RunState.RESERVED: frozenset(
        {RunState.QUEUED, RunState.RUNNING, RunState.DELAYED, RunState.LOST, *_TRUTH}
    ),
    RunState.RUNNING: frozenset(
        {
            RunState.DELAYED,
            RunState.SUCCESS,
            RunState.SKIPPED,
            RunState.FAILED,
            RunState.TIMEOUT,
            RunState.CANCELLED,
            RunState.LOST,
            RunState.POISONED,
            RunState.QUEUED,  # the reply to a claim was lost: nobody ever started it
        }
    ),
    RunState.LOST: _TRUTH,
    RunState.SUCCESS: frozenset(),
    RunState.SKIPPED: frozenset(),
    RunState.FAILED: frozenset(),
    RunState.TIMEOUT: frozenset(),
    RunState.CANCELLED: frozenset(),
    RunState.MISSED: frozenset(),
    RunState.POISONED: _TRUTH,
}

# What RQ's own tools are told: the values of rq.job.JobStatus.
RQ_STATUS: dict[RunState, str] = {
    RunState.WAITING: "deferred",
    RunState.QUEUED: "queued",
    RunState.PARKED: "deferred",
    RunState.DELAYED: "scheduled",
    RunState.RESERVED: "started",
    RunState.RUNNING: "started",
    RunState.SUCCESS: "finished",
    RunState.SKIPPED: "finished",
    RunState.FAILED: "failed",
    RunState.TIMEOUT: "failed",
    RunState.CANCELLED: "stopped",
    RunState.LOST: "failed",
    RunState.MISSED: "canceled",
    RunState.POISONED: "failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as Redis has it. Moments are milliseconds since the epoch, or None."""

    id: str
    job: str | None
    state: RunState
    queue: str
    description: str
    # "schedule", "manual", "service", "workflow", "cleanup" (of another run, which is deleted), or
    # "rq" for an application's own RQ job
    trigger: str
    attempt: int
    host: str | None = None
    agent: str | None = None
    revision: int | None = None  # of the definition that it was made from
    fire_at_ms: int | None = None
    enqueued_at_ms: int | None = None
    started_at_ms: int | None = None
    ended_at_ms: int | None = None
    retry_at_ms: int | None = None  # while it is delayed: when it is tried again
    exit_code: int | None = None
    reason: str | None = None
    return_value: str | None = None  # JSON text
    traceback: str | None = None
    cpu_s: float | None = None
    peak_memory_bytes: int | None = None
    cancel_requested: bool = False
    progress: Progress | None = None  # the newest that it said of itself
    term: str | None = None  # of the leader that fired it
    waits_for: str | None = None  # of a parked or waiting run, in words
    needed: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # what it waited for, by job
    blocked_by: str | None = None  # the run for whose sake it was skipped
    after: str | None = None  # the run whose end started it

    @property
    def is_good(self) -> bool:
        """It has ended, and nobody needs to look after it."""
        return self.state in GOOD and self.blocked_by is None

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end; None while it has not ended."""
        return _seconds(self.started_at_ms, self.ended_at_ms)

    def to_dict(self) -> dict[str, Any]:
        """The stable names that scripts rely on (`--json`)."""
        return {
            "id": self.id,
            "job": self.job,
            "state": str(self.state),
            "host": self.host,
            "agent": self.agent,
            "attempt": self.attempt,
            "trigger": self.trigger,
            "revision": self.revision,
            "queue": self.queue,
            "description": self.description,
            "fire_at": iso(self.fire_at_ms),
            "enqueued_at": iso(self.enqueued_at_ms),
            "started_at": iso(self.started_at_ms),
            "ended_at": iso(self.ended_at_ms),
            "retry_at": iso(self.retry_at_ms),
            "duration_s": self.duration_s,
            "exit_code": self.exit_code,
            "reason": self.reason,
            "waits_for": self.waits_for,
            "needed": {job: list(ids) for job, ids in self.needed.items()},
            "blocked_by": self.blocked_by,
            "after": self.after,
            "cpu_s": self.cpu_s,
            "peak_memory_bytes": self.peak_memory_bytes,
            "term": self.term,
            "progress": self.progress.to_dict() if self.progress else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBrief:
    """What plots and tables of very many runs take of one."""

    id: str
    state: RunState
    host: str | None = None
    started_at_ms: int | None = None
    ended_at_ms: int | None = None
    exit_code: int | None = None
    cpu_s: float | None = None
    peak_memory_bytes: int | None = None

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end; None while it has not ended."""
        return _seconds(self.started_at_ms, self.ended_at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt of a run that has begun; `state` is running, or how it ended."""

    attempt: int
    state: RunState
    host: str | None = None
    agent: str | None = None
    started_at_ms: int | None = None
    ended_at_ms: int | None = None
    exit_code: int | None = None
    reason: str | None = None

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end; None while it has not ended."""
        return _seconds(self.started_at_ms, self.ended_at_ms)

    def to_dict(self) -> dict[str, Any]:
        """The stable names that scripts rely on (`--json`)."""
        return {
            "attempt": self.attempt,
            "state": str(self.state),
            "host": self.host,
            "agent": self.agent,
            "started_at": iso(self.started_at_ms),
            "ended_at": iso(self.ended_at_ms),
            "exit_code": self.exit_code,
            "reason": self.reason,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """What a claimed run is to do, and how: the same for all runs of one revision of a job, but
    for those with parameters of their own. It is told apart as an object."""

    job: str | None  # None for an application's own RQ job, as `data` is nothing then
    queue: str
    data: bytes  # JSON [func, null, args, kwargs], perhaps zlib-compressed by RQ
    options: str  # JSON object: what the definition says of how it runs and may end
    trigger: str
    timeout: str | None  # seconds, as RQ writes it
    limits: str = ""  # the shared limits that it holds a slot of, with a comma between
    weight: int = 1  # how many of the agent's slots it takes


@quick(frozen=True, slots=True, kw_only=True)
class Claim:
    """A run that an agent has taken: it holds the lease of this attempt, and must finish it, or,
    where it is `reserved`, give it back."""

    id: str
    attempt: int
    work: Work
    fire_at: str | None = None  # ISO text
    term: str | None = None  # of the leader that fired it
    refusals: int = 0  # how many earlier attempts hosts have refused, so that they never began
    reserved: bool = False  # it is not told to have begun
    record: Mapping[bytes, bytes] = field(default_factory=dict)  # of a plain RQ job, all fields

    @property
    def job(self) -> str | None:
        """The job; None for an application's own RQ job, and for a run without a definition."""
        return None if self.work.job == NO_JOB else self.work.job

    @property
    def data(self) -> bytes:
        """What to do: the work's, or the own of a plain RQ job."""
        return self.record.get(b"data", self.work.data)

    @property
    def begun(self) -> int:
        """The number of the attempt among those that began."""
        return self.attempt - self.refusals

    @property
    def lease(self) -> str:
        """The member that stands for this attempt in leases and slots."""
        return f"{self.id}:{self.attempt}"


@quick(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended, as its agent saw it.

    A function that raised tells the `errors`: the names of the exception's class and of those that
    it derives from, each plain and with its module. An attempt that was `refused` never began:
    "here", where another host may take it, or "for good".

    A plain RQ job tells its return value as RQ keeps it (`rq_result`, base64 by its serializer),
    and where it returned an rq.Retry, its `max` and `intervals`.
    """

    state: RunState
    exit_code: int | None = None
    reason: str | None = None
    return_value: Any = None
    traceback: str | None = None
    cpu_s: float | None = None
    peak_memory_bytes: int | None = None
    errors: tuple[str, ...] = ()
    rq_result: str | None = None
    rq_retry: Mapping[str, Any] | None = None
    refused: str | None = None


def _seconds(started_at_ms: int | None, ended_at_ms: int | None) -> float | None:
    if started_at_ms is None or ended_at_ms is None:
        return None
    return (ended_at_ms - started_at_ms) / 1000
