"""Output in Redis: a capped log for each run, and a channel for who follows it live."""

import json
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import msgpack

from jober.output import End, Frame, LogFile, Stream, Truncated
from jober.progress import Progress, read_progress
from jober.run import FINAL
from jober.store import keys
from jober.store.connection import Connection
from jober.store.fields import number, packed, readable, text

# What is kept of a run's output, its beginning and its end, with all that Redis needs beside the
# bytes themselves (see `Frame.cost`): under 1 MB.
HEAD_BYTES = 256 * 1024
TAIL_BYTES = 640 * 1024
# A log lives this long without a new frame; the end of the run sets it anew.
LOG_TTL_S = 7 * 86_400
_PAGE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Frames of one run to be added, and frames the cap cuts out of its log.

    `file` tells where the whole of an attempt is, the first time that it is known. A piece of an
    `attempt` is passed over where the run has gone on to another, or is no more.
    """

    run: str
    frames: tuple[Frame, ...]
    drop: tuple[int, ...] = ()
    file: LogFile | None = None
    attempt: int | None = None


class OutputStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def add(self, pieces: Sequence[Piece]) -> list[int]:
        """Add frames to logs and tell them to followers; the last seq of each log by then.

        A frame that is there already is passed over.
        """
        told = [
            {
                "id": piece.run,
                "frames": [
                    [frame.seq, str(frame.stream), frame.at_ms, frame.offset, frame.data]
                    for frame in piece.frames
                ],
                "drop": [f"{seq}-0" for seq in piece.drop],
                **({"file": str(piece.file)} if piece.file else {}),
                **({"attempt": piece.attempt} if piece.attempt is not None else {}),
            }
            for piece in pieces
        ]
        reply = self._redis.run("out", [], [LOG_TTL_S, packed(told)])
        return [int(last) for last in reply]

    def last_seq(self, run: str) -> int:
        """The seq of the newest frame; 0 where there is none."""
        newest = next(self.read_back(run), None)
        return newest.seq if newest else 0

    def read(self, run: str, after: int = 0) -> Iterator[Frame]:
        """The kept frames with seq > after, in order, a page at a time."""
        begin = f"({after}-0" if after else "-"
        while True:
            found = self._redis.command("XRANGE", keys.out_log(run), begin, "+", "COUNT", _PAGE)
            yield from filter(None, (_frame(*entry) for entry in found))
            if len(found) < _PAGE:
                return
            begin = f"({found[-1][0].decode()}"

    def some(self, run: str, after: int, limit: int) -> tuple[Frame, ...]:
        """The next kept frames with seq > after, so many at the most."""
        found = self._redis.command("XRANGE", keys.out_log(run), f"({after}-0", "+", "COUNT", limit)
        return tuple(filter(None, (_frame(*entry) for entry in found)))

    def read_back(self, run: str) -> Iterator[Frame]:
        """The kept frames from the newest to the oldest, a page at a time."""
        before = "+"
        while True:
            found = self._redis.command("XREVRANGE", keys.out_log(run), before, "-", "COUNT", _PAGE)
            yield from filter(None, (_frame(*entry) for entry in found))
            if len(found) < _PAGE:
                return
            before = f"({found[-1][0].decode()}"

    def read_from(self, run: str, offset: int) -> Iterator[Frame]:
        """The kept frames from the one on that has the byte at `offset`, or that is the first after
        it, in order."""
        low = self._one("XRANGE", run, "-", "+")
        high = self._one("XREVRANGE", run, "+", "-")
        if low is None or high is None:
            return iter(())
        first, last = low.seq, high.seq
        while first < last:
            middle = (first + last + 1) // 2
            frame = self._one("XRANGE", run, f"{middle}-0", "+")
            if frame is not None and frame.offset <= offset:
                first = max(middle, frame.seq)
            else:
                last = middle - 1
        return (frame for frame in self.read(run, first - 1) if frame.end > offset)

    def beginnings(self, runs: Sequence[str], frames: int) -> dict[str, list[Frame]]:
        """The first kept frames of each of these runs, in one round trip."""
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for run in runs:
                pipeline.execute_command("XRANGE", keys.out_log(run), "-", "+", "COUNT", frames)
            found = pipeline.execute() if runs else []
        return {
            run: [frame for frame in (_frame(*entry) for entry in entries) if frame]
            for run, entries in zip(runs, found, strict=True)
        }

    def size(self, run: str) -> int:
        """How many bytes it has written, by the newest frame that is kept."""
        newest = self._one("XREVRANGE", run, "+", "-")
        return newest.end if newest else 0

    def _one(self, command: str, run: str, begin: str, end: str) -> Frame | None:
        found = self._redis.command(command, keys.out_log(run), begin, end, "COUNT", 1)
        return _frame(*found[0]) if found else None

    def files(self, run: str) -> list[LogFile]:
        """Where the whole of it is, by attempt; nothing where no file keeps it."""
        told = self._redis.command("HGET", keys.rq_job(run), "log_files") or b""
        files = (readable(_file, line) for line in told.splitlines())
        return [file for file in files if file]

    def has_record(self, run: str) -> bool:
        """Whether Redis has the run itself still."""
        return bool(self._redis.command("EXISTS", keys.rq_job(run)))

    def is_kept(self, run: str) -> bool:
        """Whether the job of a run wants its output kept at all."""
        told = self._redis.command("HGET", keys.rq_job(run), "options")
        return readable(_output, told) != "none"

    def follow(
        self, run: str, after: int = 0, timeout_s: float | None = None
    ) -> Iterator[Frame | Truncated | Progress | End | None]:
        """What the run has written and writes, each frame once and in order, with a mark where the
        cap cut, up to and with its End; and its progress when it tells of it. None is yielded each
        second that nothing came.

        It subscribes, waits for the acknowledgement, reads the log, then goes live; frames it
        has seen are dropped, and on a gap it reads the log again.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        follower = _Follower(self, run, after)
        with self._redis.guard(), closing(self._redis.client.pubsub()) as channel:
            channel.subscribe(keys.out(run))
            while channel.get_message(timeout=5.0) is None:
                pass
            yield from follower.catch_up()
            end = self.ended(run)
            if end is None:
                end = yield from self._live(run, follower, channel, deadline)
            if end is None:
                return
        yield from follower.catch_up()
        yield end

    def _live(
        self, run: str, follower: "_Follower", channel: Any, deadline: float | None
    ) -> Generator[Frame | Truncated | Progress | None, None, End | None]:
        """What comes from now on, and then the end; None where the time is over before it."""
        quiet = 0
        while deadline is None or time.monotonic() < deadline:
            message = channel.get_message(timeout=1.0)
            kind = None if message is None else message["type"]
            quiet = quiet + 1 if message is None else 0
            # The connection was lost and made anew, or nothing came for a while: was the end told
            # while we were cut off?
            if kind == "subscribe" or (quiet and quiet % 3 == 0):
                yield from follower.catch_up()
                if (end := self.ended(run)) is not None:
                    return end
            told = read_message(message["data"]) if kind == "message" else None
            if isinstance(told, End):
                return told
            if isinstance(told, Frame):
                yield from follower.take(told)
            elif isinstance(told, Progress):
                yield told
            elif message is None:
                yield None
        return None

    def ended(self, run: str) -> End | None:
        """Its end; None while it goes on."""
        state, exit_code, origin = self._redis.command(
            "HMGET", keys.rq_job(run), "state", "exit_code", "origin"
        )
        # A run that nobody knows has ended; an application's RQ job has no state of ours at first.
        if origin is not None and text(state) not in FINAL:
            return None
        return End(state=text(state) or "", exit_code=readable(number, exit_code), last_seq=0)


