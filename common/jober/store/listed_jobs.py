"""Jobs as a list shows them: what one line of it tells, without the checks of whole definitions.

Nothing of `jober.job` is loaded for it, which takes as long as all the rest of `jober jobs`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jober.fire import Calendars, FirePolicy
from jober.store import keys
from jober.store.calendars import CalendarStore
from jober.store.connection import Connection
from jober.store.fields import number

PAGE = 500
_FIELDS = ("schedule", "policy", "service", "paused", "next")


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

    def all(self) -> Iterator[ListedJob]:
        """Every job by name, read a page at a time. Raises ScheduleError."""
        calendars: Calendars | None = None
        start = "-"
        while names := self._names(start):
            found = self._fields(names)
            if calendars is None and any(b'"exclude"' in (texts[0] or b"") for texts in found):
                calendars = Calendars(0, self._calendars.all())
            for name, texts in zip(names, found, strict=True):
                if texts[1] is not None:  # else it has been removed meanwhile
                    fields = dict(zip(_FIELDS, texts, strict=True))
                    yield _listed(name.decode(), fields, calendars)
            start = f"({names[-1].decode()}"

    def _names(self, start: str) -> list[bytes]:
        names: list[bytes] = self._redis.command(
            "ZRANGEBYLEX", keys.JOBS, start, "+", "LIMIT", 0, PAGE
        )
        return names

    def _fields(self, names: Sequence[bytes]) -> list[list[bytes | None]]:
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for name in names:
                pipeline.hmget(keys.job(name.decode()), *_FIELDS)
            found: list[list[bytes | None]] = pipeline.execute()
        return found


def _listed(
    name: str, fields: Mapping[str, bytes | None], calendars: Calendars | None
) -> ListedJob:
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
