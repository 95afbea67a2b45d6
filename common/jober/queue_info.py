"""A queue as it stands."""

from dataclasses import dataclass
from typing import Any

from jober.clock import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueInfo:
    """How many runs wait in a queue, and which has waited longest, since when."""

    name: str
    waiting: int
    oldest: str | None = None
    oldest_at_ms: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The stable names that scripts rely on (`--json`)."""
        return {
            "name": self.name,
            "waiting": self.waiting,
            "oldest": self.oldest,
            "oldest_at": iso(self.oldest_at_ms),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much there is of everything. `overdue` are jobs whose fire no scheduler has decided on
    for some seconds, `parked` runs wait for a slot, `waiting` ones for other runs."""

    jobs: int
    running: int
    queued: int
    parked: int
    delayed: int
    waiting: int
    overdue: int

    def to_dict(self) -> dict[str, int]:
        """The stable names that scripts rely on."""
        return {name: getattr(self, name) for name in self.__slots__}
