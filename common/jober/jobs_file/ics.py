"""iCalendar (RFC 5545): the days that the events of an .ics file fall on.

- An event covers each day that it touches on its own wall clock (that of its TZID, or UTC); an
  end at midnight touches no further day, and one without an end or duration covers one.
- A recurring event (RRULE, RDATE, EXDATE, single occurrences moved or cancelled) is expanded
  from its start, and no earlier than 2000, to the end of 2099: a span that does not hang on
  when the file is read, so that reading it again changes nothing.
- A cancelled event has no days. To-dos, journals and alarms have none either.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

FIRST_YEAR, LAST_YEAR = 2000, 2099
_UNTIL = datetime(LAST_YEAR, 12, 31, 23, 59, 59)  # noqa: DTZ001
_EVENTS_AT_MOST = 20_000
_OCCURRENCES_AT_MOST = 40_000
_READ = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_DAY = timedelta(days=1)


def read_ics(data: bytes) -> list[str]:
    """The days of an .ics file, each as the dates of a calendar are written: `2026-12-25`, or
    `2026-12-24..2027-01-01`. ValueError says what is wrong."""
    from icalendar import Calendar  # its parsers take a tenth of a second to load

    try:
        calendars = Calendar.from_ical(data, multiple=True)
    except (ValueError, IndexError, KeyError, AttributeError) as error:
        raise ValueError(f"it is not iCalendar: {_line(error)}") from None
    except OSError as error:
        # A folder of the time zone database has been opened as its file.
        folder = str(error.filename).partition("zoneinfo/")[2]
        raise ValueError(f"a TZID in it, {folder!r}, is not a time zone") from None
    events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    if not calendars or any(calendar.name != "VCALENDAR" for calendar in calendars):
        raise ValueError("it is not iCalendar: no VCALENDAR is in it")
    if len(events) > _EVENTS_AT_MOST:
        raise ValueError(f"it has {len(events):,} events: at most {_EVENTS_AT_MOST:,} are read")
    changed = _changed(events)
    found: list[str] = []
    for event in events:
        try:
            found += _days(event, changed.get(str(event.get("UID")), set()))
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
            told = str(event.get("SUMMARY") or event.get("UID") or "without a name")[:60]
            raise ValueError(f"its event {told!r}: {_line(error)}") from None
        if len(found) > _OCCURRENCES_AT_MOST:
            raise ValueError(f"its events recur more than {_OCCURRENCES_AT_MOST:,} times in all")
    return found


def _changed(events: list[Any]) -> dict[str, set[datetime]]:
    """For each UID, the occurrences that have an event of their own."""
    found: dict[str, set[datetime]] = {}
    for event in events:
        instead = getattr(event.get("RECURRENCE-ID"), "dt", None)
        if instead is not None:
            found.setdefault(str(event.get("UID")), set()).add(_wall(instead))
    return found


def _days(event: Any, changed: set[datetime]) -> Iterator[str]:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return
    for name, problem in event.errors:
        if name in _READ:
            raise ValueError(f"its {name} cannot be read: {problem}")
    if event.get("DTSTART") is None:
        raise ValueError("it has no DTSTART")
    for name in ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID"):
        if isinstance(event.get(name), list):
            raise ValueError(f"it has more than one {name}")
    start = event["DTSTART"].dt
    begin = _wall(start)
    length = _length(event, start)
    recurs = any(event.get(name) is not None for name in ("RRULE", "RDATE"))
    if not recurs or event.get("RECURRENCE-ID") is not None:
        yield _range(begin, length)
        return
    for occurrence in _occurrences(event, start, begin):
        if occurrence not in changed:
            yield _range(occurrence, length)


def _occurrences(event: Any, start: date, begin: datetime) -> list[datetime]:
    """When a recurring event begins, on its own wall clock."""
    from dateutil.rrule import rrulestr

    found = {begin}
    for rule in _listed(event.get("RRULE")):
        frequency = str(_first(rule.get("FREQ"))).upper()
        if frequency not in _FREQUENCIES:
            told = rule.to_ical().decode()
            raise ValueError(f"its RRULE is {told!r}; FREQ is one of {', '.join(_FREQUENCIES)}")
        rule = rule.copy()
        until = _first(rule.pop("UNTIL", None))
        if until is not None and isinstance(until, datetime) and until.tzinfo is not None:
            # RFC 5545 has it in UTC: as the event's own clock shows it.
            zone = start.tzinfo if isinstance(start, datetime) else None
            until = until.astimezone(zone) if zone is not None else until
        last = _UNTIL if until is None else min(_end_of(until), _UNTIL)
        rule["UNTIL"] = last
        count = _first(rule.pop("COUNT", None))
        found.update(islice(rrulestr(rule.to_ical().decode(), dtstart=begin), count))
    found.update(_moments(event.get("RDATE")))
    found.difference_update(_moments(event.get("EXDATE")))
    return sorted(one for one in found if FIRST_YEAR <= one.year <= LAST_YEAR)


def _moments(value: Any) -> Iterator[datetime]:
    """The moments of RDATE or EXDATE; of a period, its start."""
    for dates in _listed(value):
        for one in dates.dts:
            yield _wall(one.dt[0] if isinstance(one.dt, tuple) else one.dt)


def _length(event: Any, start: date) -> timedelta:
    if event.get("DTEND") is not None:
        return _wall(event["DTEND"].dt) - _wall(start)
    if event.get("DURATION") is not None:
        duration: timedelta = event["DURATION"].dt
        return duration
    return timedelta(0)


def _range(begin: datetime, length: timedelta) -> str:
    """The days that an event of this length touches; one at least."""
    end = begin + max(length, timedelta(0))
    first = begin.date()
    last = end.date() - _DAY if end.time() == time.min and end.date() > first else end.date()
    return f"{first}..{last}" if last > first else str(first)


def _wall(moment: date) -> datetime:
    """A date, or a moment on its own clock, as a naive datetime."""
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=None)
    if not isinstance(moment, date):
        raise ValueError(f"{moment!r} is not a date")
    return datetime.combine(moment, time.min)


def _end_of(until: date) -> datetime:
    if isinstance(until, datetime):
        return until.replace(tzinfo=None)
    return datetime.combine(until, time(23, 59, 59))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:200]
