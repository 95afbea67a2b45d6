"""The folder in which whole logs are kept on a host: a folder for each run, told in docs/output.md.

The output of an attempt, both streams in the order read, is in plain parts, and beside each part
lies an index of lines of one length, which tell which stream wrote from which byte on, and when:

    nightly-20261121T030000Z/1-000000000000000.log
    nightly-20261121T030000Z/1-000000000000000.index

The number in a name is the offset of its first byte in the attempt. A run that is written holds a
lock on its folder; what nobody holds is removed when it is old, or the oldest when there is too
much of it.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from jober.errors import JoberError
from jober.output import Stream

INDEX_LINE = "{offset:015d} {at_ms:013d} {stream:<6}\n"
INDEX_BYTES = len(INDEX_LINE.format(offset=0, at_ms=0, stream=""))
_RUN = re.compile(r"[A-Za-z0-9_-]{1,255}")
_PART = re.compile(r"(\d+)-(\d{15})\.log")


class NoLog(JoberError):
    """There is no log of that run here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bytes of one stream; `offset` is that of the first in its attempt."""

    offset: int
    stream: Stream
    at_ms: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of an attempt, with the bytes from `start` to before `end`."""

    path: Path
    start: int
    end: int


class LogFolder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def of_run(self, run: str) -> Path:
        """The folder of a run, whether it is there or not. Raises NoLog for what is no run's id,
        so that nothing outside is ever named."""
        if not _RUN.fullmatch(run):
            raise NoLog(f"'{run}' is not the id of a run")
        return self.path / run

    @contextmanager
    def held(self, run: str) -> Iterator[Path]:
        """The folder of a run, made if need be, and removed by nobody meanwhile. Raises OSError."""
        folder = self.of_run(run)
        while True:
            if not self.path.is_dir():
                self.path.mkdir(0o700, parents=True, exist_ok=True)
            folder.mkdir(0o700, exist_ok=True)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH)
                if os.fstat(descriptor).st_nlink == 0:
                    continue  # it was removed while we took hold of it
                yield folder
                return
            finally:
                os.close(descriptor)

    def attempts(self, run: str) -> list[int]:
        """The attempts of a run that have a log here."""
        return sorted({int(found[1]) for _, found in self._logs(run)})

    def clear(self, run: str, attempt: int) -> None:
        """Remove what there is of an attempt: a Redis that has lost its last second counts anew.

        Raises OSError.
        """
        for path in self.of_run(run).glob(f"{attempt}-*"):
            path.unlink()

    def parts(self, run: str, attempt: int) -> list[Part]:
        """The parts of an attempt, in order. What is missing between them has been cut."""
        found = []
        for path, name in self._logs(run):
            if int(name[1]) == attempt:
                try:
                    size = path.lstat().st_size
                except FileNotFoundError:
                    continue  # cut just now
                found.append(Part(path=path, start=int(name[2]), end=int(name[2]) + size))
        return sorted(found, key=lambda part: part.start)

    def _logs(self, run: str) -> list[tuple[Path, "re.Match[str]"]]:
        try:
            paths = list(self.of_run(run).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [(path, name) for path in paths if (name := _PART.fullmatch(path.name))]

    def read(self, run: str, attempt: int, start: int, limit: int, spans: int) -> list[Span]:
        """What stands from `start` on, or after the cut there: at most `limit` bytes in at most
        so many spans; nothing at the end. Raises OSError."""
        for part in self.parts(run, attempt):
            if part.end > start:
                begin = max(start, part.start)
                return _read(part, begin, min(limit, part.end - begin), spans)
        return []

    def sweep(self, keep_s: float, total_bytes: int, now_s: float) -> int:
        """Remove what is older than `keep_s`, then the oldest until the rest is no more than
        `total_bytes`; how many runs were removed. `now_s` is by the host's clock, as the times
        of files are. Raises nothing."""
        runs = sorted(self._runs(), reverse=True)
        kept = removed = 0
        for newest_s, size, folder in runs:
            kept += size
            if (now_s - newest_s > keep_s or kept > total_bytes) and _remove(folder):
                kept -= size
                removed += 1
        return removed

    def _runs(self) -> Iterator[tuple[float, int, Path]]:
        """Of each run when it was last written to (s since the epoch), and its size."""
        try:
            folders = [Path(entry.path) for entry in os.scandir(self.path) if entry.is_dir()]
        except OSError:
            return
        for folder in folders:
            try:
                stats = [folder.lstat(), *(path.lstat() for path in folder.iterdir())]
            except OSError:
                continue  # somebody else removes it
            yield max(s.st_mtime for s in stats), sum(s.st_size for s in stats[1:]), folder


def _remove(folder: Path) -> bool:
    """Remove the folder of a run, unless it is held."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _read(part: Part, start: int, limit: int, spans: int) -> list[Span]:
    flags = os.O_RDONLY | os.O_NOFOLLOW
    with (
        open(os.open(part.path, flags), "rb") as log,
        open(os.open(part.path.with_suffix(".index"), flags), "rb") as index,
    ):
        log.seek(start - part.start)
        data = log.read(limit)
        lines = os.fstat(index.fileno()).st_size // INDEX_BYTES

        def line(number: int) -> tuple[int, int, Stream]:
            index.seek(number * INDEX_BYTES)
            offset, at_ms, stream = index.read(INDEX_BYTES).split()
            return int(offset), int(at_ms), Stream(stream.decode())

        # The last line that begins at `start` or before it.
        low, high = 0, lines
        while low < high:
            middle = (low + high) // 2
            if line(middle)[0] <= start:
                low = middle + 1
            else:
                high = middle
        found: list[Span] = []
        end = start + len(data)
        for number in range(max(0, low - 1), lines):
            offset, at_ms, stream = line(number)
            if offset >= end or len(found) >= spans:
                break
            following = line(number + 1)[0] if number + 1 < lines else end
            piece = data[max(offset, start) - start : max(0, following - start)]
            if piece:
                found.append(
                    Span(offset=max(offset, start), stream=stream, at_ms=at_ms, data=piece)
                )
        return _with_whole_lines(found)


def _with_whole_lines(spans: list[Span]) -> list[Span]:
    """Without the beginning of a log record at the end, which the next piece then begins with."""
    if not spans or spans[-1].stream is not Stream.LOG:
        return spans
    *others, last = spans
    lines = last.data[: last.data.rfind(b"\n") + 1]
    if lines:
        return [*others, replace(last, data=lines)]
    return others or spans
