"""What a backup holds: one value for each kind of line, and its way into JSON and back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from jober.agent_info import HostOrders
from jober.backup.members import Members
from jober.errors import BackupError
from jober.ids import check_host_name, check_job_name
from jober.job import Job
from jober.limit import check_limit
from jober.roles import check_agent_roles
from jober.run import FINAL, NO_JOB, RunState
from jober.schedule import Calendar

_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")
_ENTRY_ID = re.compile(r"(\d{1,15})-(\d{1,9})")
_REVISION = re.compile(r"[1-9]\d{0,14}")
# Far more fields and attempts than a run of ours has: a script takes so many at once.
_PARTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    calendar: Calendar

    def to_dict(self) -> dict[str, Any]:
        return {"calendar": self.calendar.name, "spec": self.calendar.spec()}

    @classmethod
    def read(cls, told: Members) -> Self:
        return cls(calendar=Calendar.from_spec(told.text("calendar"), told.table("spec")))


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitEntry:
    name: str
    slots: int

    def to_dict(self) -> dict[str, Any]:
        return {"limit": self.name, "slots": self.slots}

    @classmethod
    def read(cls, told: Members) -> Self:
        name, slots = check_limit(told.text("limit"), told.whole("slots"))
        return cls(name=name, slots=slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEntry:
    """What is ordered of a host."""

    host: str
    orders: HostOrders

    def to_dict(self) -> dict[str, Any]:
        roles = None if self.orders.roles is None else sorted(self.orders.roles)
        return {"host": self.host, "cordoned": self.orders.cordoned, "roles": roles}

    @classmethod
    def read(cls, told: Members) -> Self:
        roles = None if told.is_null("roles") else check_agent_roles(told.texts("roles"))
        orders = HostOrders(cordoned=told.flag("cordoned"), roles=roles)
        return cls(host=check_host_name(told.text("host")), orders=orders)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a job has been scheduled; the fields are those of `jober:job:<name>`."""

    revision: int
    paused: bool
    cursor_ms: int
    anchor_ms: int
    fires: int
    placed: tuple[str, ...]
    created_at_ms: int
    updated_at_ms: int

    def to_dict(self) -> dict[str, Any]:
        return {
            "revision": self.revision,
            "paused": self.paused,
            "cursor_ms": self.cursor_ms,
            "anchor_ms": self.anchor_ms,
            "fires": self.fires,
            "placed": list(self.placed),
            "created_at_ms": self.created_at_ms,
            "updated_at_ms": self.updated_at_ms,
        }

    @classmethod
    def read(cls, told: Members) -> Self:
        return cls(
            revision=told.whole("revision"),
            paused=told.flag("paused"),
            cursor_ms=told.moment("cursor_ms"),
            anchor_ms=told.moment("anchor_ms"),
            fires=told.whole("fires"),
            placed=tuple(check_host_name(host) for host in told.texts("placed")),
            created_at_ms=told.moment("created_at_ms"),
            updated_at_ms=told.moment("updated_at_ms"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEntry:
    """A job, and with history its former definitions by revision, and its ledger, oldest first:
    the id of each decision, and its fields. `seals` are of its definition, and of what cleans up,
    where they were signed."""

    name: str
    definition: Mapping[str, Any]
    standing: Standing
    former: Mapping[int, Mapping[str, Any]]
    ledger: tuple[tuple[str, Mapping[str, str]], ...]
    seals: Mapping[str, str] = field(default_factory=dict)

    def job(self) -> Job:
        """The definition, checked. Raises DefinitionError. (A calendar that it names may be
        missing: it counts as one without days then, as everywhere.)"""
        return Job.from_spec(self.name, self.definition)

    def to_dict(self) -> dict[str, Any]:
        return {
            "job": self.name,
            "definition": self.definition,
            "state": self.standing.to_dict(),
            "former": {str(revision): spec for revision, spec in self.former.items()},
            "ledger": [{"id": id, **fields} for id, fields in self.ledger],
            **({"seals": dict(self.seals)} if self.seals else {}),
        }

    @classmethod
    def read(cls, told: Members) -> Self:
        state = Members(told.table("state"), "state")
        standing = Standing.read(state)
        state.end()
        former: dict[int, Mapping[str, Any]] = {}
        for revision, spec in told.table("former").items():
            if not _REVISION.fullmatch(revision) or not isinstance(spec, dict):
                raise BackupError(f"former: '{revision}' is not a revision with its definition")
            former[int(revision)] = spec
        ledger: list[tuple[str, Mapping[str, str]]] = []
        last = (0, 0)
        for decision in told.tables("ledger"):
            fields = Members(decision, "ledger").all_text()
            found = _ENTRY_ID.fullmatch(fields.pop("id", ""))
            at = (int(found[1]), int(found[2])) if found else last
            if found is None or at <= last or not 0 < len(fields) <= _PARTS:
                raise BackupError("ledger: its decisions have no ids, or not in order")
            last = at
            ledger.append((found[0], fields))
        seals = Members(told.table_or_none("seals"), "seals").all_text()
        return cls(
            name=check_job_name(told.text("job")),
            definition=told.table("definition"),
            standing=standing,
            former=former,
            ledger=tuple(ledger),
            seals=seals,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEntry:
    """A run that has ended: the fields of `rq:job:<run>`, and the earlier attempts, each as JSON.
    What was not UTF-8 is text by `surrogateescape`."""

    id: str
    made_at_ms: int
    record: Mapping[str, str]
    attempts: tuple[str, ...]

    @property
    def job(self) -> str:
        return self.record["job"]

    @property
    def state(self) -> RunState:
        return RunState(self.record["state"])

    def to_dict(self) -> dict[str, Any]:
        return {
            "run": self.id,
            "made_at_ms": self.made_at_ms,
            "record": self.record,
            "attempts": list(self.attempts),
        }

    @classmethod
    def read(cls, told: Members) -> Self:
        id = told.text("run")
        if not _RUN_ID.fullmatch(id):
            raise BackupError(f"'{id[:100]}' is not the id of a run")
        record = Members(told.table("record"), "record").all_text()
        if record.get("state") not in FINAL:
            raise BackupError(f"record: state: '{record.get('state')}' is not the end of a run")
        if not record.get("ended_at") or not record.get("origin"):
            raise BackupError("record: it needs ended_at and origin")
        if record.get("job") != NO_JOB:
            check_job_name(record.get("job", ""))
        attempts = told.texts("attempts")
        if max(len(record), len(attempts)) > _PARTS:
            raise BackupError(f"run {id}: it has more than {_PARTS} fields, or attempts")
        return cls(
            id=id,
            made_at_ms=told.moment("made_at_ms"),
            record=record,
            attempts=tuple(attempts),
        )


Entry = CalendarEntry | LimitEntry | HostEntry | JobEntry | RunEntry

# By the first member of its line, which is its name.
KINDS: dict[str, type[Entry]] = {
    "calendar": CalendarEntry,
    "limit": LimitEntry,
    "host": HostEntry,
    "job": JobEntry,
    "run": RunEntry,
}
