"""The ledger: what was decided of each fire of a job, and why."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jober.clock import iso


class Decision(StrEnum):
    """What became of a fire."""

    FIRED = "fired"  # it made a run
    SHORT = "short"  # it made runs, on fewer hosts than were asked for
    SKIPPED = "skipped"  # an earlier run was still going
    MISSED = "missed"  # nobody could run it in time; reason says why


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One decision. A range of missed fires is one entry: `count` of them, up to `fire_at_ms`."""

    id: str
    job: str
    decision: Decision
    at_ms: int
    fire_at_ms: int
    first_fire_at_ms: int
    count: int = 1
    run: str | None = None
    host: str | None = None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "job": self.job,
            "decision": str(self.decision),
            "at": iso(self.at_ms),
            "fire_at": iso(self.fire_at_ms),
            "first_fire_at": iso(self.first_fire_at_ms),
            "count": self.count,
            "run": self.run,
            "host": self.host,
            "reason": self.reason,
        }
