"""systemd timers as jobs: the timer says when, the service beside it what.

One timer is one job, of the timer's name. What systemd does that a job does not by itself
stands in the defaults: times in a gap of the clock are skipped, repeated ones run once, and
what was missed is not caught up with unless the timer is Persistent.
"""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jober.errors import DefinitionError
from jober.importing.calendar import Calendar, read_calendar
from jober.importing.header import NO_ROLES, REVIEW, USER_NEEDS, ZONE_UNKNOWN, ZONE_WARNING
from jober.importing.imported import Imported, ImportedJob, Origin, Remark
from jober.importing.names import Names
from jober.importing.service import service_fields
from jober.importing.timespan import every_of, read_span, seconds_of
from jober.importing.told import Told, is_true
from jober.importing.unit import Setting, Unit
from jober.job import Job
from jober.job.problems import each_of
from jober.schedule.zone import zone

_FIRST = ("OnActiveSec", "OnBootSec", "OnStartupSec")
_MONOTONIC = (*_FIRST, "OnUnitActiveSec", "OnUnitInactiveSec")
_SILENT = frozenset({"AccuracySec", "RemainAfterElapse", "Unit", "DeferReactivation"})
_TAKEN = frozenset({"OnCalendar", "RandomizedDelaySec", "Persistent", *_MONOTONIC})
_ACCURACY_US = 60_000_000  # where a timer does not say its AccuracySec
_SWITCHES = {
    "FixedRandomDelay": "its delay is the same at each fire; jitter is another at each",
    "OnClockChange": "a change of the clock is no schedule",
    "OnTimezoneChange": "a change of the zone is no schedule",
    "WakeSystem": "jober wakes no host that sleeps",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemdOptions:
    """`timezone` is that of the host the timers ran on, None where nobody knows.

    `by_systemctl`: the jobs are for that very host, so a service that says what no job can is
    started there by `systemctl`, and keeps all of it.
    """

    prefix: str = ""
    roles: tuple[str, ...] = ()
    timezone: str | None = None
    by_systemctl: bool = False


def read_systemd(units: Iterable[Unit], options: SystemdOptions) -> Imported:
    """The jobs of the timers among the units. DefinitionError only for options; what cannot be
    said is in `problems`."""
    if options.timezone is not None:
        zone(options.timezone)
    names = Names(options.prefix)
    by_name = {unit.name: unit for unit in units}
    parts: list[ImportedJob | Remark] = []
    problems: list[DefinitionError] = []
    warnings: list[str] = []
    for unit in by_name.values():
        if not unit.name.endswith(".timer"):
            continue
        told = Told()
        fields = _fields(unit, by_name, told, options)
        if not told.problems:
            try:
                Job.from_spec("x", {**_plain(_defaults(options)), **fields})
            except DefinitionError as error:
                told.problems += [_placed(one, unit) for one in each_of([error])]
        if told.problems:
            problems += told.problems
            parts.append(Remark((f"Not imported: {unit.path}", *map(str, told.problems))))
            continue
        warnings += told.warnings
        parts.append(
            ImportedJob(
                name=names.take([unit.stem]),
                fields=fields,
                remarks=(unit.path, *_when(unit), *told.remarks),
                origin=_origin(unit, fields),
            )
        )
    if options.timezone is None:
        warnings.append(ZONE_WARNING)
    return Imported(
        header=tuple(_header(options)),
        defaults=_defaults(options),
        parts=tuple(parts),
        problems=tuple(problems),
        warnings=tuple(warnings),
    )


def service_of(timer: Unit) -> str:
    """The name of what a timer starts."""
    named = timer.last("Timer", "Unit")
    return named.value if named else f"{timer.stem}.service"


def _fields(
    timer: Unit, units: Mapping[str, Unit], told: Told, options: SystemdOptions
) -> dict[str, Any]:
    if timer.stem.endswith("@"):
        told.problems.append(
            DefinitionError(
                "it is a template, and does not say of which instances",
                file=timer.path,
                mend="write a timer for each",
            )
        )
    name = service_of(timer)
    template, at, _ = name.partition("@")
    service = units.get(name) or (units.get(f"{template}@.service") if at else None)
    schedule = _schedule(timer, told)
    fields: dict[str, Any] = {}
    if service is None:
        told.problems.append(
            DefinitionError(
                f"it starts {name}, which is not there",
                file=timer.path,
                mend="name its file too" if name.endswith(".service") else "only services are jobs",
            )
        )
    else:
        title = service.last("Unit", "Description") or timer.last("Unit", "Description")
        if title is not None and title.value.isprintable():
            fields["title"] = title.value
        of_user = "/systemd/user/" in timer.path or "/user/" in timer.path
        fields |= _service_fields(service, name, told, of_user, options)
        fields |= schedule
        documentation = service.all("Unit", "Documentation")
        if documentation:
            fields["notes"] = "\n".join(one.value for one in documentation)
    for setting in timer.settings:
        if setting.section != "Timer" or setting.key in _SILENT | _TAKEN or not setting.value:
            continue
        if setting.key in _SWITCHES:
            if is_true(setting, told):
                told.refuse(setting, _SWITCHES[setting.key], "take it out")
        elif not setting.key.startswith("X-"):
            told.refuse(setting, "not known to this import")
    return fields


def _service_fields(
    service: Unit, name: str, told: Told, of_user: bool, options: SystemdOptions
) -> dict[str, Any]:
    own = Told()
    fields = service_fields(service, name, own, of_user=of_user)
    if own.problems and options.by_systemctl and not of_user:
        why = [problem.problem for problem in own.problems]
        told.remarks += [f"By systemctl, since no job can say all of {service.path}:", *why]
        return {"command": f"systemctl start --wait {shlex.quote(name)}"}
    told.problems += own.problems
    told.warnings += own.warnings
    told.remarks += own.remarks
    return fields


def _schedule(timer: Unit, told: Told) -> dict[str, Any]:
    # An empty one of any kind takes back all of them.
    triggers = timer.all("Timer", "OnCalendar", *_MONOTONIC)
    calendars = [one for one in triggers if one.key == "OnCalendar"]
    others = [one for one in triggers if one.key != "OnCalendar"]
    fields: dict[str, Any] = {}
    if calendars and others:
        told.refuse(
            others[0], "an interval that begins anew at each time of OnCalendar is no schedule"
        )
    elif calendars:
        fields = _calendar(calendars, told)
    elif others:
        fields = _interval(others, told)
    else:
        told.problems.append(
            DefinitionError("it has no OnCalendar or OnUnitActiveSec", file=timer.path)
        )
    accuracy = timer.last("Timer", "AccuracySec")
    if accuracy is not None:
        told.reading(accuracy, read_span, accuracy.value)
    delay = timer.last("Timer", "RandomizedDelaySec")
    if delay is not None:
        span = told.reading(delay, read_span, delay.value)
        if span is None and not told.problems:
            told.refuse(delay, "a delay has an end", "at most a day")
        if span:
            fields["jitter"] = seconds_of(span)
    persistent = timer.last("Timer", "Persistent")
    if persistent is not None and is_true(persistent, told) and calendars:
        fields["catch_up"] = "latest"
    return fields


def _calendar(settings: list[Setting], told: Told) -> dict[str, Any]:
    read: list[tuple[Setting, Calendar]] = []
    for setting in settings:
        calendar = told.reading(setting, read_calendar, setting.value)
        if calendar is not None:
            read.append((setting, calendar))
    zones = {calendar.timezone for _, calendar in read}
    if len(zones) > 1:
        told.refuse(read[-1][0], "a job has one time zone", "make a timer for each")
    specs: list[dict[str, Any]] = []
    for _, calendar in read:
        specs += [spec for spec in calendar.specs if spec not in specs]
    fields: dict[str, Any] = dict(specs[0]) if len(specs) == 1 else {"any_of": specs}
    timezone = next(iter(zones), None)
    if timezone is not None:
        fields["timezone"] = timezone
    return fields


def _interval(settings: list[Setting], told: Told) -> dict[str, Any]:
    """`every`, where the timer goes on by itself from one start to the next."""
    inactive = [one for one in settings if one.key == "OnUnitInactiveSec"]
    active = [one for one in settings if one.key == "OnUnitActiveSec"]
    first = [one for one in settings if one.key in _FIRST]
    if inactive:
        told.refuse(
            inactive[0],
            "it counts from the end of a run, and every from its start",
            "OnUnitActiveSec, where that will do",
        )
    elif len(active) > 1:
        told.refuse(active[1], "there are two intervals", "keep the shorter one")
    elif not active:
        told.refuse(first[0], "it starts once, and is no schedule of a fleet", "run it by hand")
    elif not first:
        told.refuse(
            active[0], "nothing starts the first run, from which it counts", "add OnActiveSec"
        )
    if told.problems:
        return {}
    span = told.reading(active[0], read_span, active[0].value)
    if not span:
        told.refuse(active[0], "it is no interval")
        return {}
    told.leave_out(first[0], "the interval begins when the job is first applied, on no host's boot")
    return {"every": every_of(span)}


def _when(timer: Unit) -> list[str]:
    """The lines that say when, for whoever compares."""
    return [
        f"{one.key}={one.value}"
        for one in timer.all("Timer", "OnCalendar", *_MONOTONIC)
        if one.key in ("OnCalendar", "OnUnitActiveSec")
    ]


def _origin(timer: Unit, fields: Mapping[str, Any]) -> Origin:
    accuracy = timer.last("Timer", "AccuracySec")
    span = _ACCURACY_US if accuracy is None else read_span(accuracy.value)
    return Origin(
        file=timer.path,
        timer=timer.name,
        unit=service_of(timer),
        description=fields.get("title"),
        late_ms=(span or 0) // 1000 + round(fields.get("jitter", 0) * 1000),
    )


def _placed(error: DefinitionError, unit: Unit) -> DefinitionError:
    error.job = None
    return error.within(file=unit.path)


def _plain(defaults: Mapping[str, tuple[Any, str]]) -> dict[str, Any]:
    return {field: value for field, (value, _) in defaults.items()}


def _defaults(options: SystemdOptions) -> dict[str, tuple[Any, str]]:
    known = options.timezone
    why = "the zone that the timers' times are in" if known else "not known: see above"
    found: dict[str, tuple[Any, str]] = {"timezone": (known or "UTC", why)}
    if options.roles:
        found["roles"] = (list(options.roles), "which hosts: any of these")
    return found | {
        "dst_gap": ("skip", "as systemd does it; after: run at the end of the gap"),
        "dst_repeat": ("first", "as systemd does it"),
        "catch_up": ("none", "as systemd does it without Persistent=yes"),
        "grace": (90, "seconds from TERM to KILL, as systemd's DefaultTimeoutStopSec"),
    }


def _header(options: SystemdOptions) -> list[str]:
    lines = ["The jobs of systemd timers, as `jober import systemd` reads them.", *REVIEW, ""]
    if options.timezone is None:
        lines += ZONE_UNKNOWN
    else:
        lines.append(f"- Times are in {options.timezone}, where no OnCalendar names a zone.")
    if not options.roles:
        lines += NO_ROLES
    return [
        *lines,
        "- A run has the environment of its agent, and is under the limits of the agent's unit.",
        USER_NEEDS,
    ]
