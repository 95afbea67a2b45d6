"""The calendars that jobs exclude."""

from collections.abc import Mapping, Sequence
from typing import Any

from jober.client.access import Access
from jober.client.arguments import checked
from jober.errors import CalendarNotFound
from jober.schedule import Calendar
from jober.store.changes import Change


class Calendars(Access):
    """Named sets of days."""

    def calendars(self) -> list[Calendar]:
        """All calendars, by name."""
        return list(self.store.calendars.all().values())

    @checked
    def calendar(self, name: str) -> Calendar:
        """One of them. Raises CalendarNotFound."""
        known = self.store.calendars.all()
        if name not in known:
            raise CalendarNotFound(name, known)
        return known[name]

    @checked
    def set_calendar(self, name: str, spec: Mapping[str, Any] | Sequence[Any]) -> Calendar:
        """Make the calendar this: a table with `dates` and a `title`, or the dates alone. The jobs
        that exclude it are planned anew. Raises DefinitionError.

        >>> jober.set_calendar("closed", ["2026-12-24..2027-01-01", "05-01"])
        """
        calendar = Calendar.from_spec(name, spec)
        self.store.jobs.apply([Change(op="calendar", name=name, calendar=calendar)])
        return calendar

    @checked
    def remove_calendar(self, name: str) -> None:
        """Remove a calendar. Raises CalendarNotFound, and CalendarInUse where a job names it."""
        self.calendar(name)
        self.store.jobs.apply([Change(op="calendar", name=name, unless="in use")])
