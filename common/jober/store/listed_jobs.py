"""Jobs as a list shows them: what one line of it tells, without the checks of whole definitions.

Nothing of `jober.job` is loaded for it, which takes as long as all the rest of `jober jobs`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from jober.errors import NewerSchema
from jober.fire import Calendars, FirePolicy
from jober.schema import check_schema
from jober.signing_errors import SigningError
from jober.store import keys
from jober.store.calendars import CalendarStore
from jober.store.connection import Connection
from jober.store.fields import number
from jober.store.later_job import LaterJob
from jober.store.unreadable import Unreadable

if TYPE_CHECKING:
    from jober.doctor import CheckedJob

T = TypeVar("T")
C = TypeVar("C")
Fields = Mapping[str, bytes | None]

PAGE = 500
_FIELDS = ("schema", "schedule", "policy", "service", "paused", "next")
_CHECKED = ("schema", "schedule", "policy", "service", "paused", "anchor", "calendars", "seal")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedJob:
    """One job. `schedule` is in words, None for by hand only; `roles` as a reason tells them."""

    name: str
    schedule: str | None
    roles: str
    on: str | int
    is_service: bool
    paused: bool
    next_ms: int | None


class ListedJobStore:
    def __init__(self, connection: Connection, calendars: CalendarStore) -> None:
        self._redis = connection
        self._calendars = calendars
        self._unreadable = Unreadable("job")

    def all(self) -> Iterator[ListedJob | LaterJob]:
        """Every job by name, read a page at a time. Raises ScheduleError."""
        calendars: Calendars | None = None
        for page in self._pages(_FIELDS):
            if calendars is None and any(
                b'"exclude"' in (one["schedule"] or b"") for _, one in page
            ):
                calendars = Calendars(0, self._calendars.all())
            yield from self._unreadable.passed_over(partial(_or_later, _listed, calendars), page)

    def checked(self) -> "Iterator[CheckedJob | LaterJob]":
        """Every job by name, as a diagnosis looks at it; services are left out. Raises
        ScheduleError."""
        calendars = Calendars(0, self._calendars.all())
        for page in self._pages(_CHECKED):
            jobs = [(name, fields) for name, fields in page if not fields["service"]]
            yield from self._unreadable.passed_over(partial(_or_later, _checked, calendars), jobs)

    def _pages(self, wanted: Sequence[str]) -> Iterator[list[tuple[bytes, Fields]]]:
        """Those fields of every job, by name; one that is removed meanwhile is left out."""
        start = "-"
        while names := self._names(start):
            found = [
                (name, dict(zip(wanted, texts, strict=True)))
                for name, texts in zip(names, self._fields(names, wanted), strict=True)
            ]
            yield [(name, fields) for name, fields in found if fields["policy"] is not None]
            start = f"({names[-1].decode()}"

    def _names(self, start: str) -> list[bytes]:
        names: list[bytes] = self._redis.command(
            "ZRANGEBYLEX", keys.JOBS, start, "+", "LIMIT", 0, PAGE
        )
        return names

    def _fields(self, names: Sequence[bytes], wanted: Sequence[str]) -> list[list[bytes | None]]:
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for name in names:
                pipeline.hmget(keys.job(name.decode()), *wanted)
            found: list[list[bytes | None]] = pipeline.execute()
        return found


def _or_later(
    read: Callable[[str, Fields, C], T], calendars: C, name: bytes, fields: Fields
) -> T | LaterJob:
    """The job as it is read, or that a later jober has written it."""
    try:
        return read(name.decode(), fields, calendars)
    except NewerSchema as error:
        return LaterJob(name=name.decode(), schema=error.found)


def _listed(name: str, fields: Fields, calendars: Calendars | None) -> ListedJob:
    check_schema(f"job '{name}'", fields["schema"])
    schedule, told = ((fields[field] or b"").decode() for field in ("schedule", "policy"))
    policy = FirePolicy.read(name, schedule, told, calendars)
    return ListedJob(
        name=name,
        schedule=policy.schedule.describe() if policy.schedule else None,
        roles=policy.roles,
        on=policy.on,
        is_service=bool(fields["service"]),
        paused=fields["paused"] == b"1",
        next_ms=number(fields["next"]),
    )


def _checked(name: str, fields: Fields, calendars: Calendars) -> "CheckedJob":
    from jober.doctor import CheckedJob

    check_schema(f"job '{name}'", fields["schema"])
    schedule, told = ((fields[field] or b"").decode() for field in ("schedule", "policy"))
    named = (fields["calendars"] or b"").decode().split()
    return CheckedJob(
        name=name,
        policy=FirePolicy.read(name, schedule, told, calendars),
        paused=fields["paused"] == b"1",
        anchor_ms=number(fields["anchor"]) or 0,
        calendars_missing=tuple(one for one in named if one not in calendars.by_name),
        sealed_by=_sealed_by(fields["seal"]),
    )


def _sealed_by(seal: bytes | None) -> str:
    """The id of the key of a seal; empty where there is none, or none that can be read."""
    if not seal:
        return ""
    from jober.signing import Seal  # here: a list of jobs needs none of it

    try:
        return Seal.read(seal.decode("utf-8", "replace")).key
    except SigningError:
        return ""
