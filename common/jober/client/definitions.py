"""The definitions of jobs: applied from a file, added, changed, removed, paused."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jober.client.access import Access
from jober.client.arguments import checked
from jober.client.told_job import read_call
from jober.errors import DefinitionError, JobNotFound, JobProtected, JobRevised
from jober.run import Run
from jober.service import Service
from jober.signing_errors import SigningError
from jober.store.changes import Change
from jober.store.jobs import JobRecord
from jober.workflow import Graph

if TYPE_CHECKING:
    # Loaded where a definition or a file of them is read: the checks and parsers take their time.
    from jober.job import Job
    from jober.jobs_file import Difference
    from jober.store.signer import Signer

# A script must not hold Redis up for long.
APPLY_BATCH = 500


class Definitions(Access):
    """What jobs there are."""

    @checked
    def difference(
        self,
        file: str | os.PathLike[str] | None = None,
        *,
        modules: Sequence[str] = (),
        prune: bool = False,
    ) -> "Difference":
        """What `apply` would do; changes nothing. Raises DefinitionError."""
        from jober.job import raise_any
        from jober.jobs_file import difference, joined, read_jobs, read_module, wrong_links

        calendars = self.store.calendars.all()
        found = [read_jobs(file, calendars)] if file is not None else []
        known = {**calendars, **found[0].calendars} if found else calendars
        found += [read_module(module, known) for module in modules]
        if not found:
            raise DefinitionError(
                "neither a file nor a module is named", field="file", mend="name one of them"
            )
        wanted = joined(found)
        current: dict[str, Job] = {}
        not_believed: set[str] = set()
        for record in self.store.jobs.all():
            current[record.name] = record.job
            if self.not_signed(record):
                not_believed.add(record.name)
        limits = self.store.limits.slots()
        kept = {name: job for name, job in current.items() if job.protected or not prune}
        raise_any(wrong_links({**kept, **{job.name: job for job in wanted.jobs}}, wanted))
        return difference(
            current,
            wanted.jobs,
            prune,
            calendars,
            wanted.calendars,
            limits,
            wanted.limits,
            not_believed,
        )

    @checked
    def apply(
        self,
        file: str | os.PathLike[str] | None = None,
        *,
        modules: Sequence[str] = (),
        prune: bool = False,
        force: bool = False,
    ) -> "Difference":
        """Make the jobs those of the file, and those that the modules declare by `@job`; with
        `prune`, remove all others, but for protected ones. By `force` protected jobs are changed,
        and pruned, too.

        Raises DefinitionError, with all that is wrong, and JobProtected; writes nothing then.
        """
        told = self.difference(file, modules=modules, prune=prune)
        self.carry_out(told, force=force)
        return told

    def carry_out(self, told: "Difference", *, force: bool = False) -> None:
        """Apply a difference that was told before: in one step, or of more than 500 changes in
        steps of 500; but all jobs that have to do with others are written in one."""
        protected = [one for one in told.changed if one.is_held_back]
        if protected and not force:
            raise JobProtected(protected[0].new.name)
        calendars = (*told.added_calendars, *(one.new for one in told.changed_calendars))
        removed = (*told.removed, *(told.protected if force else ()))
        puts = [
            *(Change(op="put", name=job.name, job=job) for job in told.added),
            *(_put(one.old, one.new, force) for one in told.changed),
            *(_put(job, job, True) for job in told.unsigned),
        ]
        linked = [change for change in puts if change.job and change.job.links.named]
        first = [
            *(Change(op="calendar", name=one.name, calendar=one) for one in calendars),
            *(Change(op="limit", name=one.name, slots=one.new) for one in told.changed_limits),
            *(change for change in puts if not (change.job and change.job.links.named)),
        ]
        last = [
            *(Change(op="remove", name=name, force=force) for name in removed),
            *(Change(op="calendar", name=name) for name in told.removed_calendars),
            *(Change(op="limit", name=name) for name in told.removed_limits),
        ]
        if len(first) + len(linked) + len(last) <= APPLY_BATCH:
            first, linked, last = [], [*first, *linked, *last], []
        for changes, size in ((first, APPLY_BATCH), (linked, len(linked)), (last, APPLY_BATCH)):
            for start in range(0, len(changes), size or 1):
                self.store.jobs.apply(changes[start : start + size])

    @checked
    def add_job(
        self,
        /,
        what: Any = None,
        conf: Any = None,  # a dict; what callers unpack into `fields` has any type
        *,
        name: Any = None,
        **fields: Any,
    ) -> JobRecord:
        """Define a new job. Raises JobExistError, DefinitionError.

        `what` is a function, a command (text or a list), `"module:function"` or `"./x.py"`; the job
        is called `name`, else as the function or the program is. Or all of it is in fields of a
        jobs file, and `what` is the name. Or it is the name, and `conf` a job in the dict form.

        >>> jober.add_job(reports.count, every=[1, "hour"], name="count")
        >>> jober.add_job("df -h", cron="0 3 * * *")
        >>> jober.add_job("nightly", command="backup", cron="0 3 * * *", roles=["db"])
        >>> jober.add_job("nightly", {"func": reports.count, "every": [1, "hour"]})
        """
        name, fields = read_call(what, conf, name, fields, self.home.local_fields)
        self.store.jobs.apply([Change(op="add", name=name, job=self.defined(name, fields))])
        return self.job(name)

    @checked
    def defined(self, name: str, fields: Mapping[str, Any]) -> "Job":
        """The definition of these fields, in the calendars that there are; nothing is written.
        Raises DefinitionError."""
        from jober.job import Job

        calendars = self.store.calendars.all() if "exclude" in str(fields) else None
        return Job.from_spec(name, fields, calendars)

    def redefined(self, job: "Job", fields: Mapping[str, Any]) -> "Job":
        """The same definition with other fields, as `update_job` makes it; nothing is written.
        Raises DefinitionError."""
        if "exclude" not in str(fields):
            return job.replace(**fields)
        spec = {**job.spec(), **fields}
        return type(job).from_spec(job.name, spec, self.store.calendars.all())

    @checked
    def put_job(
        self,
        name: str,
        fields: Mapping[str, Any],
        *,
        revision: int | None = None,
        force: bool = False,
    ) -> bool:
        """Make the definition of a job these fields, and no others; whether it is a new one.

        With `revision`, only where it is still of that one. Raises DefinitionError, JobRevised,
        and JobProtected as `update_job`.
        """
        job = self.defined(name, fields)
        known = self.store.jobs.those([name])
        unprotects = name in known and _unprotects(known[name].job, job)
        change = Change(
            op="put",
            name=name,
            job=job,
            force=force,
            unprotects=unprotects,
            if_revision=revision,
        )
        return self.store.jobs.apply([change]) == ["added"]

    @checked
    def update_job(
        self, /, name: str, *, revision: int | None = None, force: Any = False, **fields: Any
    ) -> JobRecord:
        """Change some fields of a job; None gives one its default back. With `revision`, only where
        it is still of that one; without, whatever it is by then: of two changes at once none is
        lost.

        Raises JobNotFound, DefinitionError, JobRevised, and JobProtected, but by `force` or where
        nothing but the protection is taken away.
        """
        while True:
            record = self.job(name)
            if self.store.signer:
                self.store.signer.check(name, record.fields)
            old = record.job
            job = self.redefined(old, fields)
            wanted = record.revision if revision is None else revision
            try:
                self.store.jobs.apply([_put(old, job, force, wanted)])
            except JobRevised:
                if revision is not None:
                    raise
                continue
            return self.job(name)

    @checked
    def remove_job(self, name: str, *, revision: int | None = None, force: bool = False) -> None:
        """Remove a definition; with `revision`, only where it is still of that one. What waits is
        cancelled, and the history is kept a while.

        Raises JobNotFound; JobRunning while a run of it goes on, JobProtected, and JobRevised. By
        `force` it is removed nevertheless, and what runs goes on.
        """
        change = Change(op="remove", name=name, force=force, unless="running", if_revision=revision)
        if self.store.jobs.apply([change]) == ["absent"]:
            raise JobNotFound(name, self.store.jobs.names(limit=1000))

    remove = remove_job

    def prune(self) -> list[str]:
        """Remove the volatile jobs that are over, as the leader does by and by; their names."""
        return self.store.jobs.prune()

    def jobs(self) -> Iterator[JobRecord]:
        """All jobs by name, read a page at a time."""
        return self.store.jobs.all()

    @checked
    def job(self, name: str) -> JobRecord:
        """One job. Raises JobNotFound."""
        return self.store.jobs.get(name)

    def graph(self) -> Graph:
        """Which jobs come before which."""
        return Graph({record.name: record.job.links for record in self.store.jobs.all()})

    def definition_of(self, run: Run) -> "Job | None":
        """The definition that a run was made from; None where there is none, or no more."""
        if run.job is None or run.revision is None:
            return None
        return self.store.former.at(run.job, run.revision)

    @checked
    def sign(self, jobs: Sequence[str | JobRecord]) -> list[str]:
        """Sign definitions by the key that signs here: those of these names as they are in Redis,
        or, of a record that was read and looked at, that one. The names of those that were signed.

        Raises JobNotFound, SigningError where there is no such key, and JobRevised where one is
        changed meanwhile.
        """
        self._sealing()
        records = [self.job(one) if isinstance(one, str) else one for one in jobs]
        changes = [
            Change(op="put", name=one.name, job=one.job, force=True, if_revision=one.revision)
            for one in records
        ]
        for start in range(0, len(changes), APPLY_BATCH):
            self.store.jobs.apply(changes[start : start + APPLY_BATCH])
        return [one.name for one in records]

    @checked
    def signed_by_others(
        self, signed_by: str | os.PathLike[str] | None = None
    ) -> tuple[list[JobRecord], dict[str, str]]:
        """The definitions that another key has signed, which is trusted here, or is in the file or
        folder `signed_by`: as `sign` takes them. And the names of those that nobody has signed,
        with what is wrong: whoever can write to Redis may have put them there.

        Raises SigningError where no key signs here.
        """
        signer = self._sealing()
        keyring = signer.trusting(os.fspath(signed_by) if signed_by is not None else None)
        found: list[JobRecord] = []
        others: dict[str, str] = {}
        for record in self.jobs():
            problem = keyring.problem(record.name, record.fields)
            if problem is not None:
                others[record.name] = problem
            elif not signer.is_own(record.fields):
                found.append(record)
        return found, others

    def not_signed(self, record: JobRecord) -> str | None:
        """Why a definition, as it was read, is not believed here; None where it is, and where
        nothing is signed here."""
        signer = self.store.signer
        if signer is None or not signer.seals:
            return None
        return signer.problem(record.name, record.fields)

    def _sealing(self) -> "Signer":
        """What signs definitions here. Raises SigningError."""
        signer = self.store.signer
        if signer is None or not signer.seals:
            raise SigningError("no key signs definitions here (name one: JOBER_SIGN_KEY=FILE)")
        return signer

    @checked
    def pause(self, name: str) -> bool:
        """The job fires no more until resumed, and a service is stopped; False where it was so.
        Raises JobNotFound."""
        return self.store.jobs.pause(name, True)

    @checked
    def resume(self, name: str) -> bool:
        """The job fires again, and catches up as it says; False where it was not paused."""
        return self.store.jobs.pause(name, False)

    # The same by the names that tools of one machine have for it.
    disable = pause
    enable = resume

    @checked
    def service(self, name: str) -> Service | None:
        """How a service stands; None for a job that is none."""
        return next(iter(self.store.services.of([name])), None)


def _put(old: "Job", new: "Job", force: bool, revision: int | None = None) -> Change:
    """The change of one job; where it takes nothing but the protection away, it says so."""
    return Change(
        op="put",
        name=new.name,
        job=new,
        force=force,
        unprotects=_unprotects(old, new),
        if_revision=revision,
    )


def _unprotects(old: "Job", new: "Job") -> bool:
    return old.protected and new == old.replace(protected=False)
