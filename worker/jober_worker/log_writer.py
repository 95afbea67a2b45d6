"""Writes the whole output of an attempt to files, in a thread of its own, in parts of a bounded
size and number: the first and the newest are kept, what is cut between is told by a `.cut` file.

A disk that is slow slows the run down, as it would with `> file`. One that is full, cannot be
written, or takes nothing at all for a while is given up for this run, which goes on without.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from jober.output import Stream, Truncated
from jober_worker.functions import Data
from jober_worker.log_folder import INDEX_LINE, LogFolder

PART_BYTES = 64 * 1024 * 1024
PARTS = 10
# What waits for the disk, with what each piece of it costs beside its bytes.
WAITING_BYTES = 2 * 1024 * 1024
_PIECE_COST = 128
# A disk that takes nothing for so long is given up.
STUCK_S = 5.0
# So often at least, the index tells when it was written.
_INDEX_MS = 1000
# IOV_MAX of Linux.
_WRITTEN_AT_ONCE = 1024

_Piece = tuple[Stream, int, bytes]


class LogWriter:
    """`write` may be called by any thread, in turns; `end` once, when nothing more comes.

    `failed(why)` is called at most once, by any thread: from then on nothing is written.
    """

    def __init__(
        self,
        folder: LogFolder,
        run: str,
        attempt: int,
        failed: Callable[[str], None],
        now_ms: Callable[[], int],
    ) -> None:
        self.path = folder.of_run(run) / str(attempt)
        self._folder = folder
        self._run_id = run
        self._attempt = attempt
        self._on_failed = failed
        self._now_ms = now_ms
        self._changed = threading.Condition()
        self._waiting: deque[_Piece] = deque()
        self._waiting_cost = 0
        self._has_failed = False
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def write(self, stream: Stream, data: Data) -> None:
        """Take in bytes; waits while too many wait for the disk."""
        with self._changed:
            fits = self._changed.wait_for(
                lambda: self._waiting_cost < WAITING_BYTES or self._has_failed, STUCK_S
            )
            if fits and not self._has_failed:
                self._waiting.append((stream, self._now_ms(), bytes(data)))
                self._waiting_cost += len(data) + _PIECE_COST
                self._changed.notify_all()
        if not fits:
            self._fail(f"the disk has taken nothing for {STUCK_S:g} s")

    def end(self) -> None:
        """Nothing more comes: all is written on return, or given up."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join(STUCK_S)
        if self._thread.is_alive():
            self._fail(f"the disk has taken nothing for {STUCK_S:g} s")

    def _fail(self, why: str) -> None:
        with self._changed:
            if self._has_failed:
                return
            self._has_failed = True
            self._waiting.clear()
            self._changed.notify_all()
        self._on_failed(f"{why} ({self.path.parent})")

    def _run(self) -> None:
        try:
            with self._folder.held(self._run_id):
                self._folder.clear(self._run_id, self._attempt)
                parts = _Parts(self.path)
                try:
                    while pieces := self._take():
                        parts.write(pieces)
                finally:
                    parts.close()
        except OSError as error:
            self._fail(error.strerror or str(error))

    def _take(self) -> list[_Piece]:
        """What waits; nothing when all is written."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended or self._has_failed)
            pieces = list(self._waiting)
            self._waiting.clear()
            self._waiting_cost = 0
            self._changed.notify_all()
        return pieces


class _Parts:
    """The files of an attempt, for the thread that writes them. All raise OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._starts: deque[int] = deque()
        self._log = self._index = -1
        self._part_bytes = 0
        self._indexed: tuple[Stream, int] | None = None
        self._cut_at = 0

    def write(self, pieces: list[_Piece]) -> None:
        if self._log < 0 or self._part_bytes >= PART_BYTES:
            self._next_part()
        lines = []
        at = self._offset
        for stream, at_ms, data in pieces:
            if (
                self._indexed is None
                or stream is not self._indexed[0]
                or (at_ms - self._indexed[1] >= _INDEX_MS)
            ):
                lines.append(INDEX_LINE.format(offset=at, at_ms=at_ms, stream=stream))
                self._indexed = stream, at_ms
            at += len(data)
        # The index first: a reader never takes bytes for those of another stream.
        self._part_bytes += _write_all(self._index, "".join(lines).encode())
        written = _write_all(self._log, *(data for _, _, data in pieces))
        self._part_bytes += written
        self._offset += written

    def _next_part(self) -> None:
        self.close()
        self._starts.append(self._offset)
        name = self._name(self._offset)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        self._index = os.open(f"{name}.index", flags, 0o600)
        self._log = os.open(f"{name}.log", flags, 0o600)
        self._part_bytes = 0
        self._indexed = None
        if len(self._starts) > PARTS:
            self._cut()

    def _cut(self) -> None:
        """Remove the oldest part but the first, and tell it beside."""
        first = self._starts.popleft()
        oldest = self._starts.popleft()
        self._starts.appendleft(first)
        self._cut_at = self._cut_at or oldest
        for ending in ("log", "index"):
            os.unlink(f"{self._name(oldest)}.{ending}")
        mark = Truncated(dropped=self._starts[1] - self._cut_at)
        Path(f"{self._name(self._cut_at)}.cut").write_text(f"{mark}\n")

    def _name(self, start: int) -> str:
        return f"{self._path}-{start:015d}"

    def close(self) -> None:
        for descriptor in (self._log, self._index):
            if descriptor >= 0:
                os.close(descriptor)
        self._log = self._index = -1


def _write_all(descriptor: int, *pieces: bytes) -> int:
    left = deque(memoryview(piece) for piece in pieces if piece)
    while left:
        written = os.writev(descriptor, [*islice(left, _WRITTEN_AT_ONCE)])
        while left and written >= len(left[0]):
            written -= len(left.popleft())
        if written:
            left[0] = left[0][written:]
    return sum(map(len, pieces))
