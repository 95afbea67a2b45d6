"""What an import found: jobs, remarks between them, and what could not be taken over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jober.errors import DefinitionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a job comes from, and by what the log of its host tells its starts.

    cron's log names `user` and `command`, systemd's the service `unit` that `timer` starts, and
    its `description`. A start may be late by `late_ms` as it is meant to
    be. `by_chance`: cron itself chooses the moments, so nobody else can know them.
    """

    file: str
    line: int | None = None
    user: str | None = None
    command: str | None = None
    timer: str | None = None
    unit: str | None = None
    description: str | None = None
    late_ms: int = 0
    by_chance: bool = False

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedJob:
    """A job: its fields as a jobs file has them, and comments that stand above it."""

    name: str
    fields: Mapping[str, Any]
    remarks: tuple[str, ...] = ()
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """Comment lines that belong to no job."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """All of it, in the order it was found in.

    `defaults` hold for every job of it, each with the reason. `problems` are what could not be
    read or said, each with its place; their jobs are left out. `left_out` tells, with its place
    too, what is no job at all, and `warnings` what has no place in a job.
    """

    header: tuple[str, ...]
    defaults: Mapping[str, tuple[Any, str]]
    parts: tuple[ImportedJob | Remark, ...]
    problems: tuple[DefinitionError, ...] = ()
    warnings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def jobs(self) -> tuple[ImportedJob, ...]:
        return tuple(part for part in self.parts if isinstance(part, ImportedJob))


def shared_env(jobs: Sequence[ImportedJob]) -> dict[str, str]:
    """The variables that every one of several jobs has, with the same value."""
    if len(jobs) < 2:
        return {}
    first, *rest = (job.fields.get("env", {}) for job in jobs)
    return {
        name: value for name, value in first.items() if all(env.get(name) == value for env in rest)
    }


def without_env(job: ImportedJob, shared: Mapping[str, str]) -> ImportedJob:
    """The same job, without variables that it has from the defaults."""
    own = {name: value for name, value in job.fields.get("env", {}).items() if name not in shared}
    fields = {name: value for name, value in job.fields.items() if name != "env"}
    if own:
        fields["env"] = own
    return replace(job, fields=fields)
