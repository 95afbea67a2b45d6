"""The definition of a job, at the border: what runs, when, where, and within which limits."""

import json
from collections.abc import Container, Mapping
from contextlib import suppress
from copy import deepcopy
from functools import cached_property
from typing import Any, Self

from pydantic import PrivateAttr, ValidationError

from jober.errors import DefinitionError, ScheduleError
from jober.job.draft import SCHEDULE_PARTS, WHAT_FIELDS, WHEN_FIELDS, Draft, kind_of
from jober.job.duration import length_s
from jober.job.fields import JobFields
from jober.job.fields.ends import EndFields
from jober.job.fields.how import HowFields
from jober.job.json_value import json_value
from jober.job.payload import Kind, compact, describe_call, encode_call
from jober.job.problems import of_pydantic, raise_any, told, unknown_field
from jober.job.rules import broken_rules
from jober.job.what import importable
from jober.roles import DEFAULT_ROLE, queue_name
from jober.schedule import Calendar, Schedule, calendar_names, mistakes, parse
from jober.words import count
from jober.workflow import Links, Waits, results_in

Calendars = Mapping[str, Calendar] | None

# All that decides when a job fires: what jober.schedule.parse is handed.
SCHEDULE_FIELDS = (*WHEN_FIELDS, *SCHEDULE_PARTS, "timezone")

KNOWN_FIELDS = tuple(field for field in JobFields.model_fields if field != "name")

# What the agent is told beside the payload: how one run is done, and may end.
OPTION_FIELDS = (*HowFields.model_fields, *EndFields.model_fields)


