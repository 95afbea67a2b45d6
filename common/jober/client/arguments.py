"""The arguments of the public calls: each is checked by its name before anything is asked or done,
so that a wrong one is refused by name and changes nothing."""

import inspect
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

from jober.errors import DefinitionError
from jober.job_filter import JobFilter

P = ParamSpec("P")
R = TypeVar("R")

# The last millisecond of the year 9999: no moment is told after it.
_LAST_MS = 253_402_300_799_999
_MOST = 1_000_000
_YEAR_S = 366 * 86_400


class _Rule(NamedTuple):
    """`holds` is asked about a value, `expects` says what it asks for, `mend` how it looks."""

    holds: Callable[[Any], bool]
    expects: str
    mend: str


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST


def _is_moment(value: Any) -> bool:
    return value is None or (type(value) is int and 0 <= value <= _LAST_MS)


def _are_texts(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)


_NAME = _Rule(_is_text, "text", "the name of a job")
_FLAG = _Rule(lambda value: isinstance(value, bool), "True or False", "True, or leave it out")
# By the name of the argument.
_RULES = {
    "name": _NAME,
    "id": _Rule(_is_text, "text", "the id of a run"),
    "ids": _Rule(
        lambda value: isinstance(value, list | tuple) and all(map(_is_text, value)),
        "a list of texts",
        "the ids of runs",
    ),
    "url": _Rule(_is_text, "text", "the address of an archive"),
    "tag": _Rule(_is_text, "text", "a tag of jobs"),
    "host": _Rule(_is_text, "text", "the name of a host"),
    "reason": _Rule(_is_text, "text", "a line that says why"),
    "file": _Rule(
        lambda value: isinstance(value, str | os.PathLike) and "\0" not in os.fspath(value),
        "the path of a file",
        "text, or a Path",
    ),
    "prune": _FLAG,
    "force": _FLAG,
    "modules": _Rule(
        lambda value: isinstance(value, list | tuple) and all(map(_is_text, value)),
        "a list of texts",
        "modules=['myapp.jobs']",
    ),
    "conf": _Rule(lambda value: isinstance(value, Mapping), "a dict", "{'func': f, 'every': 60}"),
    "whole": _FLAG,
    "args": _Rule(lambda value: isinstance(value, list | tuple), "a list", "args=[1, 'two']"),
    "kwargs": _Rule(lambda value: isinstance(value, Mapping), "a mapping", "kwargs={'day': 1}"),
    "roles": _Rule(_are_texts, "a list of texts", "roles=['db', 'web']"),
    "names": _Rule(
        lambda value: (
            isinstance(value, Collection) and _are_texts(value) and all(map(_is_text, value))
        ),
        "a list of texts",
        "the names of jobs",
    ),
    "hours": _Rule(lambda value: _is_number(value) and 0 <= value <= 1e5, "a number", "hours=24"),
    "wanted": _Rule(
        lambda value: isinstance(value, JobFilter), "a JobFilter", "JobFilter(word='backup')"
    ),
    "n": _Rule(_is_count, f"a whole number from 0 to {_MOST}", "n=10"),
    "append": _FLAG,
    "word": _Rule(_is_text, "text", "a part of the names of jobs"),
    "role": _Rule(_is_text, "text", "a role"),
    "queue": _Rule(_is_text, "text", "the name of a queue"),
    "before": _Rule(_is_text, "text", "the id of an event"),
    "idempotency_key": _Rule(_is_text, "text", "a new one for each call: idempotency_key='a1'"),
    "fields": _Rule(lambda value: isinstance(value, Mapping), "a dict", "{'command': 'date'}"),
    "revision": _Rule(_is_count, f"a whole number from 0 to {_MOST}", "revision=record.revision"),
    "shell": _FLAG,
    "detach": _FLAG,
    "limit": _Rule(_is_count, f"a whole number from 0 to {_MOST}", "limit=100"),
    "after": _Rule(_is_text, "text", "the id of the last run of the page before, or of an event"),
    "at_ms": _Rule(
        _is_moment, "a moment in milliseconds since 1970, before the year 10000", "at_ms=0"
    ),
    "timeout": _Rule(
        lambda value: _is_number(value) and -_YEAR_S <= value <= _YEAR_S,
        "a number of seconds, of a year at the most",
        "timeout=60, or leave it out",
    ),
}


def checked(call: Callable[P, R]) -> Callable[P, R]:
    """The call, its arguments checked before. One with the default None may be None."""
    rules: dict[str, _Rule] = {}
    names = list(inspect.signature(call).parameters.values())
    for parameter in names:
        if parameter.kind is not parameter.VAR_KEYWORD and parameter.name in _RULES:
            rules[parameter.name] = _RULES[parameter.name]
    order = [parameter.name for parameter in names]
    may_be_none = {parameter.name for parameter in names if _takes_none(parameter)}

    @wraps(call)
    def check_and_call(*args: P.args, **kwargs: P.kwargs) -> R:
        for name, value in (*zip(order, args, strict=False), *kwargs.items()):
            rule = rules.get(name)
            if rule and not (value is None and name in may_be_none) and not rule.holds(value):
                raise DefinitionError(
                    f"{_shown(value)} is not {rule.expects}",
                    field=name,
                    value=value,
                    mend=rule.mend,
                )
        return call(*args, **kwargs)

    return check_and_call


def _takes_none(parameter: inspect.Parameter) -> bool:
    return parameter.default is None or "None" in str(parameter.annotation)


def _shown(value: Any) -> str:
    """The beginning of a value, in letters that any terminal can show."""
    try:
        text = repr(value)
    except Exception:
        text = type(value).__name__
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 60 else f"{text[:59]}…"
