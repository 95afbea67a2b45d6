"""What differs between two definitions of a job, field by field."""

import json
from dataclasses import dataclass
from typing import Any

from jober.job.definition import KNOWN_FIELDS, Job
from jober.job.problems import told


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field, before and after; what a definition leaves out has its default."""

    field: str
    old: Any
    new: Any

    def __str__(self) -> str:
        old, new = ("none" if value is None else told(value) for value in (self.old, self.new))
        return f"{self.field}: {old} → {new}"


def changes(old: Job, new: Job) -> list[FieldChange]:
    """The fields that differ, in the order of the definition; none where both mean the same."""
    before, after = old.spec(), new.spec()
    return [
        FieldChange(field=field, old=getattr(old, field), new=getattr(new, field))
        for field in KNOWN_FIELDS
        # As JSON, where 1 is neither true nor 1.0, and the order of options counts.
        if json.dumps(before.get(field)) != json.dumps(after.get(field))
    ]
