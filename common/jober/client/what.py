"""What a call of `run` is to run: read from its first argument, without asking anybody. Pure.

A job that is defined is named. All else says itself what it is: a list is a program with its
arguments, `shell=True` makes a text a command, `pkg.mod:func` is a function, `x.py` and `x.py:func`
are a file, and a callable is itself. A text that could be a name or a command is refused.
"""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from jober.errors import DefinitionError
from jober.ids import JOB_NAME
from jober.job.payload import split_script

# What is given to `run`.
What = str | list[str] | tuple[str, ...] | Callable[..., Any]

_CALL = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_WORD_AT_MOST = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A job that is defined."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is told with the call: `fields` of a definition, and a `word` for it in ids."""

    fields: Mapping[str, Any]
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A callable that only this program has, and why."""

    function: Callable[..., Any] = field(repr=False)
    word: str
    why: str


def read_what(what: object, shell: bool = False) -> Named | Given | Local:
    """What it is. Raises DefinitionError where that cannot be told."""
    if shell:
        if not isinstance(what, str):
            raise _wrong(what, "a shell takes one text", "run('ls | wc -l', shell=True)")
        return Given(fields={"command": what, "shell": True}, word=_word(what.split(maxsplit=1)))
    if isinstance(what, list | tuple):
        return Given(fields={"command": list(what)}, word=_word(what))
    if isinstance(what, str):
        return _of_text(what)
    if callable(what):
        return of_callable(what)
    raise _wrong(
        what,
        "it is nothing that can be run",
        "the name of a job, a list of a program and its arguments, a function, "
        "'pkg.mod:func' or './x.py'; a text for a shell with shell=True",
    )


def of_callable(function: Callable[..., Any]) -> Given | Local:
    """A function by its name, where others find it by that; else itself."""
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", None)
    word = _word([name or type(function).__name__])
    if not isinstance(module, str) or not isinstance(name, str):
        why = f"an object of type {type(function).__name__} has no name to import it by"
        return Local(function=function, word=word, why=why)
    if module == "__main__":
        why = f"{name} is of the program itself (__main__), which nobody can import"
        return Local(function=function, word=word, why=why)
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not function:
        return Local(function=function, word=word, why=f"{module} has no {name} to import")
    return Given(fields={"call": f"{module}:{name}"}, word=word)


def _of_text(what: str) -> Named | Given:
    path, function = split_script(what)
    if path.endswith(".py"):
        stem = PurePath(path).stem
        return Given(fields={"script": what}, word=_word([function or stem]))
    if _CALL.fullmatch(what):
        return Given(fields={"call": what}, word=_word([what.rpartition(":")[2]]))
    if JOB_NAME.fullmatch(what):
        return Named(name=what)
    if ":" in what and not any(letter.isspace() for letter in what):
        raise _wrong(what, "it is no module and a function of it", "run('pkg.mod:func')")
    words = what.split()
    given = f"run({words!r}), or run({what!r}, shell=True)" if words else "run(['ls', '-l'])"
    raise _wrong(what, "it is no name of a job, and a program is given as a list", given)


def _word(words: "list[str] | tuple[Any, ...]") -> str:
    """A word that may stand at the beginning of an id."""
    first = PurePath(str(words[0])).name if words else ""
    word = re.sub(r"[^A-Za-z0-9]+", "-", first).strip("-")[:_WORD_AT_MOST].strip("-")
    return word or "run"


def _wrong(what: object, problem: str, mend: str) -> DefinitionError:
    try:
        shown = repr(what)
    except Exception:
        shown = type(what).__name__
    shown = shown if len(shown) <= 60 else f"{shown[:59]}…"
    return DefinitionError(f"{shown}: {problem}", field="what", value=what, mend=mend)
