"""The jobs of a file: the whole of it is good, or all that is wrong with it is told."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

from jober.errors import DefinitionError, did_you_mean
from jober.job import KNOWN_FIELDS, SCHEDULE_FIELDS, Job, check_fields, each_of, raise_any
from jober.job.draft import WHAT_FIELDS, WHEN_FIELDS
from jober.job.payload import split_script
from jober.job.problems import told, unknown_field
from jober.jobs_file.calendars import Reader, files_beside, read_calendar
from jober.jobs_file.document import SyntaxProblem
from jober.jobs_file.file_bytes import read_bytes
from jober.jobs_file.toml_document import load_toml
from jober.jobs_file.yaml_document import load_yaml
from jober.limit import check_limit
from jober.schedule import Calendar

Format = Literal["toml", "yaml"]

TABLES = ("jobs", "calendars", "limits", "defaults")
FORMATS: dict[str, Format] = {".toml": "toml", ".yaml": "yaml", ".yml": "yaml"}

# A job that has one of a group takes none of it from the defaults.
_GROUPS = (WHAT_FIELDS, (*WHEN_FIELDS, "at"))


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsFile:
    """What a file defines, in its order."""

    path: str
    jobs: tuple[Job, ...]
    calendars: Mapping[str, Calendar] = field(default_factory=dict, hash=False)
    limits: Mapping[str, int] = field(default_factory=dict, hash=False)


def joined(files: Sequence[JobsFile]) -> JobsFile:
    """All that several define. A job that two of them define is a DefinitionError."""
    jobs: dict[str, tuple[Job, str]] = {}
    for file in files:
        for job in file.jobs:
            if job.name in jobs:
                raise DefinitionError(
                    f"it is defined in {jobs[job.name][1]} too",
                    job=job.name,
                    file=file.path,
                    mend="keep one of them, or give one another name",
                )
            jobs[job.name] = (job, file.path)
    return JobsFile(
        path=", ".join(file.path for file in files),
        jobs=tuple(job for job, _ in jobs.values()),
        calendars={name: one for file in files for name, one in file.calendars.items()},
        limits={name: slots for file in files for name, slots in file.limits.items()},
    )


def read_jobs(
    path: str | os.PathLike[str], calendars: Mapping[str, Calendar] | None = None
) -> JobsFile:
    """The jobs of the file at `path`: `.toml`, `.yaml` or `.yml`, in UTF-8, of at most 16 MiB.

    `calendars` are those that are there already, and that its jobs may name besides its own.

    A DefinitionError names the file, the line where it is known, the job and the field; it is
    an InvalidDefinitions where more than one thing is wrong.
    """
    name = os.fspath(path)
    format = FORMATS.get(Path(name).suffix.lower())
    if format is None:
        raise DefinitionError(
            "its name does not tell what it is written in",
            file=name,
            mend="name it .toml, .yaml or .yml",
        )
    data = read_bytes(name, "split it into several files")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DefinitionError(
            f"byte 0x{data[error.start]:02x} is not UTF-8",
            file=f"{name}:{line}",
            mend="save it as UTF-8",
        ) from None
    return parse_jobs(text, format, name, calendars, files_beside(name))


def parse_jobs(
    text: str,
    format: Format,
    path: str,
    calendars: Mapping[str, Calendar] | None = None,
    read: Reader | None = None,
) -> JobsFile:
    """The jobs of `text`; `path` is told in errors only. Errors as of `read_jobs`.

    `read` gives the bytes of a file that a calendar names; without it none may.
    """
    try:
        document = load_toml(text) if format == "toml" else load_yaml(text)
    except SyntaxProblem as error:
        raise error.within(file=_at(path, error.line)) from None
    problems: list[tuple[int, DefinitionError]] = []

    def tell(error: DefinitionError, *place: str) -> None:
        for one in each_of([error]):
            # `any_of[0].cron` stands where any_of does, and `calendars.x.dates[1]` in its table.
            key = str(one.field).partition("[")[0].removeprefix(f"{'.'.join(place)}.")
            at = (*place, key) if one.field else place
            line = document.line_of(*at)
            problems.append((line or 0, one.within(file=_at(path, line))))

    for problem in _wrong_tables(document.tables):
        tell(problem)
    defaults, wrong = _defaults(document.tables.get("defaults"))
    for problem in wrong:
        tell(problem, "defaults")
    own: dict[str, Calendar] = {}
    known = dict(calendars or {})
    tables = document.tables.get("calendars")
    for name, table in tables.items() if isinstance(tables, dict) else ():
        # Where it is wrong, jobs that name it are not.
        known[str(name)] = Calendar.missing(str(name))
        try:
            known[str(name)] = own[str(name)] = read_calendar(name, table, read)
        except DefinitionError as error:
            tell(error, "calendars", str(name))
    limits: dict[str, int] = {}
    tables = document.tables.get("limits")
    for name, slots in tables.items() if isinstance(tables, dict) else ():
        try:
            limits.update([check_limit(name, slots)])
        except DefinitionError as error:
            tell(error, "limits", str(name))
    jobs = []
    tables = document.tables.get("jobs")
    for name, fields in tables.items() if isinstance(tables, dict) else ():
        try:
            jobs.append(_job(name, fields, defaults, known))
        except DefinitionError as error:
            tell(error, "jobs", str(name))
    raise_any(error for _, error in sorted(problems, key=itemgetter(0)))
    return JobsFile(path=path, jobs=tuple(jobs), calendars=own, limits=limits)


def _wrong_tables(tables: Mapping[Any, Any]) -> Iterator[DefinitionError]:
    for name in tables:
        if name not in TABLES:
            near = did_you_mean(name[:100], TABLES) if isinstance(name, str) else ""
            yield DefinitionError(
                f"unknown table {told(name)}{near}",
                field=name if isinstance(name, str) else told(name),
                value=name,
                mend="a file has [jobs.NAME], [calendars.NAME], [limits] and [defaults]",
            )
    calendars = tables.get("calendars")
    if calendars is not None and not isinstance(calendars, dict):
        yield DefinitionError(
            f"{told(calendars)} is no table of calendars",
            field="calendars",
            value=calendars,
            mend="write [calendars.NAME] for each",
        )
    limits = tables.get("limits")
    if limits is not None and not isinstance(limits, dict):
        yield DefinitionError(
            f"{told(limits)} is no table of limits",
            field="limits",
            value=limits,
            mend="write [limits], and below it a line for each: database = 3",
        )
    if not isinstance(tables.get("jobs"), dict):
        # An empty file too: with --prune, it would remove all there is.
        yield DefinitionError(
            f"{told(tables['jobs'])} is no table of jobs" if tables.get("jobs") else "no jobs",
            field="jobs" if "jobs" in tables else None,
            value=tables.get("jobs"),
            mend="write [jobs.NAME] for each; for none on purpose, an empty [jobs]",
        )


def _defaults(table: object) -> tuple[dict[str, Any], list[DefinitionError]]:
    """The good fields of the defaults, and what is wrong with the others."""
    if table is None:
        return {}, []
    if not isinstance(table, dict):
        problem = f"{told(table)} is no table of fields"
        return {}, [
            DefinitionError(problem, field="defaults", value=table, mend="write [defaults]")
        ]
    own = {key: value for key, value in table.items() if isinstance(key, str) and key != "name"}
    wrong = [unknown_field(key, KNOWN_FIELDS) for key in table if key not in own]
    _, good, problems = check_fields({**own, "name": "defaults"})
    del good["name"]
    return good, [*wrong, *problems]


def _job(
    name: object, fields: Any, defaults: Mapping[str, Any], calendars: Mapping[str, Calendar]
) -> Job:
    if not isinstance(name, str):
        raise DefinitionError(
            f"the name {told(name)} is not text", value=name, mend="put it in quotes"
        )
    merged = _merged(defaults, fields) if isinstance(fields, dict) else fields
    return Job.from_spec(name, merged, calendars)


def _merged(defaults: Mapping[str, Any], fields: Mapping[Any, Any]) -> dict[Any, Any]:
    """The fields over the defaults. Of what belongs together, the job's own alone counts, and
    defaults for another kind of job do not count."""
    kept = dict(defaults)
    for group in _GROUPS:
        if any(field in fields for field in group):
            kept = {field: value for field, value in kept.items() if field not in group}
    merged = {**kept, **fields}
    if isinstance(kept.get("env"), dict) and isinstance(fields.get("env"), dict):
        merged["env"] = {**kept["env"], **fields["env"]}
    script = merged.get("script")
    is_call = "call" in merged or isinstance(script, str) and split_script(script)[1] is not None
    own_process = not is_call or bool(merged.get("process"))
    is_due = any(field in merged for field in WHEN_FIELDS)
    for names, applies in (
        (("shell",), isinstance(merged.get("command"), str)),
        (("process", "locals"), is_call),
        (("ok_exit_codes", "skip_exit_codes"), not is_call),
        (("stderr",), own_process),
        (("max_runs_per_process",), is_call and own_process),
        (("retry_delay", "retry_backoff", "retry_max_delay", "retry_on"), merged.get("retries")),
        ((*SCHEDULE_FIELDS, "max_fires"), is_due),
        (("prefer",), merged.get("on") != "every"),
        (("shift",), bool(merged.get("exclude"))),
    ):
        for name in names:
            if name not in fields and not applies:
                merged.pop(name, None)
    return merged


def _at(path: str, line: int | None) -> str:
    return f"{path}:{line}" if line else path
