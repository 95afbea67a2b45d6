"""What applying the jobs of a file would do to the jobs there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from jober.job import FieldChange, Job, changes


class ChangedJob(NamedTuple):
    """A job that is there and in the file, and differs in `fields`."""

    old: Job
    new: Job
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Jobs by what happens to them; `kept` are there, not in the file, and left alone."""

    added: tuple[Job, ...]
    changed: tuple[ChangedJob, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    unchanged: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether applying it would write nothing."""
        return not (self.added or self.changed or self.removed)


def difference(current: Mapping[str, Job], wanted: Iterable[Job], prune: bool) -> Difference:
    """What leads from the `current` jobs, by name, to the `wanted` ones.

    Jobs that are not wanted are removed with `prune`, and kept without it. Those of the file
    stand in its order, the others by name.
    """
    jobs = {job.name: job for job in wanted}
    both = [
        ChangedJob(current[name], job, tuple(changes(current[name], job)))
        for name, job in jobs.items()
        if name in current
    ]
    others = tuple(sorted(current.keys() - jobs.keys()))
    return Difference(
        added=tuple(job for name, job in jobs.items() if name not in current),
        changed=tuple(one for one in both if one.fields),
        removed=others if prune else (),
        kept=() if prune else others,
        unchanged=tuple(one.new.name for one in both if not one.fields),
    )
