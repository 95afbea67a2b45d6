"""What a call of `run` is to run: read from its first argument, without asking anybody. Pure.

A job that is defined is named by a word. All else says itself what it is (see `jober.job.what`):
a list is a program with its arguments, `shell=True` makes a text a command, `pkg.mod:func` is a
function, `x.py` and `x.py:func` are a file. A text that could be a name or a command is refused.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jober.errors import DefinitionError
from jober.ids import JOB_NAME
from jober.job.what import NotImportable, name_of, what_fields

# What is given to `run`.
What = str | Sequence[str] | os.PathLike[str] | Callable[..., Any]

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
    """A callable that only this program has, and a `word` for it in ids."""

    function: Callable[..., Any]
    word: str


def read_what(what: object, shell: bool = False) -> Named | Given | Local:
    """What it is. Raises DefinitionError where that cannot be told."""
    word = (name_of(what) or "run")[:_WORD_AT_MOST]
    if shell:
        if not isinstance(what, str):
            raise _wrong(what, "a shell takes one text", "run('ls | wc -l', shell=True)")
        return Given(fields={"command": what, "shell": True}, word=word)
    if isinstance(what, str) and JOB_NAME.fullmatch(what):
        return Named(name=what)
    try:
        fields = what_fields(what)
    except NotImportable:
        assert callable(what), "nothing else is local"
        return Local(function=what, word=word)
    if isinstance(what, str) and "command" in fields:
        words = what.split()
        mend = f"run({words!r}), or run({what!r}, shell=True)" if words else "run(['ls', '-l'])"
        raise _wrong(what, "it is no name of a job, and a program is given as a list", mend)
    return Given(fields=fields, word=word)


def _wrong(what: object, problem: str, mend: str) -> DefinitionError:
    return DefinitionError(f"{what!r:.60}: {problem}", field="what", value=what, mend=mend)
