"""What somebody did: one line of the audit log."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jober.clock import iso


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """`who` did, or tried, `action` on `object`, by the credential `via`, from `address`; `detail`
    says more, such as why it was refused. `id` is its place in the log."""

    id: str
    at_ms: int
    who: str
    via: str
    address: str
    action: str
    object: str
    outcome: str
    detail: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The stable names that scripts rely on (`--json`)."""
        return {
            "id": self.id,
            "at": iso(self.at_ms),
            "who": self.who,
            "via": self.via,
            "from": self.address,
            "action": self.action,
            "object": self.object,
            "outcome": self.outcome,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which lines are wanted: all that is given has to hold; `action` may end with `*`."""

    who: str | None = None
    action: str | None = None
    object: str | None = None
    outcome: str | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.who or self.action or self.object or self.outcome)

    def takes(self, entry: AuditEntry) -> bool:
        if self.action and self.action.endswith("*"):
            is_action = entry.action.startswith(self.action[:-1])
        else:
            is_action = self.action in (None, "", entry.action)
        return (
            is_action
            and self.who in (None, "", entry.who)
            and self.object in (None, "", entry.object)
            and self.outcome in (None, "", entry.outcome)
        )
