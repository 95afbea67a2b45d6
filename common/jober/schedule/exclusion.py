"""Exclusion: the days that `exclude` takes out, and what each of them is excluded by."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from jober.errors import ScheduleError, did_you_mean
from jober.schedule.calendar import DAYS_AT_MOST, NAME, WEEKDAYS, Calendar, weekday
from jober.schedule.day_set import DaySet, add_up, read_days

_MEND = (
    "write the name of a calendar, a day of the week as 'sat', or a date as '2026-12-25', "
    "'2026-12-24..2027-01-01', or '12-25' for each year"
)
_ITEMS_AT_MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Days to be excluded, each part with the word that tells of it. May be empty.

    `sets` are the same days: the job's own in one, and those of each calendar, which jobs share.
    """

    parts: tuple[tuple[str, DaySet], ...] = ()
    sets: tuple[DaySet, ...] = ()
    missing: tuple[str, ...] = ()  # calendars that could not be read

    def covers(self, day: int) -> bool:
        return any(days.covers(day) for days in self.sets)

    def reason(self, day: int) -> str:
        """By what the day is excluded: `holidays`, or `holidays, sat`."""
        return ", ".join(word for word, days in self.parts if days.covers(day))

    def free_from(self, day: int) -> int | None:
        """The first day from `day` on that is not excluded; None if there is none."""
        free: int | None = day
        while free is not None and self.covers(free):
            for days in self.sets:
                if free is not None:
                    free = days.free_from(free)
        return free

    def covered_from(self, day: int) -> int | None:
        """The first day from `day` on that is excluded; None if there is none."""
        found = (days.covered_from(day) for days in self.sets)
        return min((one for one in found if one is not None), default=None)

    def words(self) -> str:
        return ", ".join(
            f"{word} (not known here)" if word in self.missing else word for word, _ in self.parts
        )


def read_exclusion(value: object, calendars: Mapping[str, Calendar]) -> Exclusion:
    """The days of an `exclude`. ScheduleError for what is wrong, and if no day is left."""
    parts: dict[str, DaySet] = {}
    own, shared, missing = [], [], []
    for item in _items(value):
        text = _text(item)
        day = weekday(text)
        if day is not None:
            own.append(DaySet(week=1 << day))
            parts[WEEKDAYS[day]] = own[-1]
        elif text[:1].isdigit():
            try:
                own.append(read_days(text))
            except ValueError as error:
                raise _refused(item, str(error)) from None
            parts[f"exclude {text}"] = own[-1]
        else:
            calendar = calendars.get(text)
            if calendar is None:
                raise _unknown(text, calendars)
            parts[text] = calendar.days
            shared.append(calendar.days)
            if not calendar.known:
                missing.append(text)
    together = add_up(own)
    yearly = add_up(DaySet(yearly=days.yearly) for days in (together, *shared))
    if together.is_each_day or yearly.is_each_day:
        raise ScheduleError(
            "every day is excluded", field="exclude", value=value, mend="leave some days"
        )
    if len(together) > DAYS_AT_MOST:
        raise ScheduleError(
            f"more than {DAYS_AT_MOST:,} days are excluded",
            field="exclude",
            value=value,
            mend="use start and end",
        )
    sets = tuple(days for days in (together, *shared) if days)
    return Exclusion(parts=tuple(parts.items()), sets=sets, missing=tuple(missing))


def calendar_names(spec: Mapping[str, object]) -> tuple[str, ...]:
    """The calendars that a schedule's definition names, each once, those of its parts too.
    What is wrong with the definition is not told here."""
    return tuple(dict.fromkeys(_names(spec, 0)))


def _names(spec: Mapping[str, object], depth: int) -> Iterator[str]:
    items = spec.get("exclude")
    for item in items if isinstance(items, list | tuple) else ():
        if isinstance(item, str) and NAME.fullmatch(item.strip()) and weekday(item) is None:
            yield item.strip()
    members = spec.get("any_of")
    for member in members if isinstance(members, list | tuple) and depth < 40 else ():
        if isinstance(member, Mapping):
            yield from _names(member, depth + 1)


def _items(value: object) -> "list[object] | tuple[object, ...]":
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise ScheduleError(
            f"{value!r} is not a list of days",
            field="exclude",
            value=value,
            mend='write exclude = ["holidays", "sat", "sun"]',
        )
    if len(value) > _ITEMS_AT_MOST:
        raise ScheduleError(
            f"it has {len(value)} items",
            field="exclude",
            value=None,
            mend="put the dates into a calendar, and name that",
        )
    return value


def _text(item: object) -> str:
    if isinstance(item, date) and not isinstance(item, datetime):
        return item.isoformat()
    if not isinstance(item, str) or not item.strip():
        raise _refused(item, f"{item!r} is not a day")
    return item.strip()


def _unknown(text: str, calendars: Mapping[str, Calendar]) -> ScheduleError:
    near = did_you_mean(text[:100], (*calendars, *WEEKDAYS))
    known = f"known are {', '.join(sorted(calendars)[:20])}; " if calendars else ""
    return ScheduleError(
        f"'{text[:100]}' is not a calendar that is known{near}",
        field="exclude",
        value=text,
        mend=f"{known}define it as [calendars.{text}], or {_MEND}"
        if NAME.fullmatch(text)
        else f"{known}{_MEND}",
    )


def _refused(item: object, problem: str) -> ScheduleError:
    return ScheduleError(problem, field="exclude", value=item, mend=_MEND)
