"""The definitions of jobs: applied from a file, added, changed, removed, paused."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jober.client.access import Access
from jober.client.arguments import checked
from jober.errors import JobNotFound
from jober.run import Run
from jober.service import Service
from jober.store.jobs import Change, JobRecord

if TYPE_CHECKING:
    # Loaded where a definition or a file of them is read: the checks and parsers take their time.
    from jober.job import Job
    from jober.jobs_file import Difference

# A script must not hold Redis up for long.
APPLY_BATCH = 500


class Definitions(Access):
    """What jobs there are."""

    @checked
    def difference(self, file: str | os.PathLike[str], *, prune: bool = False) -> "Difference":
        """What `apply` would do; changes nothing. Raises DefinitionError."""
        from jober.jobs_file import difference, read_jobs

        calendars = self.store.calendars.all()
        file_ = read_jobs(file, calendars)
        current = {record.name: record.job for record in self.store.jobs.all()}
        limits = self.store.limits.slots()
        return difference(
            current, file_.jobs, prune, calendars, file_.calendars, limits, file_.limits
        )

    @checked
    def apply(self, file: str | os.PathLike[str], *, prune: bool = False) -> "Difference":
        """Make the jobs those of the file; with `prune`, remove all others.

        Raises DefinitionError, with all that is wrong in the file, and writes nothing then.
        """
        told = self.difference(file, prune=prune)
        self.carry_out(told)
        return told

    def carry_out(self, told: "Difference") -> None:
        """Apply a difference that was told before: in one step, or of more than 500 changes in
        steps of 500."""
        calendars = (*told.added_calendars, *(one.new for one in told.changed_calendars))
        changes = [
            *(Change(op="calendar", name=one.name, calendar=one) for one in calendars),
            *(Change(op="limit", name=one.name, slots=one.new) for one in told.changed_limits),
            *(Change(op="put", name=job.name, job=job) for job in told.added),
            *(Change(op="put", name=one.new.name, job=one.new) for one in told.changed),
            *(Change(op="remove", name=name) for name in told.removed),
            *(Change(op="calendar", name=name) for name in told.removed_calendars),
            *(Change(op="limit", name=name) for name in told.removed_limits),
        ]
        for start in range(0, len(changes), APPLY_BATCH):
            self.store.jobs.apply(changes[start : start + APPLY_BATCH])

    @checked
    def add_job(self, name: str, **fields: Any) -> JobRecord:
        """Define a new job, with the fields of a jobs file. Raises JobExistError, DefinitionError.

        >>> jober.add_job("nightly", command="backup", cron="0 3 * * *", roles=["db"])
        """
        from jober.job import Job

        calendars = self.store.calendars.all() if "exclude" in str(fields) else None
        job = Job.from_spec(name, fields, calendars)
        self.store.jobs.apply([Change(op="add", name=name, job=job)])
        return self.job(name)

    @checked
    def update_job(self, name: str, **fields: Any) -> JobRecord:
        """Change some fields of a job; None gives one its default back. Raises JobNotFound."""
        job = self.job(name).job
        if "exclude" in str(fields):
            job = type(job).from_spec(name, {**job.spec(), **fields}, self.store.calendars.all())
        else:
            job = job.replace(**fields)
        self.store.jobs.apply([Change(op="put", name=name, job=job)])
        return self.job(name)

    @checked
    def remove_job(self, name: str) -> None:
        """Remove a definition. What runs goes on, what waits is cancelled, and the history is
        kept a while. Raises JobNotFound."""
        if self.store.jobs.apply([Change(op="remove", name=name)]) == ["absent"]:
            raise JobNotFound(name, self.store.jobs.names(limit=1000))

    def jobs(self) -> Iterator[JobRecord]:
        """All jobs by name, read a page at a time."""
        return self.store.jobs.all()

    @checked
    def job(self, name: str) -> JobRecord:
        """One job. Raises JobNotFound."""
        return self.store.jobs.get(name)

    def definition_of(self, run: Run) -> "Job | None":
        """The definition that a run was made from; None where there is none, or no more."""
        if run.job is None or run.revision is None:
            return None
        return self.store.jobs.definition(run.job, run.revision)

    @checked
    def pause(self, name: str) -> bool:
        """The job fires no more until resumed, and a service is stopped; False where it was so.
        Raises JobNotFound."""
        return self.store.jobs.pause(name, True)

    @checked
    def resume(self, name: str) -> bool:
        """The job fires again, and catches up as it says; False where it was not paused."""
        return self.store.jobs.pause(name, False)

    @checked
    def service(self, name: str) -> Service | None:
        """How a service stands; None for a job that is none."""
        return next(iter(self.store.services.of([name])), None)
