"""Output on its way: from a run's pipes or prints, as frames, to Redis.

A writer never waits for Redis. The first bytes are sent at once, what follows in frames of 50 ms
or 32 KiB. What cannot be sent in time is kept up to a cap, beginning and end; the offsets of the
frames tell a reader how much the cap has cut.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from jober.errors import RedisUnavailable
from jober.output import Frame, Stream
from jober.store import Store
from jober.store.outputs import HEAD_BYTES, TAIL_BYTES, Piece

log = logging.getLogger(__name__)

FLUSH_S = 0.05
FRAME_BYTES = 32 * 1024
# What one round trip carries, over all runs.
BATCH_BYTES = 512 * 1024
RETRY_S = 0.25


class _Chunk:
    """Bytes that were written together, or soon after one another, to one stream."""

    __slots__ = ("at_ms", "data", "offset", "stream")

    def __init__(self, stream: Stream, at_ms: int, offset: int, data: bytes) -> None:
        self.stream = stream
        self.at_ms = at_ms
        self.offset = offset
        self.data = bytearray(data)


class RunOutput:
    """The output of one attempt. `write` may be called by any thread."""

    def __init__(self, run: str, first_seq: int, pump: "Pump") -> None:
        self.run = run
        self._pump = pump
        self._lock = threading.Lock()
        self._waiting: deque[_Chunk] = deque()
        self._waiting_bytes = 0
        self._offset = 0
        self._seq = first_seq
        self._tail: deque[tuple[int, int]] = deque()  # (seq, bytes) that are kept past the head
        self._tail_bytes = 0
        self._sent_at = 0.0
        self._closed = False
        self._on_drained: Callable[[], None] | None = None

    @property
    def last_seq(self) -> int:
        return self._seq

    def write(self, stream: Stream, data: bytes) -> None:
        """Take in bytes. Never waits."""
        if not data:
            return
        with self._lock:
            if self._closed:
                return
            newest = self._waiting[-1] if self._waiting else None
            if newest and newest.stream is stream and len(newest.data) + len(data) <= FRAME_BYTES:
                newest.data += data
            else:
                now = self._pump.now_ms()
                for start in range(0, len(data), FRAME_BYTES):
                    part = data[start : start + FRAME_BYTES]
                    self._waiting.append(_Chunk(stream, now, self._offset + start, part))
            self._offset += len(data)
            self._waiting_bytes += len(data)
            while self._waiting_bytes > HEAD_BYTES + TAIL_BYTES:
                self._drop_one()
            due = 0.0 if self._waiting_bytes >= FRAME_BYTES else self._sent_at + FLUSH_S
        self._pump.notice(self, due)

    def _drop_one(self) -> None:
        """Redis does not keep up: cut the oldest that is not of the beginning."""
        for i, chunk in enumerate(self._waiting):
            if chunk.offset >= HEAD_BYTES:
                self._waiting_bytes -= len(chunk.data)
                del self._waiting[i]
                return
        raise AssertionError("more than the beginning waits, so something stands past it")

    def close(self, on_drained: Callable[[], None]) -> None:
        """Nothing more is written; `on_drained` is called when all of it is in Redis."""
        with self._lock:
            self._closed = True
            self._on_drained = on_drained
        self._pump.notice(self, 0.0)

    def take(self, limit: int) -> tuple[Piece, int]:
        """For the pump alone: a piece of about `limit` bytes, perhaps empty, and its size."""
        frames: list[Frame] = []
        size = 0
        with self._lock:
            while self._waiting and size < limit:
                chunk = self._waiting.popleft()
                self._waiting_bytes -= len(chunk.data)
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
            self._sent_at = time.monotonic()
        drop: list[int] = []
        for frame in frames:
            if frame.offset >= HEAD_BYTES:
                self._tail.append((frame.seq, len(frame.data)))
                self._tail_bytes += len(frame.data)
            while self._tail_bytes > TAIL_BYTES:
                seq, cut = self._tail.popleft()
                self._tail_bytes -= cut
                drop.append(seq)
        return Piece(run=self.run, frames=tuple(frames), drop=tuple(drop)), size

    def settle(self) -> float | None:
        """For the pump alone, after a send: when more is due (monotonic), or None."""
        with self._lock:
            if self._waiting:
                urgent = self._closed or self._waiting_bytes >= FRAME_BYTES
                return 0.0 if urgent else self._sent_at + FLUSH_S
            done, self._on_drained = (self._on_drained, None) if self._closed else (None, None)
        if done:
            done()
        return None


class Pump:
    """Sends what runs write, in one thread, many runs in one round trip."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ready = threading.Condition()
        self._due: dict[RunOutput, float] = {}
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._ready:
            self._stopping = True
            self._ready.notify()
        self._thread.join(timeout=5)

    def now_ms(self) -> int:
        return self._store.clock.now_ms()

    def output(self, run: str, attempt: int) -> RunOutput:
        """The output of an attempt; a later attempt goes on in the same log."""
        first = self._store.outputs.last_seq(run) if attempt > 1 else 0
        return RunOutput(run, first, self)

    def notice(self, output: RunOutput, due: float) -> None:
        """Something of `output` is to be sent at `due` (monotonic seconds)."""
        with self._ready:
            known = self._due.get(output)
            if known is None or due < known:
                self._due[output] = due
                self._ready.notify()

    def _run(self) -> None:
        unsent: list[tuple[RunOutput, Piece]] = []
        while True:
            taken = unsent or self._wait()
            if taken is None:
                return
            pieces = [piece for _, piece in taken if piece.frames]
            try:
                if pieces:
                    self._store.outputs.add(pieces)
            except RedisUnavailable as error:
                if not unsent:
                    log.warning("output waits: %s", error)
                unsent = taken
                if self._stopping:
                    return
                time.sleep(RETRY_S)
                continue
            if unsent:
                log.info("output is sent again")
                unsent = []
            for output in {output for output, _ in taken}:
                due = output.settle()
                if due is not None:
                    self.notice(output, due)

    def _wait(self) -> list[tuple[RunOutput, Piece]] | None:
        """Wait until something is due, and take it; None when stopping."""
        with self._ready:
            while True:
                now = time.monotonic()
                ready = [output for output, due in self._due.items() if due <= now]
                if ready:
                    break
                if self._stopping:
                    return None
                next_due = min(self._due.values(), default=None)
                self._ready.wait(None if next_due is None else next_due - now)
            for output in ready:
                del self._due[output]
        taken: list[tuple[RunOutput, Piece]] = []
        room = BATCH_BYTES
        for output in ready:
            piece, size = output.take(max(1, room))
            room -= size
            taken.append((output, piece))
        return taken
