"""What applying the jobs of a file would do to the jobs, calendars and limits there are."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from jober.job import FieldChange, Job, changes
from jober.schedule import Calendar
from jober.workflow import Graph


class ChangedJob(NamedTuple):
    """A job that is there and in the file, and differs in `fields`."""

    old: Job
    new: Job
    fields: tuple[FieldChange, ...]

    @property
    def is_held_back(self) -> bool:
        """Whether it takes force: the job is protected, and more than that is to change."""
        return self.old.protected and [one.field for one in self.fields] != ["protected"]


class ChangedCalendar(NamedTuple):
    """A calendar that is there and in the file, and differs."""

    old: Calendar
    new: Calendar

    @property
    def added(self) -> tuple[str, ...]:
        """The dates that only the new one tells, as its `spec()` has them."""
        old = set(self.old.spec()["dates"])
        return tuple(date for date in self.new.spec()["dates"] if date not in old)

    @property
    def removed(self) -> tuple[str, ...]:
        """The dates that only the old one tells."""
        return ChangedCalendar(self.new, self.old).added


class ChangedLimit(NamedTuple):
    """A limit that is in the file, and new (`old` is None) or another than before."""

    name: str
    old: int | None
    new: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Jobs by what happens to them; `kept` are there, not in the file, and left alone, and so are
    those that are `protected`, which would be removed otherwise.

    Calendars likewise. A job whose calendar changes is not changed itself, but fires otherwise:
    `Job.calendars` tells which are concerned.
    """

    added: tuple[Job, ...]
    changed: tuple[ChangedJob, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    unchanged: tuple[str, ...]
    protected: tuple[str, ...] = ()
    added_calendars: tuple[Calendar, ...] = ()
    changed_calendars: tuple[ChangedCalendar, ...] = ()
    removed_calendars: tuple[str, ...] = ()
    kept_calendars: tuple[str, ...] = ()
    unchanged_calendars: tuple[str, ...] = ()
    unsigned: tuple[Job, ...] = ()  # of the unchanged, those that are to be signed
    changed_limits: tuple[ChangedLimit, ...] = ()
    removed_limits: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether applying it would write nothing."""
        calendars = self.added_calendars or self.changed_calendars or self.removed_calendars
        limits = self.changed_limits or self.removed_limits
        jobs = self.added or self.changed or self.removed or self.unsigned
        return not (jobs or calendars or limits)


def difference(
    current: Mapping[str, Job],
    wanted: Iterable[Job],
    prune: bool,
    current_calendars: Mapping[str, Calendar] | None = None,
    wanted_calendars: Mapping[str, Calendar] | None = None,
    current_limits: Mapping[str, int] | None = None,
    wanted_limits: Mapping[str, int] | None = None,
    not_believed: Container[str] = (),
) -> Difference:
    """What leads from the `current` jobs, calendars and limits, by name, to the `wanted` ones.

    Those that are not wanted are removed with `prune`, and kept without it; a calendar or limit
    that a wanted job names is kept anyhow. Those of the file stand in its order, the others by
    name. Those that are `not_believed` are signed anew.
    """
    before, after = current_calendars or {}, wanted_calendars or {}
    jobs = {job.name: job for job in wanted}
    both = [
        ChangedJob(current[name], job, tuple(changes(current[name], job)))
        for name, job in jobs.items()
        if name in current
    ]
    # Those that come after others first, which cannot be removed before them.
    level = Graph({name: job.links for name, job in current.items()}).levels(current)
    others = tuple(sorted(current.keys() - jobs.keys(), key=lambda name: (-level[name], name)))
    named = {name for job in jobs.values() for name in job.calendars}
    unnamed = tuple(sorted(name for name in before.keys() - after.keys() - named if prune))
    limits, new_limits = current_limits or {}, wanted_limits or {}
    in_use = {name for job in jobs.values() for name in job.limits}
    return Difference(
        added=tuple(job for name, job in jobs.items() if name not in current),
        changed=tuple(one for one in both if one.fields),
        removed=tuple(name for name in others if prune and not current[name].protected),
        protected=tuple(name for name in others if prune and current[name].protected),
        kept=() if prune else others,
        unchanged=tuple(one.new.name for one in both if not one.fields),
        unsigned=tuple(one.new for one in both if not one.fields and one.new.name in not_believed),
        added_calendars=tuple(one for name, one in after.items() if name not in before),
        changed_calendars=tuple(
            ChangedCalendar(before[name], one)
            for name, one in after.items()
            if name in before and before[name] != one
        ),
        removed_calendars=unnamed,
        kept_calendars=tuple(sorted(before.keys() - after.keys() - set(unnamed))),
        unchanged_calendars=tuple(name for name, one in after.items() if before.get(name) == one),
        changed_limits=tuple(
            ChangedLimit(name, limits.get(name), slots)
            for name, slots in new_limits.items()
            if limits.get(name) != slots
        ),
        removed_limits=tuple(sorted(limits.keys() - new_limits.keys() - in_use if prune else ())),
    )
