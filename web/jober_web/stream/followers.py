"""Those who follow: each goes on from its own place, to the end or for as long as it is let."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from jober.client.happenings import Snapshot
from jober.client.live_outputs import FRAMES_AT_ONCE
from jober.errors import RedisUnavailable
from jober.event import Event
from jober.output import Frame, Truncated
from jober.progress import Progress
from jober_web.api.pieces import piece
from jober_web.stream.event_log import EventLog
from jober_web.stream.hub import Hub
from jober_web.stream.run_log import RunLog
from jober_web.stream.sse import HEARTBEAT, RETRY, sse

T = TypeVar("T")

# Where nothing happens for so long, a comment tells that the stream is open.
HEARTBEAT_S = 15.0
# After so long a follower has to come again, and say anew who it is.
LIVES_S = 900.0
EVENTS_AT_ONCE = 200
_AWAY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a follower of a run is: the seq of the last frame that it had, the offset after it,
    and whether it was told of the end."""

    seq: int = 0
    offset: int = 0
    is_end: bool = False

    def __str__(self) -> str:
        return f"{self.seq}-{self.offset}" + ("-end" if self.is_end else "")

    @classmethod
    def read(cls, text: str) -> "Place":
        """Raises ValueError."""
        seq, _, rest = text.partition("-")
        offset, _, end = rest.partition("-")
        numbers = seq + offset
        if not (seq and offset and numbers.isascii() and numbers.isdecimal() and len(text) < 60):
            raise ValueError(f"{text!r:.60} is no place in the output of a run")
        return cls(seq=int(seq), offset=int(offset), is_end=end == "end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Which events a follower gets: `wants` says of some which are for it, and `narrow` leaves out
    of a snapshot what is not. Both may ask Redis."""

    wants: Callable[[Sequence[Event]], Sequence[Event]]
    narrow: Callable[[Snapshot], Snapshot]


async def follow_events(
    hub: Hub, log: EventLog, after: str | None, chosen: Events
) -> AsyncGenerator[bytes, None]:
    """A snapshot, then the events that follow it; with `after`, those that follow that one, and a
    snapshot only where some of them are kept no more. Between them `redis`, where that goes away
    and where it is there again."""
    yield RETRY
    until = time.monotonic() + LIVES_S
    lost = is_away = False
    while not hub.is_closed and time.monotonic() < until:
        if log.is_away != is_away:
            is_away = log.is_away
            yield sse("redis", {"up": not is_away})
        if after is None:
            snapshot = await _asked(partial(_snapshot, hub, chosen, lost))
            if snapshot is None:
                yield HEARTBEAT
                continue
            after, lost = snapshot.id, False
            yield sse("snapshot", snapshot.to_dict(), after)
        found = log.after(after, EVENTS_AT_ONCE)
        if found is None:
            read = await _asked(partial(_read_after, hub, after))
            if read is None:
                yield HEARTBEAT
                continue
            [found] = read
            if found is None:
                after, lost = None, True
                continue
        if found:
            wanted = await _asked(partial(chosen.wants, found))
            if wanted is None:
                yield HEARTBEAT
                continue
            for event in wanted:
                yield sse(event.type, event.to_dict(), event.id)
            after = found[-1].id
        elif not await log.bell.wait(HEARTBEAT_S):
            yield HEARTBEAT


async def follow_output(
    hub: Hub, log: RunLog, run: str, place: Place
) -> AsyncGenerator[bytes, None]:
    """What a run has written after a place and writes, each frame once and in order, with a mark
    where the cap on kept output cut; its progress when it tells of it; and its end."""
    yield RETRY
    until = time.monotonic() + LIVES_S
    progress: Progress | None = None
    while not hub.is_closed and time.monotonic() < until:
        # As they are before the frames are looked at: what was written before the end comes first.
        end, told = log.end, log.progress
        frames = log.after(place.seq, FRAMES_AT_ONCE)
        if frames is None and log.since is not None:
            frames = await _asked(partial(hub.written, run, place.seq, FRAMES_AT_ONCE))
            if frames is None:
                yield HEARTBEAT
                continue
            if not frames:
                # All up to where it is heard from has been, or is kept no more.
                place = replace(place, seq=log.since)
                continue
        for frame in frames or ():
            yield _frame_events(frame, place)
            place = Place(seq=frame.seq, offset=frame.end)
        if frames:
            continue
        if told is not None and told is not progress:
            progress = told
            yield sse("progress", told.to_dict())
        if frames is not None and end is not None:
            place = replace(place, is_end=True)
            yield sse("end", {"state": end.state, "exit_code": end.exit_code}, str(place))
            return
        if not await log.bell.wait(HEARTBEAT_S):
            yield HEARTBEAT


def _frame_events(frame: Frame, place: Place) -> bytes:
    """A frame, and before it a mark where bytes are missing."""
    cut = b""
    if frame.offset > place.offset:
        cut = sse("truncated", piece(Truncated(dropped=frame.offset - place.offset)))
    return cut + sse("frame", piece(frame), f"{frame.seq}-{frame.end}")


def _snapshot(hub: Hub, chosen: Events, lost: bool) -> Snapshot:
    return chosen.narrow(hub.jober.snapshot(lost=lost))


def _read_after(hub: Hub, id: str) -> tuple[list[Event] | None]:
    """In a tuple, since None says that some are lost."""
    return (hub.jober.events_after(id, EVENTS_AT_ONCE),)


async def _asked(ask: Callable[[], T]) -> T | None:
    """What Redis answers; None, after a moment, where it is away."""
    try:
        return await run_in_threadpool(ask)
    except RedisUnavailable:
        await asyncio.sleep(_AWAY_S)
        return None
