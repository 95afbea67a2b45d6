"""Jobs that functions declare by `@job`, found in a module, or in a package and all below it."""

import importlib
import inspect
import os
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from jober.decorator import Declared, declared_jobs
from jober.errors import DefinitionError
from jober.job import Job, raise_any
from jober.jobs_file.jobs import JobsFile
from jober.schedule import Calendar


def read_module(name: str, calendars: Mapping[str, Calendar] | None = None) -> JobsFile:
    """The jobs that the module `name` declares, by module and then by line; of a package, those of
    its submodules too. They are imported, from the current directory too.

    `calendars` are those that there are. A DefinitionError names the file, the line, the job and
    the field; it is an InvalidDefinitions where more than one thing is wrong.
    """
    problems: list[DefinitionError] = []
    jobs: dict[str, Job] = {}
    places: dict[str, str] = {}
    for function, declared in _declared(name):
        place = _place(function)
        try:
            if declared.name in places:
                raise DefinitionError(
                    f"it is declared twice, first at {places[declared.name]}",
                    field="name",
                    value=declared.name,
                    mend="give one of them another: @job(name=…)",
                    job=declared.name,
                )
            places[declared.name] = place
            jobs[declared.name] = _job(function, declared, calendars)
        except DefinitionError as error:
            problems.append(error.within(job=declared.name, file=place))
    raise_any(problems)
    if not jobs:
        raise DefinitionError(
            "no function of it declares a job", file=name, mend='write @job(cron="…") above one'
        )
    return JobsFile(path=name, jobs=tuple(jobs.values()))


def _job(function: Any, declared: Declared, calendars: Mapping[str, Calendar] | None) -> Job:
    for field in ("call", "command", "module", "script"):
        if field in declared.fields:
            raise DefinitionError(
                "the job calls the function, and nothing else",
                field=field,
                value=declared.fields[field],
                mend=f"drop {field}",
            )
    if "<locals>" in function.__qualname__:
        raise DefinitionError(
            f"{function.__qualname__} is a function in a function, which no worker can import",
            field="call",
            value=function.__qualname__,
            mend="define it at the top of its module",
        )
    call = f"{function.__module__}:{function.__qualname__}"
    return Job.from_spec(declared.name, {"call": call, **declared.fields}, calendars)


def _declared(name: str) -> Iterator[tuple[Any, Declared]]:
    for module in _modules(name):
        own = [
            function
            for function in _functions(module)
            if declared_jobs(function) and getattr(function, "__module__", "") == module.__name__
        ]
        for function in sorted(own, key=_line):
            for declared in declared_jobs(function):
                yield function, declared


def _functions(module: ModuleType) -> list[Any]:
    """What stands at the top of a module, and the static functions of its classes, each once."""
    found: dict[int, Any] = {}
    for value in list(vars(module).values()):
        found[id(value)] = value
        if inspect.isclass(value) and value.__module__ == module.__name__:
            for one in vars(value).values():
                function = getattr(one, "__func__", one)
                found[id(function)] = function
    return list(found.values())


def _modules(name: str) -> Iterator[ModuleType]:
    """The module, and what is below it where it is a package."""
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    module = _imported(name)
    yield module
    path = getattr(module, "__path__", None)
    for found in pkgutil.walk_packages(path, f"{name}.", _fail) if path else ():
        # What is run by `python -m` is run by importing it.
        if found.name.rpartition(".")[2] != "__main__":
            yield _imported(found.name)


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        what = f"{type(error).__name__}: {error}".replace("\n", " ")
        raise DefinitionError(
            f"it cannot be imported: {what}",
            file=name,
            mend="name a module as in `import`, found from here or in PYTHONPATH",
        ) from error


def _fail(name: str) -> None:
    _imported(name)


def _line(function: Any) -> int:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_firstlineno if code else 0


def _place(function: Any) -> str:
    """`myapp/jobs.py:12`, as errors tell it."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{os.path.relpath(code.co_filename)}:{code.co_firstlineno}" if code else "?"
