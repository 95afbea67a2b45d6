"""The output of one attempt on its way: from its pipes or prints, as frames, to the pump.

The first bytes are due at once, what follows each 50 ms or 32 KiB, and no faster than Redis and
its followers should be asked to take: of a flood they get what the caps would keep, and pieces of
the rest. What waits, and what is kept in Redis, is bounded: a beginning and an end, by what they
cost there (a program that writes a byte to each stream in turn makes a frame of each). The
offsets, which count through all attempts of a run, tell a reader what the cap has cut.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import inf

from jober.output import Frame, LogFile, Stream, frame_cost
from jober.store.outputs import HEAD_BYTES, TAIL_BYTES, Piece
from jober_worker.functions import Data

FLUSH_S = 0.05
# With what Redis puts beside it, a frame fits into the 32 KiB that allocators have a size for.
FRAME_BYTES = 32 * 1024 - 256
# Of one run, Redis is sent so much in a second.
BYTES_PER_S = 8 * 1024 * 1024
# What one piece adds, and what it cuts, at the most: Lua unpacks no longer lists than some 8,000.
PIECE_FRAMES = 1024


class _Chunk:
    """Bytes that were written together, or soon after one another, to one stream."""

    __slots__ = ("at_ms", "data", "is_head", "offset", "stream")

    def __init__(self, stream: Stream, at_ms: int, offset: int, data: Data, is_head: bool) -> None:
        self.stream = stream
        self.at_ms = at_ms
        self.offset = offset
        self.data = bytearray(data)
        self.is_head = is_head

    def frame(self, seq: int, base: int) -> Frame:
        """The frame that it becomes; `base` is where the attempt begins in its run."""
        return Frame(
            seq=seq,
            stream=self.stream,
            at_ms=self.at_ms,
            offset=base + self.offset,
            data=bytes(self.data),
        )


class _Waiting:
    """The chunks that wait: a beginning that is kept whole, and an end whose oldest are cut."""

    def __init__(self) -> None:
        self._head: deque[_Chunk] = deque()
        self._tail: deque[_Chunk] = deque()
        self._head_left = HEAD_BYTES
        self._tail_cost = 0
        self._offset = 0
        self.bytes = 0

    def __bool__(self) -> bool:
        return bool(self._head or self._tail)

    def append(self, stream: Stream, data: Data, now_ms: Callable[[], int]) -> None:
        part = self._tail or self._head
        newest = part[-1] if part else None
        at = 0
        if newest and newest.stream is stream:
            room = FRAME_BYTES - len(newest.data)
            # What fits into one frame is not split: it may be a line.
            if len(data) <= room or len(data) > FRAME_BYTES:
                at = min(len(data), room)
                before = frame_cost(len(newest.data))
                newest.data += data[:at]
                self._count(newest.is_head, frame_cost(len(newest.data)) - before)
        if at < len(data):
            now = now_ms()
            for start in range(at, len(data), FRAME_BYTES):
                self._add(stream, now, self._offset + start, data[start : start + FRAME_BYTES])
        self._offset += len(data)
        self.bytes += len(data)
        while self._tail_cost > TAIL_BYTES:
            chunk = self._tail.popleft()
            self._tail_cost -= frame_cost(len(chunk.data))
            self.bytes -= len(chunk.data)

    def _add(self, stream: Stream, now_ms: int, offset: int, data: Data) -> None:
        is_head = self._head_left > 0
        (self._head if is_head else self._tail).append(
            _Chunk(stream, now_ms, offset, data, is_head)
        )
        self._count(is_head, frame_cost(len(data)))

    def _count(self, is_head: bool, cost: int) -> None:
        if is_head:
            self._head_left -= cost
        else:
            self._tail_cost += cost

    def newest_first(self) -> Iterator[_Chunk]:
        yield from reversed(self._tail)
        yield from reversed(self._head)

    def popleft(self) -> _Chunk:
        chunk = self._head.popleft() if self._head else self._tail.popleft()
        self.bytes -= len(chunk.data)
        if not chunk.is_head:
            self._tail_cost -= frame_cost(len(chunk.data))
        return chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """The end of an output, as far as Redis has not acknowledged it. The attempt begins at that
    offset of its run; where that is None, it is not known, and offsets count from there. `file` is
    the attempt, host and path of where the whole of it is."""

    begins_at: int | None
    frames: tuple[Frame, ...]
    file: tuple[int, str, str] | None = None


class RunOutput:
    """`write`, `in_file` and `close` may be called by any thread; the rest is for the pump alone.

    `notice(self, due)` is told when something is to be sent (monotonic seconds). Where an earlier
    attempt has written (`is_placed` is false), the pump tells what is kept of it by `place`.
    """

    def __init__(
        self,
        run: str,
        is_first: bool,
        notice: Callable[["RunOutput", float], None],
        now_ms: Callable[[], int],
    ) -> None:
        self.run = run
        self.refusals = 0
        self.is_placed = is_first
        self.last_seq = 0
        self._notice = notice
        self.now_ms = now_ms
        self._lock = threading.Lock()
        self._waiting = _Waiting()
        self._first_offset = 0
        self._head_left = HEAD_BYTES
        self._kept: deque[tuple[int, int]] = deque()  # (seq, cost) in Redis, past the head
        self._kept_cost = 0
        self._cut: deque[int] = deque()  # seqs that are to go from Redis
        self._file: tuple[int, str, str] | None = None
        # What was taken and is not settled: the frames, and where the whole of them is.
        self._taken: tuple[tuple[Frame, ...], tuple[int, str, str] | None] = ((), None)
        self._noticed = inf
        self._sent_at = 0.0
        self._next_at = 0.0
        self._closed = False
        self._on_drained: Callable[[], None] | None = None

    def write(self, stream: Stream, data: Data) -> None:
        """Take in bytes. Never waits."""
        if not data:
            return
        with self._lock:
            if self._closed:
                return
            self._waiting.append(stream, data, self.now_ms)
            due = self._due()
            if due >= self._noticed:
                return
            self._noticed = due
        self._notice(self, due)

    def in_file(self, attempt: int, host: str, path: str) -> None:
        """The whole of it is in a file too; to be told before what it holds is written."""
        with self._lock:
            self._file = attempt, host, path

    def close(self, on_drained: Callable[[], None]) -> None:
        """Nothing more is written; `on_drained` is called when all of it is in Redis."""
        with self._lock:
            self._closed = True
            self._on_drained = on_drained
        self._notice(self, 0.0)

    def unsent(self, at_most: int) -> Unsent:
        """The last that is not known to be in Redis, of about `at_most` bytes; for any thread."""
        with self._lock:
            begins_at = self._first_offset if self.is_placed else None
            base = begins_at or 0
            taken, file = self._taken
            kept: deque[Frame] = deque()
            size = 0
            for chunk in self._waiting.newest_first():
                if size >= at_most:
                    break
                kept.appendleft(chunk.frame(0, base))
                size += len(chunk.data)
            for frame in reversed(taken):
                if size >= at_most:
                    break
                kept.appendleft(frame)
                size += len(frame.data)
            return Unsent(begins_at=begins_at, frames=tuple(kept), file=file or self._file)

    def place(self, kept: Iterable[Frame]) -> None:
        """It goes on after what Redis has of earlier attempts, and the caps count that too."""
        for frame in kept:
            self._keep(frame.seq, frame.cost)
            self.last_seq = frame.seq
            self._first_offset = frame.end
        self.is_placed = True

    def take(self, limit: int) -> tuple[Piece, int]:
        """A piece of about `limit` bytes, perhaps empty, and its size."""
        assert self.is_placed, "placed before anything is taken"
        frames: list[Frame] = []
        size = 0
        with self._lock:
            while self._waiting and size < limit and len(frames) < PIECE_FRAMES:
                chunk = self._waiting.popleft()
                size += len(chunk.data)
                self.last_seq += 1
                frame = chunk.frame(self.last_seq, self._first_offset)
                frames.append(frame)
                self._keep(frame.seq, frame.cost)
            file, self._file = (self._file, None) if frames else (None, self._file)
            self._taken = tuple(frames), file
            self._sent_at = time.monotonic()
            self._next_at = self._sent_at + size / BYTES_PER_S
            self._noticed = inf
        drop = [self._cut.popleft() for _ in range(min(PIECE_FRAMES, len(self._cut)))]
        return Piece(
            run=self.run, frames=tuple(frames), drop=tuple(drop), file=self._told(file)
        ), size

    def _told(self, file: tuple[int, str, str] | None) -> LogFile | None:
        if file is None:
            return None
        attempt, host, path = file
        return LogFile(attempt=attempt, offset=self._first_offset, host=host, path=path)

    def _keep(self, seq: int, cost: int) -> None:
        """Note what Redis gets, and past the head what has to give way to it."""
        if self._head_left > 0:
            self._head_left -= cost
            return
        self._kept.append((seq, cost))
        self._kept_cost += cost
        while self._kept_cost > TAIL_BYTES:
            cut, cut_cost = self._kept.popleft()
            self._kept_cost -= cut_cost
            self._cut.append(cut)

    def _due(self) -> float:
        """When the next piece is to be sent."""
        if self._closed:
            return 0.0
        if self._waiting.bytes >= FRAME_BYTES:
            return self._next_at
        return max(self._next_at, self._sent_at + FLUSH_S)

    def settle(self) -> float | None:
        """After a send: when more is due (monotonic), or None."""
        with self._lock:
            self._taken = ((), None)
            if self._cut:
                return 0.0
            if self._waiting:
                self._noticed = self._due()
                return self._noticed
            done, self._on_drained = (self._on_drained, None) if self._closed else (None, None)
        if done:
            done()
        return None
