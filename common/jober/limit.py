"""A limit that jobs share: so many of their runs at once over the whole fleet."""

from dataclasses import dataclass
from typing import Any

from jober.errors import DefinitionError
from jober.ids import JOB_NAME

SLOTS_AT_MOST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit as it stands: how many of its `slots` are `used`, how many runs are `waiting`, and
    which `jobs` name it."""

    name: str
    slots: int
    used: int
    waiting: int
    jobs: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The stable names that scripts rely on (`--json`)."""
        return {
            "name": self.name,
            "slots": self.slots,
            "used": self.used,
            "waiting": self.waiting,
            "jobs": list(self.jobs),
        }


def check_limit(name: object, slots: object) -> tuple[str, int]:
    """The name and the number of slots of a limit; a DefinitionError for what is wrong."""
    if not isinstance(name, str) or not JOB_NAME.fullmatch(name):
        raise DefinitionError(
            f"'{name}' is not the name of a limit",
            field="limits",
            value=name,
            mend="letters, digits, '-' and '_', a letter or digit first, at most 100",
        )
    if not isinstance(slots, int) or isinstance(slots, bool) or not 1 <= slots <= SLOTS_AT_MOST:
        raise DefinitionError(
            f"{slots!r} is not a number of runs from 1 to {SLOTS_AT_MOST}",
            field=f"limits.{name}",
            value=slots,
            mend=f"write {name} = 3; pause the jobs to have none run",
        )
    return name, slots
