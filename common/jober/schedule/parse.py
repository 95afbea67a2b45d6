"""From a definition to a schedule; every error names the field and the mend."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple, cast

from jober.errors import NextFireTimeError, ScheduleError, did_you_mean
from jober.schedule.bounds import Bounded, Jittered
from jober.schedule.calendar import Calendar
from jober.schedule.cron import Cron, read_cron
from jober.schedule.every import UNIT_MS, At, Every, fixed_text
from jober.schedule.exclusion import Exclusion, read_exclusion
from jober.schedule.hours import ALL_DAY, read_hours
from jober.schedule.moment import Moment
from jober.schedule.plan import Plan
from jober.schedule.restricted import Restricted
from jober.schedule.restriction import Restriction
from jober.schedule.schedule import Schedule
from jober.schedule.shifted import Shifted
from jober.schedule.union import Union
from jober.schedule.zone import GAPS, LAST, REPEATS, Gap, Repeat, Zone, wall_date, wall_text, zone

KINDS = ("cron", "every", "date", "any_of")
RESTRICTIONS = ("only_between", "exclude", "shift")
OPTIONS = ("at", "dst_gap", "dst_repeat", "start", "end", "jitter", *RESTRICTIONS)
SHIFTS = ("skip", "next", "previous")
_KNOWN = KINDS + OPTIONS
_AT_RANGES = {"day": (1, 31), "hour": (0, 23), "minute": (0, 59), "second": (0, 59)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_JITTER_S = 86_400


class _Around(NamedTuple):
    """What the whole of a definition is read in."""

    zone: Zone
    name: str
    calendars: Mapping[str, Calendar]


def parse(
    spec: Mapping[str, object],
    timezone: str | None = None,
    *,
    name: str = "",
    calendars: Mapping[str, Calendar] | None = None,
) -> Schedule:
    """The schedule of a definition, in a zone (UTC if None). `name` seeds `H`, `~` and jitter;
    `calendars` are those that `exclude` may name.

    `spec` holds exactly one of
    - `cron`: an expression of five fields, or six with seconds first, or an alias;
    - `every`: seconds, or [n, unit]; with it `at`, the fields of the wall clock to be put in;
    - `date`: a moment, ISO text or datetime; without an offset it is in the zone;
    - `any_of`: a list of such mappings;
    and may hold
    - `dst_gap`: "after" or "skip"; default: skip where minute or hour begin with *, else after;
    - `dst_repeat`: "first", "last" or "both"; default: both for the same, else first;
    - `start`, `end`: no fire before or after; a plain date as end is that whole day;
      default: none;
    - `jitter`: up to so many seconds later, the same for each reading of a fire; default: 0;
    - `only_between`: "08:00-18:00" of the wall clock, the end not included, over midnight if
      the second is earlier; or a list of such; default: the whole day;
    - `exclude`: a list of days: names of calendars, "sat", "2026-12-25", "12-25" for each year,
      "2026-12-24..2027-01-01"; default: none;
    - `shift`: what becomes of a fire on such a day: "skip", or moved to the "next" or
      "previous" day that is not excluded; default: skip.
    How these work together, `jober.schedule.shifted` tells.

    ScheduleError for what is wrong; NextFireTimeError where it is an `every`.
    """
    where = zone("UTC" if timezone is None else timezone)
    return Schedule(_plan(spec, _Around(where, name, calendars or {}), None, None), where)


def _plan(
    spec: Mapping[str, object], around: _Around, gap: Gap | None, repeat: Repeat | None
) -> Plan:
    kind = _kind(spec)
    where, name, _ = around
    if len(spec) > 1:
        gap = cast(Gap | None, _choice(spec, "dst_gap", GAPS)) or gap
        repeat = cast(Repeat | None, _choice(spec, "dst_repeat", REPEATS)) or repeat
    value = spec[kind]
    plan: Plan
    if kind == "cron":
        if not isinstance(value, str):
            raise ScheduleError(
                f"{value!r} is not text", field="cron", value=value, mend="write it as '0 3 * * *'"
            )
        plan = read_cron(value, where, gap, repeat, name)
    elif kind == "every":
        plan = _every(value, spec.get("at"), where, gap or "after", repeat or "first")
    elif kind == "date":
        plan = _date(value, where, gap or "after", repeat or "first")
    else:
        plan = _any_of(value, around, gap, repeat)
    return _within(plan, spec, around, gap, repeat) if len(spec) > 1 else plan


def _within(
    plan: Plan,
    spec: Mapping[str, object],
    around: _Around,
    gap: Gap | None,
    repeat: Repeat | None,
) -> Plan:
    """The plan with the bounds, the restriction and the jitter of its definition."""
    where = around.zone
    if isinstance(plan, Cron):
        gap, repeat = plan.gap, plan.repeat
    start = _bound(spec, "start", where)
    end = _bound(spec, "end", where)
    if start is not None and end is not None and end < start:
        raise ScheduleError(
            "lies before start", field="end", value=spec["end"], mend="swap the two"
        )
    if start is not None or end is not None:
        words = "" if start is None else f", from {_wall_words(where, start)}"
        words += "" if end is None else f", until {_wall_words(where, end)}"
        plan = Bounded(plan=plan, start_ms=start, end_ms=end, words=words)
    restriction = _restriction(spec, around)
    shift = _choice(spec, "shift", SHIFTS) or "skip"
    if restriction is not None:
        if shift == "skip" or not restriction.days.parts:
            plan = Restricted(plan=plan, restriction=restriction)
        else:
            plan = Shifted(
                plan=plan,
                restriction=restriction,
                forward=shift == "next",
                gap=gap or "after",
                repeat=repeat or "first",
            )
            if start is not None or end is not None:  # what was moved has to lie within, too
                plan = Bounded(plan=plan, start_ms=start, end_ms=end)
    if shift != "skip" and spec.get("exclude") is None:
        raise ScheduleError(
            "goes with exclude", field="shift", value=shift, mend='write exclude = ["sat", "sun"]'
        )
    jitter_ms = _jitter(spec.get("jitter"))
    if not jitter_ms:
        return plan
    return Jittered(plan=plan, name=around.name, jitter_ms=jitter_ms, restriction=restriction)


def _restriction(spec: Mapping[str, object], around: _Around) -> Restriction | None:
    hours, days = spec.get("only_between"), spec.get("exclude")
    if hours is None and days is None:
        return None
    left = ALL_DAY if hours is None else read_hours(hours)
    exclusion = Exclusion() if days is None else read_exclusion(days, around.calendars)
    if left is ALL_DAY and not exclusion.parts:
        return None
    return Restriction(zone=around.zone, hours=left, days=exclusion)


def _kind(spec: Mapping[str, object]) -> Literal["cron", "every", "date", "any_of"]:
    if not isinstance(spec, Mapping):
        raise ScheduleError(
            f"{spec!r} is not a table", field="schedule", value=spec, mend="as {cron = '0 3 * * *'}"
        )
    for key in spec:
        if key not in _KNOWN:
            near = did_you_mean(str(key), _KNOWN)
            raise ScheduleError(
                f"'{key}' is not known in a schedule{near}",
                field=str(key),
                value=spec[key],
                mend=f"known are {', '.join(_KNOWN)}",
            )
    given = [kind for kind in KINDS if spec.get(kind) is not None]
    if len(given) != 1:
        problem = f"holds {' and '.join(given)}" if given else "does not say when"
        raise ScheduleError(
            problem, field="schedule", mend=f"write exactly one of {', '.join(KINDS)}"
        )
    if spec.get("at") is not None and given[0] != "every":
        raise ScheduleError(
            f"goes with every, not with {given[0]}",
            field="at",
            value=spec["at"],
            mend="remove it",
        )
    return cast(Literal["cron", "every", "date", "any_of"], given[0])


def _choice(spec: Mapping[str, object], field: str, choices: tuple[str, ...]) -> str | None:
    value = spec.get(field)
    if value is None or value in choices:
        return value
    near = did_you_mean(value, choices) if isinstance(value, str) else ""
    raise ScheduleError(
        f"{value!r} is no choice{near}",
        field=field,
        value=value,
        mend=f"one of {', '.join(choices)}",
    )


def _interval(
    value: object, refuse: Callable[[str, str], NextFireTimeError]
) -> tuple[int | float, str]:
    """The number and the unit of `every = 5` or `every = [2, "hour"]`; `refuse` makes the error."""
    unit: object = "second"
    number = value
    if isinstance(value, list | tuple):
        if len(value) != 2 or not isinstance(value[1], str):
            raise refuse(f"{value!r} is not [number, unit]", "write it as [2, 'hour']")
        number, unit = value
    if isinstance(number, bool) or not isinstance(number, int | float) or not number > 0:
        raise refuse(f"{number!r} is not a positive number", "write seconds, or [2, 'hour']")
    if number > LAST:
        raise refuse("it is more than there is time", "write a shorter interval")
    units = (*UNIT_MS, "month")
    if unit not in units:
        near = did_you_mean(str(unit).lower(), units)
        raise refuse(f"'{unit}' is not a unit{near}", f"one of {', '.join(units)}")
    return number, str(unit)


def _every(value: object, at: object, where: Zone, gap: Gap, repeat: Repeat) -> Every:
    def refuse(problem: str, mend: str) -> NextFireTimeError:
        return NextFireTimeError(problem, field="every", value=value, mend=mend)

    number, unit = _interval(value, refuse)
    if repeat == "both":
        if at is not None or unit == "month":
            raise ScheduleError(
                "'both' is for cron and date, not for every",
                field="dst_repeat",
                value=repeat,
                mend="choose first or last",
            )
        repeat = "first"
    if unit == "month":
        if not isinstance(number, int):
            raise refuse(f"{number!r} is not a whole number of months", "write a whole number")
        if number > 12 * 9999:
            raise refuse(f"{number!r} is more than there is time", "write a shorter interval")
        step_ms, months, text = 0, number, "month" if number == 1 else f"{number} months"
    else:
        exact = number * UNIT_MS[unit]
        step_ms, months = round(exact), 0
        if abs(exact - step_ms) > 1e-6:
            raise refuse(f"{number!r} is finer than a millisecond", "write at most three places")
        if step_ms < 100:
            raise refuse(f"{number!r} is too short", "0.1 seconds or more")
        if step_ms > LAST * 1000:
            raise refuse(f"{number!r} is more than there is time", "write a shorter interval")
        text = fixed_text(step_ms, placed=bool(at))
    return Every(
        text=text,
        zone=where,
        step_ms=step_ms,
        months=months,
        at=_at(at),
        gap=gap,
        repeat=repeat,
    )


def _at(at: object) -> At | None:
    if at is None:
        return None
    if not isinstance(at, Mapping):
        raise NextFireTimeError(
            f"{at!r} is not a table",
            field="at",
            value=at,
            mend="write it as {hour = 3, minute = 0}",
        )
    for key, value in at.items():
        if key not in _AT_RANGES:
            near = did_you_mean(str(key), _AT_RANGES)
            raise NextFireTimeError(
                f"'{key}' is not known{near}",
                field="at",
                value=at,
                mend=f"known are {', '.join(_AT_RANGES)}",
            )
        low, high = _AT_RANGES[key]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise NextFireTimeError(
                f"{key} {value!r} is not in {low}-{high}",
                field="at",
                value=at,
                mend="write a whole number of that range",
            )
    return At(**at) if at else None


def _date(value: object, where: Zone, gap: Gap, repeat: Repeat) -> Moment:
    moment = _moment(value, "date")
    if moment.tzinfo is not None:
        fire_ms = _ms(moment)
        return Moment(text=_wall_words(where, fire_ms), zone=where, fires_ms=(fire_ms,))
    wall_ms = _ms(moment.replace(tzinfo=UTC))
    wall, millis = divmod(wall_ms, 1000)
    note = ""
    found = where.passes(wall)
    if not found:
        after = where.wall(where.after_gap(wall))
        note = f"{wall_text(wall)} does not exist on {wall_date(wall)}: runs at {wall_text(after)}"
        if gap == "skip":
            raise ScheduleError(
                f"{wall_text(wall)} does not exist on {wall_date(wall)} in {where.name}",
                field="date",
                value=value,
                mend="choose another time, or dst_gap = after",
            )
        millis = 0
    fires = tuple(utc * 1000 + millis for utc in where.read(wall, gap, repeat))
    return Moment(text=_stamp(wall), zone=where, fires_ms=fires, note=note)


def _any_of(value: object, around: _Around, gap: Gap | None, repeat: Repeat | None) -> Union:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, list | tuple) or not value:
        raise ScheduleError(
            f"{value!r} is not a list of schedules",
            field="any_of",
            value=value,
            mend="write it as [{cron = '0 3 * * *'}, {every = 3600}]",
        )
    plans: list[Plan] = []
    for place, member in enumerate(value):
        try:
            plans.append(_plan(member, around, gap, repeat))
        except ScheduleError as error:
            error.field = f"any_of[{place}].{error.field}"
            raise
    return Union(tuple(plans))


def _bound(spec: Mapping[str, object], field: str, where: Zone) -> int | None:
    value = spec.get(field)
    if value is None:
        return None
    moment = _moment(value, field)
    if moment.tzinfo is not None:
        return _ms(moment)
    if field == "end" and _is_plain_date(value):
        moment += timedelta(days=1, milliseconds=-1)
    wall, millis = divmod(_ms(moment.replace(tzinfo=UTC)), 1000)
    utc = where.read(wall, "after", "last" if field == "end" else "first")[0]
    return utc * 1000 + (millis if where.passes(wall) else 0)


def _is_plain_date(value: object) -> bool:
    if isinstance(value, str):
        return len(value.strip()) <= 10
    return isinstance(value, date) and not isinstance(value, datetime)


def _moment(value: object, field: str) -> datetime:
    """A datetime, aware or naive as it was written."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            pass
    raise ScheduleError(
        f"{value!r} is not a moment",
        field=field,
        value=value,
        mend="write it as 2026-12-24 18:00, with an offset or in the zone of the job",
    )


def _jitter(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScheduleError(
            f"{value!r} is not a number of seconds", field="jitter", value=value, mend="as 30"
        )
    if not 0 <= value <= _MAX_JITTER_S:
        raise ScheduleError(
            f"{value!r} is not in 0-{_MAX_JITTER_S}",
            field="jitter",
            value=value,
            mend="write seconds, at most a day",
        )
    return round(value * 1000)


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _stamp(wall: int) -> str:
    return f"{wall_date(wall)} {wall_text(wall)}"


def _wall_words(where: Zone, moment_ms: int) -> str:
    return _stamp(where.wall(moment_ms // 1000))
