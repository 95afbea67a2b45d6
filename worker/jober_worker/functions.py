"""Functions: found by name, called, and their prints told apart."""

import asyncio
import importlib
import importlib.util
import inspect
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from jober.errors import JoberError
from jober.job.payload import split_script
from jober.output import Stream
from jober.run import Outcome, RunState

Writer = Callable[[Stream, bytes], None]

_writer: ContextVar[Writer | None] = ContextVar("jober_writer", default=None)


class FunctionNotFound(JoberError):
    """No function has that name here."""


def resolve(target: str) -> Callable[..., Any]:
    """The function `pkg.mod.func`, `pkg.mod.Class.method`, or `./file.py:func`.

    Raises FunctionNotFound; what the import of its module raises passes through.
    """
    path, function = split_script(target)
    if function is not None and path.endswith(".py"):
        found: Any = _attribute(_load(Path(path)), function, target)
        return _callable(found, target)
    parts = target.replace(":", ".").split(".")
    for cut in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:cut])
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as error:
            # The module is there and lacks another: that is the reason to tell.
            if not f"{module}.".startswith(f"{error.name}."):
                raise
            continue
        for part in parts[cut:]:
            found = _attribute(found, part, target)
        return _callable(found, target)
    raise FunctionNotFound(
        f"no module of {target} can be imported on this host (looked in {os.getcwd()} and sys.path)"
    )


def _callable(found: Any, target: str) -> Callable[..., Any]:
    if not callable(found):
        raise FunctionNotFound(f"{target} is not callable, it is of type {type(found).__name__}")
    function: Callable[..., Any] = found
    return function


def _attribute(holder: Any, name: str, target: str) -> Any:
    try:
        return getattr(holder, name)
    except AttributeError:
        raise FunctionNotFound(f"{target}: {holder.__name__} has no '{name}'") from None


def _load(path: Path) -> Any:
    if not path.is_file():
        raise FunctionNotFound(f"there is no file {path} here (looked in {os.getcwd()})")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(target: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Outcome:
    """Call it in this thread, and tell how it ended. An async function is run to its end."""
    try:
        value = resolve(target)(*args, **kwargs)
        if inspect.iscoroutine(value):
            value = asyncio.run(value)
    except SystemExit as exit_:
        return _exited(exit_.code)
    except JoberError as error:
        return Outcome(state=RunState.FAILED, exit_code=1, reason=str(error))
    except BaseException as error:
        # Ours is the top frame of the traceback, which tells its author nothing.
        trace = error.__traceback__.tb_next if error.__traceback__ else None
        text = "".join(traceback.format_exception(type(error), error, trace))
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:500]
        return Outcome(state=RunState.FAILED, exit_code=1, reason=reason, traceback=text)
    plain, note = plain_value(value)
    return Outcome(state=RunState.SUCCESS, exit_code=0, return_value=plain, reason=note)


def _exited(code: object) -> Outcome:
    """What sys.exit says, as the interpreter reads it."""
    if code is None or code == 0:
        return Outcome(state=RunState.SUCCESS, exit_code=0)
    if isinstance(code, int):
        return Outcome(
            state=RunState.FAILED, exit_code=code & 0xFF, reason=f"exit code {code & 0xFF}"
        )
    return Outcome(state=RunState.FAILED, exit_code=1, reason=str(code)[:500])


def plain_value(value: Any) -> tuple[Any, str | None]:
    """The value as JSON can carry it; what it cannot is its repr, with a note."""
    try:
        return json.loads(json.dumps(value, allow_nan=False)), None
    except (TypeError, ValueError, RecursionError):
        kind = type(value).__name__
        return repr(value)[:10_000], f"the return value is a {kind}, not JSON: its repr is kept"


@contextmanager
def captured(writer: Writer) -> Iterator[None]:
    """What this thread prints goes to `writer`."""
    token = _writer.set(writer)
    try:
        yield
    finally:
        _writer.reset(token)


class _Tee(io.TextIOBase):
    """Stands in for sys.stdout or sys.stderr: prints of a run go to its writer, others through."""

    def __init__(self, stream: Stream, through: io.TextIOBase) -> None:
        self._stream = stream
        self._through = through

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        writer = _writer.get()
        if writer is None:
            return self._through.write(text)
        writer(self._stream, text.encode("utf-8", "surrogateescape"))
        return len(text)

    def flush(self) -> None:
        if _writer.get() is None:
            self._through.flush()

    def fileno(self) -> int:
        return self._through.fileno()


def capture_prints() -> None:
    """From now on, prints of threads inside `captured` are told apart. Once in a process."""
    sys.stdout = _Tee(Stream.STDOUT, sys.stdout)  # type: ignore[arg-type]
    sys.stderr = _Tee(Stream.STDERR, sys.stderr)  # type: ignore[arg-type]
