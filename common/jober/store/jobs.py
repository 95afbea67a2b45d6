"""Definitions in Redis: applied all together or not at all, and what is known of each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from jober.clock import iso
from jober.errors import (
    DefinitionError,
    JobExistError,
    JobInUse,
    JobNotFound,
    JobProtected,
    JobRunning,
    LimitInUse,
    LimitNotFound,
    LinkedJobNotFound,
    LinkToService,
    WorkflowLoop,
)
from jober.roles import DEFAULT_ROLE, priority_queue
from jober.schedule import Calendar
from jober.service import ServicePolicy
from jober.store import keys, rq
from jober.store.calendars import CalendarStore
from jober.store.connection import Connection
from jober.store.due_job import DueJob, due_job
from jober.store.fields import moment_ms, moment_text, number, packed, record
from jober.store.leases import KEEP_S

if TYPE_CHECKING:
    # Loaded where a definition is read or written: agents and most commands never do.
    from jober.backup import Standing
    from jober.job import Job

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
# RQ wants a time-out; this is what it is told where a job has none. Only RQ's tools read it.
RQ_TIMEOUT_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The state that a job is written with, where it comes from a backup; `missed` goes into its
    ledger, as fields."""

    standing: "Standing"
    missed: Mapping[str, str]

    def packed(self) -> dict[str, Any]:
        """As the script takes it."""
        standing = self.standing
        return {
            "revision": standing.revision,
            "cursor": standing.cursor_ms,
            "anchor": str(standing.anchor_ms),
            "paused": "1" if standing.paused else "0",
            "fires": str(standing.fires),
            "placed": " ".join(standing.placed),
            "created_at": moment_text(standing.created_at_ms),
            "updated_at": moment_text(standing.updated_at_ms),
            "missed": [text for pair in self.missed.items() for text in pair],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step of an apply. `add` fails where the job exists; `put` writes either way; `calendar`
    and `limit` write what they are given, or remove the one of that name where it is None. A job
    that is `restored` has that state, and fires from now on, never for the past.

    A protected job is changed or removed by `force` alone, but for a change that takes nothing
    but its protection away (`unprotects`). `unless` is of a removal: "running" refuses it while a
    run goes on (but for `force`), "not over" leaves a job that is not volatile and over.
    What is new fires as if it had been there `since_ms`: what was due since is caught up with."""

    op: Literal["add", "put", "remove", "calendar", "limit"]
    name: str
    job: "Job | None" = None
    calendar: Calendar | None = None
    slots: int | None = None
    restored: Restored | None = None
    force: bool = False
    unprotects: bool = False
    unless: Literal["running", "not over"] | None = None
    since_ms: int | None = None

    def packed(self) -> dict[str, Any]:
        """As the script takes it."""
        told: dict[str, Any] = {"op": self.op, "name": self.name}
        for flag in ("force", "unprotects", "unless", "since_ms"):
            if getattr(self, flag):
                told[flag] = getattr(self, flag)
        if self.op == "calendar":
            told["spec"] = json.dumps(self.calendar.spec()) if self.calendar else False
        elif self.op == "limit":
            told["slots"] = self.slots or False
        elif self.job:
            told["fields"] = job_fields(self.job)
            if self.restored:
                told["state"] = self.restored.packed()
        return told


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
    def __init__(self, connection: Connection, calendars: CalendarStore) -> None:
        self._redis = connection
        self._calendars = calendars

    def apply(self, changes: Sequence[Change]) -> list[str]:
        """Carry out all changes in one step; tells of each `added`, `changed`, `same`, `removed`,
        `absent`, `kept` or, of a calendar or a limit, `written`.

        Changes nothing, and raises JobExistError where an added job exists, JobProtected and
        JobRunning where one may not be changed or removed, LimitNotFound where a job names a limit
        that is not there, LimitInUse where one that is to go is named; and LinkedJobNotFound,
        JobInUse, LinkToService and WorkflowLoop, where what jobs say of one another does not fit
        together.
        """
        status, *told = self._redis.run(
            "apply",
            APPLY_KEYS,
            [
                packed([change.packed() for change in changes]),
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

    def those(self, names: Sequence[str]) -> dict[str, JobRecord]:
        """Of the jobs with these names, those that there are."""
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for name in names:
                pipeline.hgetall(keys.job(name))
            found = pipeline.execute()
        return {
            name: _record(name, record(fields))
            for name, fields in zip(names, found, strict=True)
            if fields
        }

    def all(self) -> Iterator[JobRecord]:
        """Every job, a page at a time."""
        after: str | None = None
        while page := self.page(after):
            yield from page
            after = page[-1].name

    def get(self, name: str) -> JobRecord:
        """One job. Raises JobNotFound, with a suggestion."""
        fields = record(self._redis.command("HGETALL", keys.job(name)))
        if not fields:
            raise JobNotFound(name, self.names(limit=1000))
        return self._in_calendars([_record(name, fields)])[0]

    def definition(self, name: str, revision: int) -> "Job | None":
        """The definition of a job at a revision; None where it is kept no more.

        A changed calendar makes a revision too, of the same definition.
        """
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=True)
            pipeline.hmget(keys.job(name), "revision", "spec")
            pipeline.hgetall(keys.former(name))
            (now, spec), former = pipeline.execute()
        specs = {int(at): text for at, text in former.items()}
        if spec is not None:
            specs[int(now)] = spec
        at = min((at for at in specs if at >= revision), default=None)
        return None if at is None else _job(name, specs[at])

    def due(self, until_ms: int, limit: int) -> tuple[int, list[DueJob]]:
        """The revision of the calendars, and the jobs that are due up to a moment, soonest
        first."""
        revision_of_calendars, found = self._redis.run(
            "due", [keys.DUE, keys.CALENDARS_REVISION], [until_ms, limit]
        )
        return int(revision_of_calendars), [due_job(*fields) for fields in found]

    def next_due_ms(self) -> int | None:
        """When the soonest job is due; None where none ever is."""
        with self._redis.guard():
            found: Any = self._redis.client.zrange(keys.DUE, 0, 0, withscores=True)
        return int(found[0][1]) if found else None

    def wait_for_change(self, wait_s: float) -> bool:
        """Wait until a definition or an agent changed, for at most `wait_s` seconds."""
        with self._redis.guard():
            return bool(self._redis.client.blpop([keys.WAKE], timeout=wait_s))


def fire_texts(job: "Job") -> tuple[str, str]:
    """The schedule and the policy of a job, as `FirePolicy.read` takes them; an empty schedule
    is one by hand only."""
    from jober.job import SCHEDULE_FIELDS

    spec = job.spec()
    schedule = {name: spec[name] for name in SCHEDULE_FIELDS if name in spec}
    policy: dict[str, Any] = {
        "queue": job.queue,
        "on": job.on,
        "prefer": job.prefer,
        "roles": " or ".join(job.roles) or DEFAULT_ROLE,
        **{name: getattr(job, name) for name in ("catch_up", "catch_up_limit")},
        **{name: spec[name] for name in ("catch_up_window", "max_fires") if name in spec},
    }
    return (
        json.dumps(schedule, sort_keys=True) if job.schedule else "",
        json.dumps(policy, sort_keys=True),
    )


def how_fields(job: "Job") -> dict[str, str]:
    """What a run keeps of how it is to be done."""
    timeout = str(max(1, round(job.timeout))) if job.timeout else str(RQ_TIMEOUT_S)
    return {"options": json.dumps(job.options(), sort_keys=True), "timeout": timeout}


def job_fields(job: "Job") -> dict[str, str | bytes]:
    """What Redis keeps of a definition: its text, and what the scripts need of it."""
    schedule, policy = fire_texts(job)
    return {
        "spec": job.to_json(),
        "schedule": schedule,
        "policy": policy,
        "queue": priority_queue(job.queue, job.priority),
        "data": job.payload(),
        **how_fields(job),
        "description": job.description,
        "overlap": job.overlap,
        "calendars": " ".join(job.calendars),
        "fleet_limit": str(job.fleet_limit or ""),
        "host_limit": str(job.host_limit or ""),
        "limits": ",".join(job.limits),
        "weight": str(job.weight),
        "priority": str(job.priority),
        "ahead": job.reserved,
        "service": _service_text(job),
        "expires": str(round(job.expires * 1000)) if job.expires else "",
        "keep_runs": str(job.keep_runs),
        "keep_s": str(max(1, round(job.keep_for))),
        "volatile": "1" if job.volatile else "",
        "protected": "1" if job.protected else "",
        "notify": "1" if job.notify else "",
        "waits": job.waits.to_json(),
        "before": ",".join(job.links.before),
        "on_success": ",".join(job.links.on_success),
        "on_failure": ",".join(job.links.on_failure),
        "noted": "1" if job.links.starts or job.fresh_for else "",
    }


def _service_text(job: "Job") -> str:
    """How a service is kept alive, as `ServicePolicy.read` takes it; empty for other jobs."""
    if not job.service:
        return ""
    policy = ServicePolicy(
        on=str(job.on),
        queue=job.queue,
        prefer=job.prefer,
        restart_delay_ms=round(job.restart_delay * 1000),
        restart_max_delay_ms=round(job.restart_max_delay * 1000),
        healthy_after_ms=round(job.healthy_after * 1000),
    )
    return policy.to_json()


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
    )
