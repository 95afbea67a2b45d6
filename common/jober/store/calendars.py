"""Calendars in Redis: read here; APPLY writes them, together with the jobs that name them."""

import json

from jober.schedule import Calendar
from jober.store import keys
from jober.store.connection import Connection
from jober.store.fields import record


class CalendarStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def all(self) -> dict[str, Calendar]:
        """Every calendar, by name. One that cannot be read counts as not known."""
        found = record(self._redis.command("HGETALL", keys.CALENDARS))
        return {name: _calendar(name, spec) for name, spec in sorted(found.items())}


def _calendar(name: str, spec: bytes) -> Calendar:
    try:
        return Calendar.from_spec(name, json.loads(spec))
    except ValueError:
        return Calendar.missing(name)
