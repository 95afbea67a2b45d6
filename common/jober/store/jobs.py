"""Definitions in Redis: applied all together or not at all, and what is known of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from jober.clock import iso
from jober.errors import (
    CalendarInUse,
    DefinitionError,
    JobExistError,
    JobInUse,
    JobNotFound,
    JobProtected,
    JobRevised,
    JobRunning,
    LimitInUse,
    LimitNotFound,
    LinkedJobNotFound,
    LinkToService,
    NewerSchema,
    WorkflowLoop,
)
from jober.record_errors import JobUnreadable
from jober.schedule import Calendar
from jober.schema import check_schema
from jober.store import keys, rq
from jober.store.calendars import CalendarStore
from jober.store.changes import Change
from jober.store.connection import Connection
from jober.store.due_job import DueJob, due_job
from jober.store.fields import moment_ms, number, packed, record
from jober.store.later_job import LaterJob
from jober.store.leases import KEEP_S
from jober.store.unreadable import Unreadable

if TYPE_CHECKING:
    # Loaded where a definition is read or written: agents and most commands never do.
    from jober.job import Job
    from jober.store.signer import Signer

PAGE = 500
# The keys of the script APPLY, in its order.
APPLY_KEYS = (
    keys.JOBS,
    keys.DUE,
    keys.WAKE,
    keys.WAITING,
    keys.CALENDARS,
    keys.CALENDARS_REVISION,
    keys.LIMITS,
    keys.SERVICES,
    keys.VOLATILE,
    keys.OVERFULL,
)
# How long the history of a removed job is kept.
REMOVED_KEPT_MS = 7 * 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job as Redis has it. Moments are milliseconds since the epoch.

    `cursor_ms` is the last fire that was decided on; `floor_ms` is when the schedule was last
    changed: fires up to either never fire again. Intervals count from `anchor_ms`. `next_ms` is
    what the leader planned; `fires` counts those that made a run. With `prefer = "spread"`,
    `placed` are the hosts that it ran on, the latest last.
    """

    job: "Job"
    revision: int
    paused: bool
    cursor_ms: int
    floor_ms: int
    anchor_ms: int
    next_ms: int | None
    fires: int
    created_at_ms: int | None
    updated_at_ms: int | None
    placed: tuple[str, ...] = ()
    # All that Redis keeps of it, for whoever has to know that it is as it was signed.
    fields: Mapping[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        return self.job.name

    def to_dict(self) -> dict[str, Any]:
        """The stable names that scripts rely on (`--json`)."""
        return {
            "name": self.name,
            "job": self.name,
            "state": "paused" if self.paused else "active",
            "schedule": self.job.schedule_text,
            "timezone": self.job.timezone,
            "roles": list(self.job.roles),
            "on": self.job.on,
            "next": iso(self.next_ms),
            "last_decided": iso(self.cursor_ms),
            "fires": self.fires,
            "revision": self.revision,
            "created_at": iso(self.created_at_ms),
            "updated_at": iso(self.updated_at_ms),
            "description": self.job.description,
            "definition": self.job.spec(),
        }


class JobStore:
    def __init__(
        self, connection: Connection, calendars: CalendarStore, signer: "Signer | None" = None
    ) -> None:
        self._redis = connection
        self._calendars = calendars
        self._signer = signer
        self._unreadable = Unreadable("job")

    def apply(self, changes: Sequence[Change]) -> list[str]:
        """Carry out all changes in one step; tells of each `added`, `changed`, `same`, `removed`,
        `absent`, `kept` or, of a calendar or a limit, `written`.

        Changes nothing, and raises JobExistError where an added job exists, JobProtected and
        JobRunning where one may not be changed or removed, JobRevised where it is of another
        revision than it has to be, LimitNotFound where a job names a limit that is not there,
        LimitInUse and CalendarInUse where one that is to go is named; and LinkedJobNotFound,
        JobInUse, LinkToService and WorkflowLoop, where what jobs say of one another does not fit
        together.
        """
        written = [change.packed() for change in changes]
        if self._signer is not None:
            self._signer.seal_all(
                [one for one in written if "fields" in one and "state" not in one]
            )
        status, *told = self._redis.run(
            "apply",
            APPLY_KEYS,
            [
                packed(written),
                REMOVED_KEPT_MS,
                KEEP_S,
                rq.traceback_payload("cancelled: its job was removed"),
            ],
        )
        match status:
            case b"exists":
                raise JobExistError(told[0].decode())
            case b"protected":
                raise JobProtected(told[0].decode())
            case b"running":
                raise JobRunning(*(text.decode() for text in told))
            case b"revised":
                name, revision = (text.decode() for text in told)
                raise JobRevised(name, int(revision) if revision else None)
            case b"calendar in use":
                raise CalendarInUse(*(text.decode() for text in told))
            case b"no limit":
                job, limit = (text.decode() for text in told)
                known = record(self._redis.command("HGETALL", keys.LIMITS))
                raise LimitNotFound(limit, job, known)
            case b"limit in use":
                limit, job = (text.decode() for text in told)
                raise LimitInUse(limit, job)
            case b"no job":
                job, needed = (text.decode() for text in told)
                raise LinkedJobNotFound(job, needed, self.names(limit=1000))
            case b"job in use":
                raise JobInUse(*(text.decode() for text in told))
            case b"service":
                raise LinkToService(*(text.decode() for text in told))
            case b"loop":
                raise WorkflowLoop([text.decode() for text in told])
        return [done.decode() for done in told[0]]

    def pause(self, name: str, paused: bool) -> bool:
        """Pause or resume; False where it was so already. Raises JobNotFound."""
        reply = self._redis.run(
            "pause",
            [keys.job(name), keys.DUE, keys.WAKE],
            [
                name,
                "1" if paused else "0",
                KEEP_S,
                rq.traceback_payload("cancelled: its job was paused"),
            ],
        )
        if reply < 0:
            raise JobNotFound(name, self.names(limit=1000))
        return bool(reply)

    def prune(self) -> list[str]:
        """Remove the volatile jobs that are over; their names."""
        found = self._redis.run("over", [keys.VOLATILE, keys.DUE, keys.WAITING], [])
        names = sorted(name.decode() for name in found)
        told: list[str] = []
        for start in range(0, len(names), PAGE):
            told += self.apply(
                [
                    Change(op="remove", name=name, force=True, unless="not over")
                    for name in names[start : start + PAGE]
                ]
            )
        return [name for name, done in zip(names, told, strict=True) if done == "removed"]

    def names(self, after: str | None = None, limit: int = PAGE) -> list[str]:
        """A page of names in alphabetical order, those after `after`."""
        start = f"({after}" if after is not None else "-"
        found = self._redis.command("ZRANGEBYLEX", keys.JOBS, start, "+", "LIMIT", 0, limit)
        return [name.decode() for name in found]

    def cursors(self) -> dict[str, int]:
        """The last fire that was decided on of every job (ms), by name."""
        found: dict[str, int] = {}
        after: str | None = None
        while names := self.names(after):
            with self._redis.guard():
                pipeline = self._redis.client.pipeline(transaction=False)
                for name in names:
                    pipeline.hget(keys.job(name), "cursor")
                cursors = pipeline.execute()
            found |= {name: int(at) for name, at in zip(names, cursors, strict=True) if at}
            after = names[-1]
        return found

    def count(self) -> int:
        return int(self._redis.command("ZCARD", keys.JOBS))

    def page(self, after: str | None = None, limit: int = PAGE) -> list[JobRecord]:
        """A page of jobs in alphabetical order, those after `after`."""
        return self.listed(self.names(after, limit))

    def listed(self, names: Sequence[str]) -> list[JobRecord]:
        """The jobs with these names, in their calendars; those that are gone are left out."""
        return self._in_calendars(list(self.those(names).values()))

    def _in_calendars(self, records: Sequence[JobRecord]) -> list[JobRecord]:
        """The same records, with the calendars that their jobs name, read only where some do."""
        if not any(record.job.calendars for record in records):
            return list(records)
        calendars = self._calendars.all()
        return [_in_calendars(record, calendars) for record in records]

    def readable(self, names: Sequence[str]) -> tuple[list[JobRecord], list[LaterJob]]:
        """The jobs with these names, for lists: as `listed`, and beside them those that a later
        jober has written. What cannot be read at all is passed over."""
        records: list[JobRecord] = []
        later: list[LaterJob] = []
        for name, fields in self._read(names).items():
            try:
                records.append(_record(name, fields))
            except NewerSchema as error:
                later.append(LaterJob(name=name, schema=error.found))
            except (DefinitionError, JobUnreadable) as error:
                self._unreadable.tell(name.encode(), error)
        return self._in_calendars(records), later

    def those(self, names: Sequence[str]) -> dict[str, JobRecord]:
        """Of the jobs with these names, those that there are. Raises NewerSchema."""
        return {name: _record(name, fields) for name, fields in self._read(names).items()}

    def _read(self, names: Sequence[str]) -> dict[str, dict[str, bytes]]:
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for name in names:
                pipeline.hgetall(keys.job(name))
            found = pipeline.execute()
        return {name: record(fields) for name, fields in zip(names, found, strict=True) if fields}

    def all(self) -> Iterator[JobRecord]:
        """Every job, a page at a time. Raises NewerSchema."""
        after: str | None = None
        while page := self.page(after):
            yield from page
            after = page[-1].name

    def all_readable(self) -> Iterator[JobRecord | LaterJob]:
        """Every job by name, a page at a time, as `readable` tells them."""
        after: str | None = None
        while names := self.names(after):
            records, later = self.readable(names)
            page: list[JobRecord | LaterJob] = [*records, *later]
            yield from sorted(page, key=lambda one: one.name)
            after = names[-1]

    def get(self, name: str) -> JobRecord:
        """One job. Raises JobNotFound, with a suggestion."""
        fields = record(self._redis.command("HGETALL", keys.job(name)))
        if not fields:
            raise JobNotFound(name, self.names(limit=1000))
        return self._in_calendars([_record(name, fields)])[0]

    def due(self, until_ms: int, limit: int) -> tuple[int, list[DueJob]]:
        """The revision of the calendars, and the jobs that are due up to a moment, soonest
        first."""
        revision_of_calendars, found = self._redis.run(
            "due", [keys.DUE, keys.CALENDARS_REVISION], [until_ms, limit]
        )
        return int(revision_of_calendars), self._unreadable.passed_over(due_job, found)

    def wait_for_change(self, wait_s: float) -> bool:
        """Wait until a definition or an agent changed, for at most `wait_s` seconds."""
        with self._redis.guard():
            return bool(self._redis.client.blpop([keys.WAKE], timeout=wait_s))


def _in_calendars(record: JobRecord, calendars: Mapping[str, Calendar]) -> JobRecord:
    if not record.job.calendars:
        return record
    try:
        return replace(record, job=record.job.with_calendars(calendars))
    except DefinitionError:
        # They leave it no day at all by now. It can still be shown, and mended.
        return record


def _job(name: str, spec: bytes) -> "Job":
    from jober.job import Job

    return Job.from_json(name, spec)


def _record(name: str, fields: dict[str, bytes]) -> JobRecord:
    """Raises NewerSchema, JobUnreadable, DefinitionError."""
    check_schema(f"job '{name}'", fields.get("schema"))
    try:
        return JobRecord(
            job=_job(name, fields["spec"]),
            revision=int(fields["revision"]),
            paused=fields.get("paused") == b"1",
            cursor_ms=int(fields["cursor"]),
            floor_ms=int(fields["floor"]),
            anchor_ms=int(fields["anchor"]),
            next_ms=number(fields.get("next")),
            fires=number(fields.get("fires")) or 0,
            created_at_ms=moment_ms(fields.get("created_at")),
            updated_at_ms=moment_ms(fields.get("updated_at")),
            placed=tuple(fields.get("placed", b"").decode().split()),
            fields=fields,
        )
    except KeyError as error:
        raise JobUnreadable(name, f"its {error.args[0]} is missing") from None
    except ValueError as error:
        raise JobUnreadable(name, str(error)) from None