class Job(JobFields):
    """A job: frozen, checked, and equal to another that means the same.

    Whatever is wrong with it is a jober.errors.DefinitionError, an InvalidDefinitions where
    more than one thing is; pydantic's own errors do not leave this class. Fields that are None
    have their default.
    """

    _schedule: Schedule | None = PrivateAttr(default=None)
    _calendars: Mapping[str, Calendar] | None = PrivateAttr(default=None)
    # Fields of a stored definition that are not known here: a later version has written them.
    _later: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    def __init__(self, calendars: Calendars = None, /, **fields: Any) -> None:
        given, good, problems = check_fields(fields)
        if not problems:
            super().__init__(**good)
        problems += broken_rules(Draft(given=given, good=good))
        schedule = None
        if not any(problem.field in SCHEDULE_FIELDS for problem in problems):
            with suppress(ScheduleError):  # what is wrong is told below, and all of it
                schedule = _schedule(good, calendars)
        if schedule is None:
            told_of = {problem.field for problem in problems}
            problems += _schedule_mistakes(good, calendars, told_of)
        raise_any(problem.within(job=good.get("name")) for problem in problems)
        self._schedule = schedule
        self._calendars = calendars

    @classmethod
    def from_spec(cls, name: str, spec: Mapping[str, Any], calendars: Calendars = None) -> Self:
        """The job `name`, of fields as `spec()` gives them, or a file does.

        `calendars` are those there are: it is a DefinitionError to exclude another. None says
        that they are not known here: then each one named counts as one without days, and
        `missing_calendars` tells of it.
        """
        if not isinstance(spec, Mapping):
            raise DefinitionError(
                f"{told(spec)} is not a table of fields",
                value=spec,
                mend='write [jobs.NAME], and command = "…" below it',
                job=name,
            )
        problems = [
            unknown_field(key, KNOWN_FIELDS)
            for key in spec
            if key == "name" or not isinstance(key, str)
        ]
        fields = {key: value for key, value in spec.items() if isinstance(key, str)}
        try:
            job = cls(calendars, **{**fields, "name": name})
        except DefinitionError as error:
            problems.append(error)
        raise_any(problem.within(job=name) for problem in problems)
        return job

    @classmethod
    def from_json(cls, name: str, text: str | bytes, calendars: Calendars = None) -> Self:
        """The job `name` of what `to_json` wrote, here or in a later version: fields that are not
        known here stay as they are, and are written back. `calendars` as in `from_spec`."""
        try:
            spec = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DefinitionError(f"its JSON cannot be read: {error}", job=name) from None
        if not isinstance(spec, dict) or spec.keys() <= _KNOWN:
            return cls.from_spec(name, spec, calendars)
        known = {field: value for field, value in spec.items() if field in _KNOWN}
        later = {field: value for field, value in spec.items() if field not in _KNOWN}
        return cls.from_spec(name, known, calendars)._with_later(later)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As `replace`: pydantic's own would check nothing."""
        return self.replace(**(update or {}))

    def replace(self, **fields: Any) -> Self:
        """The same job, in the same calendars, with other fields; None gives a field its default
        back."""
        job = type(self).from_spec(self.name, {**self._own_spec(), **fields}, self._calendars)
        return job._with_later(self._later)

    def with_calendars(self, calendars: Mapping[str, Calendar]) -> Self:
        """The same job in other calendars. What it names and is not among them counts as without
        days, as `missing_calendars` tells: a job that is there already can always be shown."""
        missing = {name: Calendar.missing(name) for name in self.calendars if name not in calendars}
        job = type(self).from_spec(self.name, self._own_spec(), {**calendars, **missing})
        return job._with_later(self._later)

    def _with_later(self, later: Mapping[str, Any]) -> Self:
        self._later = later
        return self

    @property
    def later(self) -> Mapping[str, Any]:
        """The fields that a later version has written, and that are not known here."""
        return self._later

    def spec(self) -> dict[str, Any]:
        """The fields that differ from their defaults, without the name: JSON values, in order; and
        those of a later version, as they were."""
        return {**self._own_spec(), **deepcopy(dict(self._later))}

    def _own_spec(self) -> dict[str, Any]:
        return {
            field: deepcopy(value)
            for field, default in _DEFAULTS
            if (value := getattr(self, field)) != default
        }

    def to_json(self) -> str:
        """`spec()` as JSON on one line: the same for two jobs that mean the same."""
        return json.dumps(self.spec(), ensure_ascii=False)

    @property
    def schedule(self) -> Schedule | None:
        """When it fires; None is by hand only."""
        return self._schedule

    @property
    def calendars(self) -> tuple[str, ...]:
        """The names of the calendars that it excludes, each once."""
        return calendar_names({field: getattr(self, field) for field in ("exclude", "any_of")})

    @property
    def missing_calendars(self) -> tuple[str, ...]:
        """Those of them that its schedule does without, since they are not known here."""
        known = self._calendars or {}
        return tuple(name for name in self.calendars if not (name in known and known[name].known))

    @cached_property
    def schedule_text(self) -> str:
        """The schedule in words, for tables."""
        if self.service:
            return "kept alive"
        return self._schedule.describe() if self._schedule else "by hand"

    @cached_property
    def where_text(self) -> str:
        """On which hosts it runs, in words: `every live host with role db, prefer spread`."""
        wanted = " or ".join(self.roles) or DEFAULT_ROLE
        if self.on == "any":
            where = f"a host with role {wanted}"
        elif self.on == "every":
            where = f"every live host with role {wanted}"
        else:
            where = f"{count(self.on, 'host')} with role {wanted}"
        return where if self.prefer == "least" else f"{where}, prefer {self.prefer}"

    @cached_property
    def kind(self) -> Kind:
        """How it runs."""
        return kind_of({field: getattr(self, field) for field in (*WHAT_FIELDS, "shell")})

    @cached_property
    def queue(self) -> str:
        """The canonical text of the roles, and the RQ queue of `on = "any"`."""
        return queue_name(self.roles)

    @property
    def fleet_limit(self) -> int | None:
        """How many runs at once over the fleet; None is no limit of that kind."""
        return 1 if self._is_alone and self.on == "any" else self.concurrency

    @property
    def host_limit(self) -> int | None:
        """How many runs at once on each host; None is no limit of that kind."""
        return 1 if self._is_alone and self.on != "any" else None

    @cached_property
    def links(self) -> Links:
        """What it has to do with other jobs; those whose results it takes are needed."""
        named = list(results_in([self.args, self.kwargs]))
        return Links(
            needs=tuple(
                dict.fromkeys([*self.needs, *(n for n in named if n not in self.wait_for)])
            ),
            wait_for=tuple(self.wait_for),
            on_success=tuple(self.on_success),
            on_failure=tuple(self.on_failure),
        )

    @cached_property
    def waits(self) -> Waits:
        """What each of its runs waits for."""
        fresh_for = self.fresh_for
        return Waits(
            needs=self.links.needs,
            wait_for=self.links.wait_for,
            quorum=self.quorum,
            fresh_for_ms=round(length_s(fresh_for, "fresh_for") * 1000) if fresh_for else None,
        )

    @property
    def reserved(self) -> str:
        """Whether an agent may take runs before it has a slot for them: "1" for programs, and
        functions in threads, that are tried again where their agent dies, so that one which never
        began is not lost; "once" for functions in threads that are not, a few of which may be lost
        so; "" for all others."""
        if self.process or self.service or self.weight != 1:
            return ""
        if self.retries > 0 and "lost" in self.retry_on:
            return "1"
        return "once" if self.call else ""

    @property
    def _is_alone(self) -> bool:
        """Whether its runs go one by one: no number is given, and they may not overlap."""
        return self.concurrency is None and self.overlap != "allow"

    @cached_property
    def description(self) -> str:
        """One line of what runs, of at most 200 characters."""
        return self.describe()

    def describe(self, args: list[Any] | None = None, kwargs: dict[str, Any] | None = None) -> str:
        """`description`, with other arguments in place of the definition's."""
        return describe_call(self.kind, self._what, *self._arguments(args, kwargs))

    def payload(self, args: list[Any] | None = None, kwargs: dict[str, Any] | None = None) -> bytes:
        """The call as JSON, for the `data` of the RQ record: `[func, null, args, kwargs]`.

        `args` and `kwargs`, where given, take the place of the definition's own.
        """
        if args is None and kwargs is None:
            return self._own_payload
        return encode_call(self.kind, self._what, *self._arguments(args, kwargs))

    def arguments_json(self, args: list[Any] | None, kwargs: dict[str, Any] | None) -> str:
        """`[args, kwargs]` of a run with such arguments, as JSON."""
        return compact(self._arguments(args, kwargs))

    def options(self) -> dict[str, Any]:
        """What the agent needs beside the payload: those of OPTION_FIELDS that are not their
        defaults, as the definition has them, and those of a later version, which may be such; and
        of a service its `on`, as `service`."""
        spec = self.spec()
        told = {field: spec[field] for field in (*OPTION_FIELDS, *self._later) if field in spec}
        return {**told, "service": self.on} if self.service else told

    @cached_property
    def _own_payload(self) -> bytes:
        return encode_call(self.kind, self._what, self.args, self.kwargs)

    @property
    def _what(self) -> Any:
        return next(value for field in WHAT_FIELDS if (value := getattr(self, field)) is not None)

    def _arguments(
        self, args: list[Any] | None, kwargs: dict[str, Any] | None
    ) -> tuple[list[Any], dict[str, Any]]:
        """The arguments of one run: a definition with them has to be a good one."""
        given = {"args": args, "kwargs": kwargs}
        if args is None and kwargs is None:
            return self.args, self.kwargs
        job = self.replace(**{field: value for field, value in given.items() if value is not None})
        return job.args, job.kwargs

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Job):
            return NotImplemented
        return self.name == other.name and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.name, self.to_json()))


