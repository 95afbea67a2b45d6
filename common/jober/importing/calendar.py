"""Calendar events of systemd.time(7), as the schedules that say the same.

`Mon..Fri *-*-1..7 08,18:00/15:30 Europe/Warsaw`: weekdays, date, time and zone, each of which
may be left out. Every part is read into the set of its values; the sets are written as cron,
with `start` and `end` where there is a year. systemd wants weekday *and* date, cron wants
*either* unless one of the two begins with `*`: see `_day_fields`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from jober.errors import DefinitionError
from jober.schedule.zone import zone

_SHORTHANDS = {
    "minutely": "*-*-* *:*:00",
    "hourly": "*-*-* *:00:00",
    "daily": "*-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    **dict.fromkeys(("yearly", "annually", "anually"), "*-01-01 00:00:00"),
    "quarterly": "*-01,04,07,10-01 00:00:00",
    **dict.fromkeys(
        ("semiannually", "semi-annually", "biannually", "bi-annually"), "*-01,07-01 00:00:00"
    ),
}
# As cron counts them.
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_WEEKDAY = {
    **{day: at for at, day in enumerate(_DAYS)},
    **{d[:3]: at for at, d in enumerate(_DAYS)},
}
_NUMBER = r"\d+(?:\.\d+)?"
_ITEM = re.compile(rf"({_NUMBER})(?:\.\.({_NUMBER}))?(?:/({_NUMBER}))?")
_YEARS = (1970, 2199)
_RUNS_OF_YEARS = 20

Values = frozenset[int] | None  # None: every one


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """What one OnCalendar says: schedules (any of them), and the zone it names itself."""

    specs: tuple[dict[str, Any], ...]
    timezone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    weekdays: Values
    years: Values
    months: Values
    days: Values
    from_end: bool  # days count back from the end: 1 is the last
    hours: Values
    minutes: Values
    seconds: Values


def read_calendar(text: str) -> Calendar:
    """The schedules that say the same. DefinitionError for what is wrong, or cannot be said."""
    rest, timezone = _timezone(text.strip())
    if re.fullmatch(r"@\d+", rest):
        moment = datetime.fromtimestamp(int(rest[1:]), UTC)
        return Calendar(specs=({"date": moment.isoformat()},), timezone=None)
    event = _read(_SHORTHANDS.get(rest.lower(), rest), text)
    return Calendar(specs=tuple(_specs(event, text)), timezone=timezone)


def _timezone(text: str) -> tuple[str, str | None]:
    rest, _, last = text.rpartition(" ")
    if not rest or re.match(r"[\d*@]", last):
        return text, None
    if last.lower() == "utc":
        return rest.rstrip(), "UTC"
    if _weekdays(last.lower()) is not None:
        return text, None
    return rest.rstrip(), zone(last).name


def _read(text: str, whole: str) -> _Event:
    words = text.split()
    if not words:
        raise _wrong(whole, "it is empty")
    weekdays = None
    if words[0][0].isalpha():
        weekdays = _weekdays(words.pop(0).lower())
        if weekdays is None:
            raise _wrong(whole, f"'{text.split()[0]}' are no weekdays, as Mon..Fri or Sat,Sun")
    day_text, clock = "*-*", "00:00:00"
    if words and ":" not in words[0]:
        day_text = words.pop(0)
    if words:
        clock = words.pop(0)
    if words:
        raise _wrong(whole, f"'{words[0]}' is too much")
    found = re.fullmatch(r"(?:([^-~]+)-)?([^-~]+)([-~])([^-~]+)", day_text)
    if not found:
        raise _wrong(whole, f"'{day_text}' is no date, as *-*-01 or *-12-24")
    year, month, mark, day = found.groups()
    parts = clock.split(":")
    if not 2 <= len(parts) <= 3:
        raise _wrong(whole, f"'{clock}' is no time, as 03:00 or *:0/15")
    from_end = mark == "~"
    return _Event(
        weekdays=weekdays if weekdays and len(weekdays) < 7 else None,
        years=_years(year, whole),
        months=_values("month", month, 1, 12, whole),
        days=_values("day", day, 1, 31, whole, from_end=from_end),
        from_end=from_end,
        hours=_values("hour", parts[0], 0, 23, whole),
        minutes=_values("minute", parts[1], 0, 59, whole),
        seconds=_values("second", parts[2] if len(parts) > 2 else "0", 0, 59, whole),
    )


def _weekdays(text: str) -> Values:
    found: set[int] = set()
    for item in text.removesuffix(",").split(","):
        first, _, last = item.replace("..", "-").partition("-")
        if first not in _WEEKDAY or (last or first) not in _WEEKDAY:
            return None
        # Their week begins on Monday.
        low, high = ((_WEEKDAY[day] - 1) % 7 for day in (first, last or first))
        if low > high:
            return None
        found.update((day + 1) % 7 for day in range(low, high + 1))
    return frozenset(found)


def _years(text: str | None, whole: str) -> Values:
    if text is None or text == "*":
        return None

    def full(number: re.Match[str]) -> str:
        short = int(number[0])
        return str(short + (2000 if short < 70 else 1900) if short < 100 else short)

    return _values("year", re.sub(r"(?<![/\d])\d+", full, text), *_YEARS, whole)


def _values(
    name: str, text: str, low: int, high: int, whole: str, *, from_end: bool = False
) -> Values:
    """The values of a part; `from_end` counts a step downwards, to the last day."""
    if text == "*":
        return None
    found: set[int] = set()
    for item in text.split(","):
        parts = _ITEM.fullmatch(item)
        if not parts:
            raise _wrong(whole, f"{name} '{item}' is no number, range 1..5 or step 0/15")
        exact = [None if part is None else Decimal(part) for part in parts.groups()]
        if any(part is not None and part != int(part) for part in exact):
            raise _wrong(whole, f"{name} '{item}' is finer than a second, and a job's is not")
        first, last, step = (None if part is None else int(part) for part in exact)
        assert first is not None
        most = high - 3 if from_end else high
        if not (low <= first <= most and low <= (first if last is None else last) <= most):
            raise _wrong(whole, f"{name} '{item}' is not in {low}..{most}")
        if step == 0 or (last is not None and last < first):
            raise _wrong(whole, f"{name} '{item}' runs nowhere")
        if last is not None:
            found.update(range(first, last + 1, step or 1))
        elif step is None:
            found.add(first)
        elif first - step < low if from_end else first + step > high:
            raise _wrong(whole, f"{name} '{item}' never comes to its second value")
        elif from_end:
            found.update(range(first, 0, -step))
        else:
            found.update(range(first, high + 1, step))
    return frozenset(found)


def _specs(event: _Event, whole: str) -> Iterator[dict[str, Any]]:
    single = _single(event)
    if single is not None:
        year, month, day, hour, minute, second = single
        try:
            moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001
        except ValueError:
            raise _wrong(whole, "there is no such day") from None
        if event.weekdays is not None and moment.isoweekday() % 7 not in event.weekdays:
            raise _wrong(whole, f"{moment:%Y-%m-%d} is a {moment:%A}, so it never fires")
        yield {"date": moment.isoformat()}
        return
    cron = _cron(event, whole)
    if event.years is None:
        yield {"cron": cron}
        return
    runs = list(_runs(event.years))
    if len(runs) > _RUNS_OF_YEARS:
        raise _wrong(whole, f"it names {len(runs)} separate years, which is too many to write out")
    for first, last in runs:
        yield {
            "cron": cron,
            "start": date(first, 1, 1).isoformat(),
            "end": date(last, 12, 31).isoformat(),
        }


def _single(event: _Event) -> tuple[int, ...] | None:
    """Year to second, where there is just one moment."""
    if event.from_end:
        return None
    found: list[int] = []
    for values in (
        event.years, event.months, event.days, event.hours, event.minutes, event.seconds,
    ):  # fmt: skip
        if values is None or len(values) != 1:
            return None
        found += values
    return tuple(found)


def _cron(event: _Event, whole: str) -> str:
    day, weekday = _day_fields(event, whole)
    fields = [
        _field(event.minutes, 0, 59),
        _field(event.hours, 0, 23),
        day,
        _field(event.months, 1, 12),
        weekday,
    ]
    if event.seconds != frozenset({0}):
        fields.insert(0, _field(event.seconds, 0, 59))
    return " ".join(fields)


def _day_fields(event: _Event, whole: str) -> tuple[str, str]:
    """Day of month and day of week, such that both have to match.

    Cron takes both where the text of one begins with `*`. `*/31` is the first of a month and
    `*/7` is Sunday: a list may begin with that, if it holds that day. Whole weeks of a month
    are `#1` to `#5`, and the last seven days `L`, which need no such thing.
    """
    days, weekdays = event.days, event.weekdays
    if days is None:
        return "*", _field(weekdays, 0, 6)
    if event.from_end:
        text = ",".join("L" if back == 1 else f"L-{back - 1}" for back in sorted(days))
    else:
        text = _field(days, 1, 31)
    if weekdays is None or text == "*":
        return text, _field(weekdays, 0, 6)
    if event.from_end and days == frozenset(range(1, 8)):
        return "*", ",".join(f"{day}L" for day in sorted(weekdays))
    weeks = [set(range(first, min(first + 7, 32))) for first in range(1, 32, 7)]
    named = [place for place, week in enumerate(weeks, 1) if week <= days]
    if not event.from_end and days == set().union(*(weeks[place - 1] for place in named)):
        return "*", ",".join(f"{day}#{place}" for day in sorted(weekdays) for place in named)
    if text.startswith("*"):
        return text, _field(weekdays, 0, 6)
    if not event.from_end and 1 in days:
        return _joined("*/31", _field(days - {1}, 1, 31)), _field(weekdays, 0, 6)
    if 0 in weekdays:
        return text, _joined("*/7", _field(weekdays - {0}, 0, 6))
    raise _wrong(whole, "cron cannot say these weekdays and these days at once")


def _joined(first: str, rest: str) -> str:
    return f"{first},{rest}" if rest else first


def _field(values: Values, low: int, high: int) -> str:
    """The values as a cron field, as short as it can be read."""
    if values is None or len(values) == high - low + 1:
        return "*"
    found = sorted(values)
    if len(found) > 2:
        step = found[1] - found[0]
        if step > 1 and found == list(range(found[0], found[-1] + 1, step)):
            if found[0] == low and found[-1] + step > high:
                return f"*/{step}"
            return f"{found[0]}-{found[-1]}/{step}"
    return ",".join(
        f"{first}-{last}" if last > first + 1 else ",".join(map(str, range(first, last + 1)))
        for first, last in _runs(found)
    )


def _runs(values: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run without a gap."""
    run: list[int] = []
    for value in sorted(values):
        if run and value != run[-1] + 1:
            yield run[0], run[-1]
            run = []
        run.append(value)
    if run:
        yield run[0], run[-1]


def _wrong(text: str, problem: str) -> DefinitionError:
    return DefinitionError(
        f"'{text}': {problem}",
        field="OnCalendar",
        value=text,
        mend="see systemd.time(7); what it says must be sayable as cron, to the second",
    )
