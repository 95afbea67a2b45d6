"""What is wrong with definitions: told all at once, in words a person can act on."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from jober.errors import DefinitionError, did_you_mean

_TOLD_AT_MOST = 60


class InvalidDefinitions(DefinitionError):
    """Several definitions, or several fields of one, are wrong: `errors` holds each.

    It is a DefinitionError itself, with the facts of the first; its text has a line for each.
    """

    def __init__(self, errors: Iterable[DefinitionError]) -> None:
        self.errors: tuple[DefinitionError, ...] = tuple(each_of(errors))
        first = self.errors[0]
        super().__init__(
            first.problem,
            field=first.field,
            value=first.value,
            mend=first.mend,
            job=first.job,
            file=first.file,
        )

    def within(self, *, job: str | None = None, file: str | None = None) -> DefinitionError:
        for error in self.errors:
            error.within(job=job, file=file)
        return super().within(job=job, file=file)

    def __str__(self) -> str:
        return "\n".join(map(str, self.errors))


def each_of(errors: Iterable[DefinitionError]) -> Iterator[DefinitionError]:
    """The single errors, those of an InvalidDefinitions one by one."""
    for error in errors:
        if isinstance(error, InvalidDefinitions):
            yield from error.errors
        else:
            yield error


def raise_any(errors: Iterable[DefinitionError]) -> None:
    """Raise what there is: nothing, the one error itself, or an InvalidDefinitions."""
    all_of_them = list(each_of(errors))
    if len(all_of_them) == 1:
        raise all_of_them[0]
    if all_of_them:
        raise InvalidDefinitions(all_of_them)


def told(value: object) -> str:
    """A value as it stands in a message: short, on one line, true and not True."""
    try:
        text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= _TOLD_AT_MOST else text[: _TOLD_AT_MOST - 1] + "…"


def unknown_field(name: object, known: Iterable[str]) -> DefinitionError:
    """`unknown field 'crn', did you mean 'cron'?`"""
    mend = None
    if name == "name":
        mend = "a job is named by its table: [jobs.NAME]"
    elif name == "paused":
        mend = "pause a job with `jober pause NAME`: that is its state, and no definition"
    near = did_you_mean(name[:100], known) if isinstance(name, str) and not mend else ""
    return DefinitionError(
        f"unknown field {told(name)}{near}",
        field=name if isinstance(name, str) else told(name),
        value=name,
        mend=mend,
    )


def of_pydantic(
    error: ValidationError, fields: Mapping[str, Any], model: Mapping[str, FieldInfo]
) -> Iterator[DefinitionError]:
    """One error for each field that pydantic refused, in the words of the field."""
    told_of: set[str] = set()
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        field = str(detail["loc"][0]) if detail["loc"] else ""
        if field in told_of:  # a union tells of each of its branches
            continue
        told_of.add(field)
        if detail["type"] == "missing":
            yield DefinitionError(
                f"{field} is missing", field=field, mend=f"give the job a {field}"
            )
        else:
            yield _refused(field, fields.get(field), model.get(field))


def _refused(field: str, value: Any, info: FieldInfo | None) -> DefinitionError:
    """A value that is of no use to its field."""
    extra = info.json_schema_extra if info else None
    extra = extra if isinstance(extra, dict) else {}
    mend = str(extra["mend"]) if "mend" in extra else None
    if isinstance(value, str):
        mend = did_you_mean(value[:100], _choices(info)).removeprefix(", ") or mend
    return DefinitionError(
        f"{told(value)} is not {extra.get('expects', 'a value for it')}",
        field=field,
        value=value,
        mend=mend,
    )


def _choices(info: FieldInfo | None) -> list[str]:
    """The words that a field may hold, where it holds one of a few."""
    annotation = info.annotation if info else None
    branches = (annotation, *get_args(annotation))
    return [word for one in branches if get_origin(one) is Literal for word in get_args(one)]
