"""What the record of a run says to do: `[func, null, args, kwargs]`, in RQ's own JSON form.

A callable is named as it is, so that RQ's own tools read it too. Everything else has a name that
only an agent of ours knows; a stock `rq worker` cannot run it.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

COMMAND = "jober_worker.functions.command"
SHELL = "jober_worker.functions.shell"
MODULE = "jober_worker.functions.module"
SCRIPT = "jober_worker.functions.script"
SCRIPT_CALL = "jober_worker.functions.script_call"
# The function that cleans up, and what is known of the run that it is called for; FORGET writes it.
CLEAN_UP = "jober_worker.functions.clean_up"

# What has an exit status, and no result.
PROGRAMS = frozenset({COMMAND, SHELL, MODULE, SCRIPT})

_DESCRIPTION_AT_MOST = 200


class Kind(StrEnum):
    """How a job runs."""

    COMMAND = "command"
    SHELL = "shell"
    CALL = "call"
    MODULE = "module"
    SCRIPT = "script"
    SCRIPT_CALL = "script_call"

    @property
    def is_call(self) -> bool:
        """Whether a function is called, in a thread of the agent unless `process` is set."""
        return self in (Kind.CALL, Kind.SCRIPT_CALL)


def split_script(script: str) -> tuple[str, str | None]:
    """`./x.py:func` is a path and a function, `./x.py` a path alone."""
    path, colon, function = script.rpartition(":")
    return (path, function) if colon and function.isidentifier() else (script, None)


def split_command(command: str | Sequence[str]) -> list[str]:
    """The arguments of a command: a text is split by shlex (ValueError where it cannot be)."""
    return shlex.split(command) if isinstance(command, str) else list(command)


def as_arguments(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[str]:
    """`args`, then `kwargs` as options, as a program takes them.

    Text stays as it is, other values are written as JSON. `count=2` is `--count 2`,
    `dry_run=True` is `--dry-run`, False and None are left out, and a list repeats the option.

    >>> as_arguments(["in.csv", 3], {"dry_run": True, "tag": ["a", "b"], "limit": None})
    ['in.csv', '3', '--dry-run', '--tag', 'a', '--tag', 'b']
    """
    arguments = [_as_argument(value) for value in args]
    for name, value in kwargs.items():
        option = "--" + name.replace("_", "-")
        for one in value if isinstance(value, list) else [value]:
            if one is True:
                arguments.append(option)
            elif one is not None and one is not False:
                arguments += [option, _as_argument(one)]
    return arguments


def encode_call(kind: Kind, what: Any, args: list[Any], kwargs: dict[str, Any]) -> bytes:
    """The bytes for the `data` of the RQ record. `what` is the job's field of that kind."""
    function, arguments, keywords = _call(kind, what, args, kwargs)
    return compact([function, None, arguments, keywords]).encode()


def describe_call(kind: Kind, what: Any, args: list[Any], kwargs: dict[str, Any]) -> str:
    """One line for people: what runs, of at most 200 characters."""
    match kind:
        case Kind.CALL | Kind.SCRIPT_CALL:
            values = [repr(value) for value in args]
            values += [f"{name}={value!r}" for name, value in kwargs.items()]
            called = what.replace(":", ".") if kind is Kind.CALL else what
            text = f"{called}({', '.join(values)})"
        case Kind.SHELL:
            text = f"sh -c {shlex.quote(_shell_text(what, args, kwargs))}"
        case Kind.COMMAND:
            text = shlex.join([*split_command(what), *as_arguments(args, kwargs)])
        case Kind.MODULE:
            text = shlex.join(["python", "-m", what, *as_arguments(args, kwargs)])
        case Kind.SCRIPT:
            text = shlex.join(["python", what, *as_arguments(args, kwargs)])
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _DESCRIPTION_AT_MOST else line[: _DESCRIPTION_AT_MOST - 1] + "…"


def compact(value: Any) -> str:
    """JSON on one line without blanks, in the letters of its own language."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _call(
    kind: Kind, what: Any, args: list[Any], kwargs: dict[str, Any]
) -> tuple[str, list[Any], dict[str, Any]]:
    match kind:
        case Kind.CALL:
            return what.replace(":", "."), args, kwargs
        case Kind.SCRIPT_CALL:
            return SCRIPT_CALL, [what, args, kwargs], {}
        case Kind.COMMAND:
            return COMMAND, [[*split_command(what), *as_arguments(args, kwargs)]], {}
        case Kind.SHELL:
            return SHELL, [_shell_text(what, args, kwargs)], {}
        case Kind.MODULE:
            return MODULE, [what, as_arguments(args, kwargs)], {}
        case Kind.SCRIPT:
            return SCRIPT, [what, as_arguments(args, kwargs)], {}


def _shell_text(what: str, args: list[Any], kwargs: dict[str, Any]) -> str:
    arguments = as_arguments(args, kwargs)
    # A text of several lines ends with a line end: what is appended belongs to its last line.
    return " ".join([what.rstrip(), *map(shlex.quote, arguments)]) if arguments else str(what)


def _as_argument(value: Any) -> str:
    return value if isinstance(value, str) else compact(value)
