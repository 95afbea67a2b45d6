"""What functions print: told apart by the thread that prints it."""

import io
import sys
from contextvars import ContextVar
from typing import TextIO

from jober.output import Stream
from jober_worker.functions import Writer


class _Capture:
    """Where prints go, until it is over: threads that are left behind have it still."""

    def __init__(self, writer: Writer) -> None:
        self.writer: Writer | None = writer


_capture: ContextVar[_Capture | None] = ContextVar("jober_capture", default=None)


class captured:
    """Within it, what this thread prints goes to `writer`, and what the threads print that have
    inherited its context (see `belonging`); after it, all that goes where the agent's own prints
    go."""

    __slots__ = ("_capture", "_token")

    def __init__(self, writer: Writer) -> None:
        self._capture = _Capture(writer)

    def __enter__(self) -> None:
        self._token = _capture.set(self._capture)

    def __exit__(self, *raised: object) -> None:
        self._capture.writer = None
        _capture.reset(self._token)


def _writer() -> Writer | None:
    capture = _capture.get()
    return capture.writer if capture else None


def capture_prints() -> None:
    """From now on, prints of threads inside `captured` are told apart; to be called again where
    somebody may have put another stream in the place of ours."""
    if not isinstance(sys.stdout, _Told):
        sys.stdout = _Told(Stream.STDOUT, sys.stdout)
    if not isinstance(sys.stderr, _Told):
        sys.stderr = _Told(Stream.STDERR, sys.stderr)


class _Told(io.TextIOBase, TextIO):
    """Stands in for sys.stdout or sys.stderr: prints of a run go to its writer, others through."""

    def __init__(self, stream: Stream, through: TextIO | None) -> None:
        self._stream = stream
        self._through = through
        self._bytes = _ToldBytes(stream, through)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        return "surrogateescape"

    @property
    def buffer(self) -> "_ToldBytes":  # type: ignore[override]
        return self._bytes

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        writer = _writer()
        if writer is not None:
            writer(self._stream, _encoded(text))
        elif self._through is not None:
            return self._through.write(text)
        return len(text)

    def flush(self) -> None:
        if _writer() is None and self._through is not None:
            self._through.flush()

    def fileno(self) -> int:
        if self._through is None:
            raise io.UnsupportedOperation("the agent has no such stream")
        return self._through.fileno()


class _ToldBytes(io.RawIOBase):
    """The same for those who write bytes, to sys.stdout.buffer."""

    def __init__(self, stream: Stream, through: TextIO | None) -> None:
        self._stream = stream
        self._through = through

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        given = bytes(data)  # type: ignore[call-overload]
        writer = _writer()
        if writer is not None:
            writer(self._stream, given)
        elif self._through is not None:
            self._through.buffer.write(given)
        return len(given)


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")
