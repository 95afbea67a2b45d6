"""What is to run, told by the thing itself: a function, a command, or text that names one.

>>> what_fields("df -h")
{'command': 'df -h'}
>>> what_fields("pkg.mod:func")
{'call': 'pkg.mod:func'}
>>> what_fields("./x.py")
{'script': './x.py'}
"""

import os
import re
import sys
from collections.abc import Callable
from typing import Any

from jober.errors import DefinitionError
from jober.job.payload import split_command, split_script
from jober.job.problems import told

_CALL = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def what_fields(what: object, *, shell: bool = False) -> dict[str, Any]:
    """The field of a definition that runs `what`.

    A list, or text, is a command; but one word that is `module:function` is a call, and one that is
    the path of a Python file (`./x.py`, `./x.py:func`) a script, unless `shell` is set. A function
    is called where it can be imported. Raises DefinitionError.
    """
    if callable(what):
        path = import_path(what)
        if path is None:
            raise NotImportable(what)
        return {"call": path}
    if isinstance(what, list | tuple):
        return {"command": list(what)}
    if isinstance(what, os.PathLike):
        path_text = os.fspath(what)
        return {
            "script" if split_script(str(path_text))[0].endswith(".py") else "command": path_text
        }
    if not isinstance(what, str):
        raise DefinitionError(
            f"{told(what)} is nothing that can be run",
            field="what",
            value=what,
            mend="a function, a command as text or list, 'module:function' or './x.py'",
        )
    if not shell and not any(character.isspace() for character in what):
        if _CALL.fullmatch(what):
            return {"call": what}
        if split_script(what)[0].endswith(".py"):
            return {"script": what}
    return {"command": what}


def import_path(function: Callable[..., Any]) -> str | None:
    """`module:function` of what any process here can import; None of a lambda, a function in a
    function, a bound method, and of what a script defines that is the main program."""
    module: Any = getattr(function, "__module__", None)
    name: Any = getattr(function, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        return None
    found: Any = sys.modules.get(module)
    if module == "__main__":
        # As by `python -m pkg.mod`: it can be imported by that name.
        spec = getattr(found, "__spec__", None)
        if spec is None:
            return None
        module = spec.name
    for part in name.split("."):
        found = getattr(found, part, None)
    # A decorator may stand between: then what is found is another, of the same name and place.
    same = found is function or getattr(found, "__wrapped__", None) is function
    path = f"{module}:{name}"
    return path if same and _CALL.fullmatch(path) else None


def importable(function: Callable[..., Any], field: str) -> str:
    """`module:function` of what is called on other hosts. Raises DefinitionError."""
    path = import_path(function)
    if path is None:
        error = NotImportable(function)
        raise DefinitionError(
            error.problem,
            field=field,
            value=function,
            mend="define it at the top of a module that the workers can import",
        )
    return path


def name_of(what: object) -> str | None:
    """A name for a job that runs `what`: that of the function, or of the program; None where
    neither has one that a job may have."""
    word: Any = getattr(what, "__name__", None) if callable(what) else None
    if isinstance(what, str | list | tuple | os.PathLike):
        try:
            command = os.fspath(what) if isinstance(what, os.PathLike) else what
            words = split_command(command)
        except (ValueError, TypeError):
            return None
        word = os.path.basename(str(words[0])) if words else None
        if isinstance(word, str):
            _, colon, function = word.rpartition(":")
            word = function if colon else word.removesuffix(".py")
    return (
        word if isinstance(word, str) and re.fullmatch(r"[A-Za-z0-9][\w-]*", word, re.A) else None
    )


class NotImportable(DefinitionError):
    """A function that only the process has that defines it."""

    def __init__(self, function: object) -> None:
        name = getattr(function, "__qualname__", type(function).__name__)
        module = getattr(function, "__module__", None) or "no module"
        super().__init__(
            f"{name} of {module} cannot be imported by a worker: it is local to this process",
            field="call",
            value=function,
            mend="define it at the top of a module that the workers can import, or use an "
            "embedded jober, whose functions run in this process",
        )
