"""The options of a worker: what each may be, and where its value comes from. Pure.

The command line wins over the environment, that over the file, and the file over the defaults.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jober.bind import METRICS_EXAMPLE, Bind, read_bind
from jober.daemon import (
    DEFAULT_URL,
    LOG_FORMAT_VARIABLE,
    LOG_FORMATS,
    METRICS_VARIABLE,
    TRUST_VARIABLE,
)
from jober.errors import DefinitionError, did_you_mean
from jober.roles import check_agent_roles, parse_agent_roles
from jober.secret import DEFAULT_FOLDERS, check_folders

LOG_LEVELS = ("debug", "info", "warning", "error")
COMMAND_LINE = "the command line"
DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """`read` checks a value, and raises DefinitionError. `variable` may give it too."""

    default: Any
    read: Callable[[Any], Any]
    variable: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A value, and who told it: the command line, the environment, a file, or nobody."""

    value: Any
    source: str


def effective(
    given: Mapping[str, Any],
    environment: Mapping[str, str],
    file: Mapping[str, Any],
    path: str | None,
) -> dict[str, Told]:
    """The value of each option. `given` has those of the command line, and None for the others.
    Raises DefinitionError, whose `file` says who told the value."""
    found = {}
    for name, option in OPTIONS.items():
        value, source = option.default, DEFAULT
        if given.get(name) is not None:
            value, source = given[name], COMMAND_LINE
        elif option.variable and environment.get(option.variable):
            value, source = environment[option.variable], option.variable
        elif name in file:
            value, source = file[name], str(path)
        try:
            found[name] = Told(value=option.read(value), source=source)
        except DefinitionError as error:
            error.field = name
            raise error.within(file=source) from None
    return found


def unknown_option(name: str) -> DefinitionError:
    return DefinitionError(
        f"there is no such setting{did_you_mean(name, [*OPTIONS, 'allow'])}",
        field=name,
        mend=f"the settings are {', '.join(OPTIONS)} and the table [allow]",
    )


def _number(low: float, high: float, kind: type[int] | type[float]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not (low <= value <= high) or (kind is int and value != int(value)):
            shown = f"{value:g}" if is_number and math.isfinite(value) else repr(value).strip("'")
            raise DefinitionError(
                f"{shown} is not in {low:g}-{high:.0f}", value=value, mend="a number in that range"
            )
        return kind(value)

    return read


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise DefinitionError(f"{value!r} is not text", value=value, mend="put it in quotes")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise DefinitionError(f"{value!r} is no flag", value=value, mend="true or false")
    return value


def _one_of(values: Sequence[str], what: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in values:
            raise DefinitionError(
                f"{value!r} is no {what}", value=value, mend=f"one of {', '.join(values)}"
            )
        return str(value)

    return read


def _place(value: Any) -> Bind | None:
    text = _text(value)
    return None if text is None else read_bind(text, METRICS_EXAMPLE)


def _roles(value: Any) -> frozenset[str]:
    """`"a,b"`, or in a file also `["a", "b"]`."""
    if isinstance(value, list) and all(isinstance(role, str) for role in value):
        return check_agent_roles(value)
    return parse_agent_roles(_text(value))


def _texts(value: Any) -> tuple[str, ...]:
    """`"a,b"`, or in a file also `["a", "b"]`."""
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return tuple(value)
    text = _text(value) or ""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _folders(value: Any) -> tuple[str, ...]:
    return check_folders(_texts(value))


OPTIONS: dict[str, Option] = {
    "redis": Option(default=DEFAULT_URL, read=_text, variable="JOBER_REDIS_URL"),
    "host": Option(default=None, read=_text),
    "roles": Option(default=None, read=_roles),
    "slots": Option(default=10, read=_number(1, 1000, int)),
    "drain": Option(default=60.0, read=_number(0, 1e6, float)),
    "log_level": Option(default="info", read=_one_of(LOG_LEVELS, "level")),
    "log_format": Option(
        default="text", read=_one_of(LOG_FORMATS, "format"), variable=LOG_FORMAT_VARIABLE
    ),
    "log_dir": Option(default=None, read=_text),
    "log_keep": Option(default=7.0, read=_number(0, 1e6, float)),
    "log_total": Option(default=4.0, read=_number(0, 1e6, float)),
    "journal_dir": Option(default=None, read=_text),
    "accept_pickle": Option(default=False, read=_flag),
    "filter": Option(default=None, read=_text),
    "metrics": Option(default=None, read=_place, variable=METRICS_VARIABLE),
    "trust": Option(default=None, read=_text, variable=TRUST_VARIABLE),
    "unsigned_queues": Option(default=(), read=_texts),
    "secrets": Option(default=DEFAULT_FOLDERS, read=_folders),
}
