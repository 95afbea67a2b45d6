"""Functions: found by name, called, and their outcome told.

This module and what it imports are loaded by each function that has a process of its own, so it
is kept light.
"""

import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any
from zlib import crc32

from jober.current import Skip
from jober.errors import JoberError
from jober.output import Stream
from jober.run import Outcome, RunState
from jober_worker.return_value import Items, plain_value, without_surrogates
from jober_worker.trace import traceback_text

# What is written may be a view of a buffer that is used again: whoever keeps it copies it.
Data = bytes | memoryview
Writer = Callable[[Stream, Data], None]

REASON_AT_MOST = 500
TRACEBACK_AT_MOST = 64 * 1024


# Where functions were found: the module of each, by name and as it was, and the way from there.
KNOWN_AT_MOST = 1000
_known: dict[str, tuple[str, Sequence[str], Any]] = {}


class FunctionNotFound(JoberError):
    """No function has that name here."""


def resolve(name: str, file: str | None = None) -> Callable[..., Any]:
    """The function `pkg.mod.func` or `pkg.mod.Class.method`; or `func` of a file.

    Raises FunctionNotFound; what the import of its module raises passes through.
    """
    if file is None and (known := _known.get(name)):
        module, parts, holder = known
        if sys.modules.get(module) is holder:
            return _function(holder, parts, name)
    if file is not None:
        return _callable(_attribute(_load(Path(file)), name, f"{file}:{name}"), f"{file}:{name}")
    parts = name.replace(":", ".").split(".")
    if not all(part.isidentifier() for part in parts):
        raise FunctionNotFound(f"'{name}' is not the name of a function (pkg.mod.func)")
    for cut in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:cut])
        try:
            found: Any = importlib.import_module(module)
        except ModuleNotFoundError as error:
            # The module is there and lacks another: that is the reason to tell.
            if not f"{module}.".startswith(f"{error.name}."):
                raise
            continue
        if len(_known) >= KNOWN_AT_MOST:
            _known.clear()
        _known[name] = module, parts[cut:], found
        return _function(found, parts[cut:], name)
    raise FunctionNotFound(
        f"no module of {name} can be imported on this host (looked in {os.getcwd()} and sys.path)"
    )


def _function(holder: Any, parts: Sequence[str], name: str) -> Callable[..., Any]:
    for part in parts:
        holder = _attribute(holder, part, name)
    return _callable(holder, name)


def _callable(found: Any, name: str) -> Callable[..., Any]:
    if not callable(found):
        raise FunctionNotFound(f"{name} is not callable, it is of type {type(found).__name__}")
    function: Callable[..., Any] = found
    return function


def _attribute(holder: Any, part: str, name: str) -> Any:
    try:
        return getattr(holder, part)
    except AttributeError:
        where = getattr(holder, "__name__", f"an object of type {type(holder).__name__}")
        if where.startswith("jober_script_"):
            where = "the file"
        raise FunctionNotFound(f"{name}: {where} has no '{part}'") from None


def _load(path: Path) -> Any:
    if not path.is_file():
        raise FunctionNotFound(f"there is no file {path} here (looked in {os.getcwd()})")
    # Known by name as every module, which dataclasses and pickle rely on, but by none that an
    # import could mean.
    name = f"jober_script_{path.stem}_{crc32(bytes(path.resolve())):08x}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FunctionNotFound(f"{path} is not a Python file: its name does not end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def call(
    name: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    file: str | None = None,
    *,
    with_locals: bool = False,
    spent_s: Callable[[], float] | None = None,
) -> Outcome:
    """Call it in this thread, and tell how it ended. Raises nothing.

    An async function is run to its end, and so is a generator, async or not: the list of its
    items is what it returns. `with_locals`: a traceback tells the local variables too. `spent_s`
    tells the CPU time that it took, at its end.
    """
    try:
        plain, note = _value(resolve(name, file)(*args, **kwargs))
    except BaseException as error:
        outcome = _raised(error, with_locals)
        return replace(outcome, cpu_s=spent_s()) if spent_s else outcome
    return Outcome(
        state=RunState.SUCCESS,
        exit_code=0,
        return_value=plain,
        reason=note,
        cpu_s=spent_s() if spent_s else None,
    )


def _raised(error: BaseException, with_locals: bool) -> Outcome:
    match error:
        case SystemExit():
            return _exited(error.code)
        case Skip():
            reason = _shown(str(error)) or "the function raised Skip"
            return Outcome(state=RunState.SKIPPED, reason=reason)
        case FunctionNotFound():
            return Outcome(state=RunState.FAILED, exit_code=1, reason=_shown(str(error)))
    return raised(error, with_locals)


def _value(value: Any) -> tuple[Any, str | None]:
    """What a call came to, as JSON can carry it, and a note where it cannot."""
    if value is None:
        return None, None
    if inspect.isgenerator(value):
        items = Items()
        for item in value:
            items.add(item)
        return items.told()
    if inspect.iscoroutine(value) or inspect.isasyncgen(value):
        import asyncio

        return asyncio.run(_awaited(value))
    return plain_value(value)


async def _awaited(value: Any) -> tuple[Any, str | None]:
    if inspect.iscoroutine(value):
        value = await value
    if not inspect.isasyncgen(value):
        return _value(value)
    items = Items()
    async for item in value:
        items.add(item)
    return items.told()


def raised(error: BaseException, with_locals: bool = False) -> Outcome:
    """The outcome of a function that raised."""
    try:
        reason = f"{type(error).__name__}: {error}"
        trace = _from_users_frame(error.__traceback__)
        text = traceback_text(error, trace, with_locals)
    except BaseException as worse:
        # Its __str__ raises, or the like.
        reason = text = f"{type(error).__name__} (which cannot be shown: {type(worse).__name__})\n"
    if len(text) > TRACEBACK_AT_MOST:
        # The frames stand first, the message last.
        half = TRACEBACK_AT_MOST // 2
        text = f"{text[:half]}\n[... {len(text) - 2 * half} characters cut ...]\n{text[-half:]}"
    return Outcome(
        state=RunState.FAILED,
        exit_code=1,
        reason=_shown(reason),
        traceback=without_surrogates(text),
        errors=_names(type(error)),
    )


def _names(kind: type[BaseException]) -> tuple[str, ...]:
    """The class of an exception and those that it derives from, by name, plain and with module."""
    classes = [one for one in kind.__mro__ if one is not object]
    plain = [one.__name__ for one in classes]
    return tuple(dict.fromkeys(plain + [f"{one.__module__}.{one.__qualname__}" for one in classes]))


def _from_users_frame(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames on top that are ours or the interpreter's: those that
    found, imported or awaited the function tell its author nothing."""
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if module.split(".")[0] not in ("jober_worker", "jober", "rq", "importlib", "asyncio"):
            return trace
        trace = trace.tb_next
    return None


def _exited(code: object) -> Outcome:
    """What sys.exit says, as the interpreter reads it."""
    if isinstance(code, int):
        status = code & 0xFF
    else:
        status = 0 if code is None else 1
        if code is not None:
            sys.stderr.write(f"{code}\n")
    if status == 0:
        return Outcome(state=RunState.SUCCESS, exit_code=0)
    reason = f"exit code {status}" if isinstance(code, int) else _shown(str(code))
    return Outcome(state=RunState.FAILED, exit_code=status, reason=reason)


def _shown(text: str) -> str:
    """The first line, in bounds, of a text from anywhere."""
    return without_surrogates((text.splitlines() or [""])[0][:REASON_AT_MOST])