# "name" is refused where it stands in a spec.
_KNOWN = frozenset({*KNOWN_FIELDS, "name"})
_DEFAULTS = tuple(
    (field, JobFields.model_fields[field].get_default(call_default_factory=True))
    for field in KNOWN_FIELDS
)


def check_fields(
    fields: Mapping[str, Any],
) -> tuple[frozenset[str], dict[str, Any], list[DefinitionError]]:
    """Each field by itself: the names of those that are given (known, and not None), the plain
    values of the good ones, and what is wrong with the others."""
    given, good = set(), {}
    problems = []
    for name, value in fields.items():
        if name not in JobFields.model_fields:
            problems.append(unknown_field(name, KNOWN_FIELDS))
        elif value is not None:
            given.add(name)
            try:
                if name == "cleanup" and callable(value):
                    value = importable(value, name)
                good[name] = json_value(value, name, dates=name in SCHEDULE_FIELDS)
            except DefinitionError as error:
                problems.append(error)
    try:
        JobFields.model_validate(good)
    except ValidationError as error:
        refused = list(of_pydantic(error, good, JobFields.model_fields))
        problems += refused
        for problem in refused:
            good.pop(str(problem.field), None)
    return frozenset(given), good, problems


def _schedule(good: Mapping[str, Any], calendars: Calendars) -> Schedule | None:
    """The schedule of the good fields; None where none of them says when."""
    spec, around = _schedule_parts(good, calendars)
    return parse(spec, **around) if any(field in spec for field in WHEN_FIELDS) else None


def _schedule_mistakes(
    good: Mapping[str, Any], calendars: Calendars, told_of: Container[str | None]
) -> list[ScheduleError]:
    """What is wrong with the schedule of the good fields, but for the fields told of already."""
    spec, around = _schedule_parts(good, calendars)
    when = [field for field in WHEN_FIELDS if field in spec]
    for field in when[1:]:
        del spec[field]
    if not when:
        spec["cron"] = "* * * * *"  # the rest is good or not, whatever it goes with
    found = mistakes(spec, **around)
    return [error for error in found if str(error.field).partition("[")[0] not in told_of]


def _schedule_parts(
    good: Mapping[str, Any], calendars: Calendars
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `jober.schedule` is handed: the spec, and what it is read in."""
    spec = {field: good[field] for field in SCHEDULE_FIELDS if field in good}
    timezone = spec.pop("timezone", "UTC")
    if calendars is None:
        calendars = {name: Calendar.missing(name) for name in calendar_names(spec)}
    return spec, {"timezone": timezone, "name": good.get("name", ""), "calendars": calendars}
