"""What the leader decides about a job that is due, before it is carried out."""

from dataclasses import dataclass

from jober.ledger import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """A run to make: its id, and the host it is bound to, if any."""

    id: str
    host: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFire:
    """One decision. `missed` tells of `count` fires, from `first_ms` to `at_ms`, and why."""

    at_ms: int
    decision: Decision
    runs: tuple[PlannedRun, ...] = ()
    reason: str | None = None
    first_ms: int | None = None
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FirePlan:
    """What is to happen to one job: its decisions, its new cursor, its next due moment."""

    name: str
    revision: int
    cursor_ms: int
    next_ms: int | None
    fires: tuple[PlannedFire, ...] = ()
