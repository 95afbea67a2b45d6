"""Calendars: named sets of days, shared by the jobs that `exclude` them.

A day is one of the wall clock, in the zone of the job that asks. In a file, and in Redis:

    {"title": "Poland", "dates": ["2026-12-25", "2026-12-24..2027-01-01", "01-06", "12-24..12-31"]}

A date is one day, `a..b` all the days from a to b, and without a year they are of each year.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self

from jober.errors import DefinitionError, did_you_mean
from jober.schedule.day_set import EPOCH, DaySet, add_up, day_texts, read_days

DAYS_AT_MOST = 20_000
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")
# As `exclude` names them, Sunday first, as cron counts.
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WEEKDAY_NAMES = "sunday monday tuesday wednesday thursday friday saturday".split()
_KEYS = ("title", "dates")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A named set of days. Made by `from_spec`; equal by value, and hashable.

    One that is not `known` stands for a calendar that could not be read: it has no days.
    """

    name: str
    title: str | None = None
    days: DaySet = DaySet()
    known: bool = True

    @classmethod
    def from_spec(cls, name: str, spec: object) -> Self:
        """The calendar of what `spec()` tells, or of a list of dates alone.

        A DefinitionError names the calendar, the value and the mend. Dates may also be
        `datetime.date`s, as TOML and YAML have them; there may be 20,000 days at most.
        """
        check_calendar_name(name)
        if isinstance(spec, list | tuple):
            spec = {"dates": spec}
        if not isinstance(spec, Mapping):
            raise _refused(name, None, f"{spec!r} is not a table", spec, 'write dates = ["…"]')
        for key in spec:
            if key not in _KEYS:
                raise _unknown_key(name, key, spec[key])
        title, dates = spec.get("title"), spec.get("dates")
        if title is not None and not isinstance(title, str):
            raise _refused(name, "title", f"{title!r} is not text", title, 'title = "…"')
        if dates is not None and not isinstance(dates, list | tuple):
            mend = 'dates = ["2026-12-25", "12-25"]'
            raise _refused(name, "dates", f"{dates!r} is not a list of dates", dates, mend)
        return cls(name=name, title=title, days=_days(name, dates or ()))

    @classmethod
    def missing(cls, name: str) -> Self:
        """What stands for a calendar that is not known: without days, and told as such."""
        return cls(name=name, known=False)

    def spec(self) -> dict[str, Any]:
        """The calendar as JSON values, the same for the same days however they were written."""
        title = {} if self.title is None else {"title": self.title}
        return {**title, "dates": list(day_texts(self.days))}

    def __contains__(self, day: date) -> bool:
        """Whether the day is one of it; of a datetime, the day on its own wall clock."""
        return self.days.covers(day.toordinal() - EPOCH)


def check_calendar_name(name: object) -> str:
    """The name itself, or a DefinitionError."""
    if not isinstance(name, str) or not NAME.fullmatch(name) or weekday(name) is not None:
        raise DefinitionError(
            f"{name!r} is not the name of a calendar",
            field="calendars",
            value=name,
            mend="letters, digits, '-' and '_', a letter first, at most 100; no day of the week",
        )
    return name


def weekday(text: str) -> int | None:
    """`sun` or `Sunday` is 0, `sat` 6; None is no day of the week."""
    lower = text.strip().lower()
    for names in (WEEKDAYS, _WEEKDAY_NAMES):
        if lower in names:
            return names.index(lower)
    return None


def _days(name: str, dates: "list[object] | tuple[object, ...]") -> DaySet:
    found = []
    for place, item in enumerate(dates):
        try:
            found.append(read_days(_text(item)))
        except ValueError as error:
            mend = 'write "2026-12-25", "2026-12-24..2027-01-01", or "12-25" for each year'
            raise _refused(name, f"dates[{place}]", str(error), item, mend) from None
    days = add_up(found)
    if len(days) > DAYS_AT_MOST:
        raise _refused(
            name, "dates", f"it has {len(days):,} days", None, f"at most {DAYS_AT_MOST:,}"
        )
    if days.is_each_day:
        raise _refused(name, "dates", "it has each day of each year", None, "leave some out")
    return days


def _text(item: object) -> str:
    if isinstance(item, date) and not isinstance(item, datetime):
        return item.isoformat()
    if not isinstance(item, str):
        raise ValueError(f"{item!r} is not a date")
    return item


def _unknown_key(name: str, key: object, value: object) -> DefinitionError:
    if key == "file":
        return _refused(name, "file", "a file is read where a jobs file names it", value, "dates")
    known = (*_KEYS, "file")
    near = did_you_mean(str(key)[:100], known)
    mend = f"known are {', '.join(known)}"
    return _refused(name, str(key), f"'{key}' is not known in a calendar{near}", value, mend)


def _refused(name: str, key: str | None, problem: str, value: object, mend: str) -> DefinitionError:
    field = f"calendars.{name}.{key}" if key else f"calendars.{name}"
    return DefinitionError(problem, field=field, value=value, mend=mend)
