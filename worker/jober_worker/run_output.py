"""The output of one attempt on its way: from its pipes or prints, as frames, to the pump.

The first bytes are due at once, what follows each 50 ms or 32 KiB. What waits, and what is kept
in Redis, is bounded: a beginning and an end, both in bytes and in frames (a program that writes a
byte to each stream in turn makes a frame of each). The offsets tell a reader what the cap has cut.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

from jober.output import Frame, Stream
from jober.store.outputs import HEAD_BYTES, TAIL_BYTES, Piece
from jober_worker.functions import Data

FLUSH_S = 0.05
FRAME_BYTES = 32 * 1024
HEAD_FRAMES = 8192
TAIL_FRAMES = 24576
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


class _Waiting:
    """The chunks that wait: a beginning that is kept whole, and an end whose oldest are cut."""

    def __init__(self) -> None:
        self._head: deque[_Chunk] = deque()
        self._tail: deque[_Chunk] = deque()
        self._tail_bytes = 0
        self._offset = 0
        self._made = 0
        self.bytes = 0

    def __bool__(self) -> bool:
        return bool(self._head or self._tail)

    def append(self, stream: Stream, data: Data, now_ms: Callable[[], int]) -> None:
        part = self._tail or self._head
        newest = part[-1] if part else None
        if newest and newest.stream is stream and len(newest.data) + len(data) <= FRAME_BYTES:
            newest.data += data
            if not newest.is_head:
                self._tail_bytes += len(data)
        else:
            now = now_ms()
            for start in range(0, len(data), FRAME_BYTES):
                self._add(stream, now, self._offset + start, data[start : start + FRAME_BYTES])
        self._offset += len(data)
        self.bytes += len(data)
        while self._tail_bytes > TAIL_BYTES or len(self._tail) > TAIL_FRAMES:
            self._tail_bytes -= len(self._tail[0].data)
            self.bytes -= len(self._tail.popleft().data)

    def _add(self, stream: Stream, now_ms: int, offset: int, data: Data) -> None:
        is_head = offset < HEAD_BYTES and self._made < HEAD_FRAMES
        self._made += 1
        (self._head if is_head else self._tail).append(
            _Chunk(stream, now_ms, offset, data, is_head)
        )
        if not is_head:
            self._tail_bytes += len(data)

    def popleft(self) -> _Chunk:
        chunk = self._head.popleft() if self._head else self._tail.popleft()
        self.bytes -= len(chunk.data)
        if not chunk.is_head:
            self._tail_bytes -= len(chunk.data)
        return chunk


class RunOutput:
    """`write` and `close` may be called by any thread; the rest is for the pump alone.

    `notice(self, due)` is told when something is to be sent (monotonic seconds). `first_seq` is
    the last seq that earlier attempts have written, or None where the pump has to look.
    """

    def __init__(
        self,
        run: str,
        first_seq: int | None,
        notice: Callable[["RunOutput", float], None],
        now_ms: Callable[[], int],
    ) -> None:
        self.run = run
        self.refusals = 0
        self._notice = notice
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._waiting = _Waiting()
        self._seq = first_seq
        self._kept: deque[tuple[int, int]] = deque()  # (seq, bytes) in Redis, past the head
        self._kept_bytes = 0
        self._cut: deque[int] = deque()  # seqs that are to go from Redis
        self._sent_at = 0.0
        self._closed = False
        self._on_drained: Callable[[], None] | None = None

    @property
    def last_seq(self) -> int:
        return self._seq or 0

    def write(self, stream: Stream, data: Data) -> None:
        """Take in bytes. Never waits."""
        if not data:
            return
        with self._lock:
            if self._closed:
                return
            self._waiting.append(stream, data, self._now_ms)
            due = 0.0 if self._waiting.bytes >= FRAME_BYTES else self._sent_at + FLUSH_S
        self._notice(self, due)

    def close(self, on_drained: Callable[[], None]) -> None:
        """Nothing more is written; `on_drained` is called when all of it is in Redis."""
        with self._lock:
            self._closed = True
            self._on_drained = on_drained
        self._notice(self, 0.0)

    @property
    def is_placed(self) -> bool:
        """Whether it is known where the log goes on."""
        return self._seq is not None

    def place(self, first_seq: int) -> None:
        self._seq = first_seq

    def take(self, limit: int) -> tuple[Piece, int]:
        """A piece of about `limit` bytes, perhaps empty, and its size."""
        assert self._seq is not None, "placed before anything is taken"
        frames: list[Frame] = []
        size = 0
        with self._lock:
            while self._waiting and size < limit and len(frames) < PIECE_FRAMES:
                chunk = self._waiting.popleft()
                size += len(chunk.data)
                self._seq += 1
                frames.append(
                    Frame(
                        seq=self._seq,
                        stream=chunk.stream,
                        at_ms=chunk.at_ms,
                        offset=chunk.offset,
                        data=bytes(chunk.data),
                    )
                )
                if not chunk.is_head:
                    self._keep(self._seq, len(chunk.data))
            self._sent_at = time.monotonic()
        drop = [self._cut.popleft() for _ in range(min(PIECE_FRAMES, len(self._cut)))]
        return Piece(run=self.run, frames=tuple(frames), drop=tuple(drop)), size

    def _keep(self, seq: int, size: int) -> None:
        """Note what Redis gets past the head, and what has to give way to it."""
        self._kept.append((seq, size))
        self._kept_bytes += size
        while self._kept_bytes > TAIL_BYTES or len(self._kept) > TAIL_FRAMES:
            cut, cut_bytes = self._kept.popleft()
            self._kept_bytes -= cut_bytes
            self._cut.append(cut)

    def settle(self) -> float | None:
        """After a send: when more is due (monotonic), or None."""
        with self._lock:
            if self._waiting:
                urgent = self._closed or self._waiting.bytes >= FRAME_BYTES
                return 0.0 if urgent else self._sent_at + FLUSH_S
            if self._cut:
                return 0.0
            done, self._on_drained = (self._on_drained, None) if self._closed else (None, None)
        if done:
            done()
        return None
