"""The fields of a job to be, as the rules see them.

A rule sees the fields that were given and are good by themselves; `given` also names those
that are not, so that no rule complains of the absence of what is there and wrong.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from jober.errors import DefinitionError
from jober.job.payload import Kind, split_script

WHAT_FIELDS = ("command", "call", "module", "script")
WHEN_FIELDS = ("cron", "every", "date", "any_of")
SCHEDULE_PARTS = (
    *("at", "dst_gap", "dst_repeat", "start", "end", "jitter"),
    *("only_between", "exclude", "shift"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The fields of a job to be: `given` names all of them, `good` holds the usable ones."""

    given: frozenset[str]
    good: Mapping[str, Any]

    @property
    def kind(self) -> Kind | None:
        """How it would run; None where that cannot be told."""
        what = [name for name in WHAT_FIELDS if name in self.given]
        return kind_of(self.good) if len(what) == 1 and what[0] in self.good else None

    def sets(self, field: str, room: type[BaseModel]) -> bool:
        """Whether it is given, and says something else than its default, which its room has."""
        if field not in self.good:
            return False
        default = room.model_fields[field].get_default(call_default_factory=True)
        return bool(self.good[field] != default)


# Yields what is wrong, or raises it where there can be one mistake alone.
Rule = Callable[[Draft], Iterable[DefinitionError] | None]


def kind_of(fields: Mapping[str, Any]) -> Kind:
    """How a job with these fields runs. One of the four must be there."""
    if fields.get("command") is not None:
        return Kind.SHELL if fields.get("shell") else Kind.COMMAND
    if fields.get("call") is not None:
        return Kind.CALL
    if fields.get("module") is not None:
        return Kind.MODULE
    return Kind.SCRIPT_CALL if split_script(fields["script"])[1] else Kind.SCRIPT


def null_character(field: str) -> DefinitionError:
    """The error of a text that no program can be given."""
    return DefinitionError(
        "it holds a null character, which no program can be given", field=field, mend="drop it"
    )