class _Follower:
    """Which frames a follower has had, so that each comes once, in order, or a mark instead."""

    def __init__(self, store: OutputStore, run: str, after: int) -> None:
        self._store = store
        self._run = run
        self._seq = after
        self._offset: int | None = None if after else 0

    def catch_up(self) -> Iterator[Frame | Truncated]:
        yield from self._pass(self._store.read(self._run, self._seq))

    def take(self, frame: Frame) -> Iterator[Frame | Truncated]:
        if frame.seq > self._seq + 1:
            yield from self.catch_up()
        yield from self._pass([frame])

    def _pass(self, frames: Iterable[Frame]) -> Iterator[Frame | Truncated]:
        for frame in frames:
            if frame.seq <= self._seq:
                continue
            if self._offset is not None and frame.offset > self._offset:
                yield Truncated(dropped=frame.offset - self._offset)
            self._seq, self._offset = frame.seq, frame.end
            yield frame


def _file(line: bytes | None) -> LogFile | None:
    return LogFile.from_text(line.decode()) if line else None


def _output(options: bytes | None) -> str | None:
    return str(json.loads(options).get("output")) if options else None


def _frame(entry_id: bytes, pairs: Any) -> Frame | None:
    """The frame of an entry; None for one that is none, which is passed over."""
    fields = pairs if isinstance(pairs, dict) else dict(zip(pairs[::2], pairs[1::2], strict=True))
    try:
        return Frame(
            seq=int(entry_id.split(b"-")[0]),
            stream=Stream(fields[b"stream"].decode()),
            at_ms=int(fields[b"at"]),
            offset=int(fields[b"offset"]),
            data=fields[b"data"],
        )
    except (LookupError, ValueError):
        return None


def read_message(message: bytes) -> Frame | Progress | End | None:
    """What is told to followers; None where the message is none: anybody may publish anything."""
    try:
        return _read(message)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError):
        return None
    except msgpack.UnpackException:
        return None


def _read(message: bytes) -> Frame | Progress | End:
    kind, *rest = msgpack.unpackb(message, raw=True)
    if kind == b"progress":
        return read_progress(rest[0])
    if kind == b"end":
        state, exit_code, last_seq = rest
        code = None if exit_code is False else int(exit_code)
        return End(state=state.decode(), exit_code=code, last_seq=int(last_seq))
    seq, stream, at_ms, offset, data = rest
    if not isinstance(data, bytes):
        raise ValueError("the data of a frame is bytes")
    return Frame(
        seq=int(seq),
        stream=Stream(stream.decode()),
        at_ms=int(at_ms),
        offset=int(offset),
        data=data,
    )
