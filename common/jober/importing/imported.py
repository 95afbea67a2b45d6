"""What an import found: jobs, remarks between them, and what could not be taken over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jober.errors import DefinitionError


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedJob:
    """A job: its fields as a jobs file has them, and comments that stand above it."""

    name: str
    fields: Mapping[str, Any]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """Comment lines that belong to no job."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """All of it, in the order it was found in.

    `defaults` hold for every job of it, each with the reason. `problems` are what could not be
    read or said, each with its place; their jobs are left out. `warnings` tell what has no
    place in a job.
    """

    header: tuple[str, ...]
    defaults: Mapping[str, tuple[Any, str]]
    parts: tuple[ImportedJob | Remark, ...]
    problems: tuple[DefinitionError, ...] = ()
    warnings: tuple[str, ...] = ()

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
    return ImportedJob(name=job.name, fields=fields, remarks=job.remarks)
