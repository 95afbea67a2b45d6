"""What many runs write, as they write it: one connection to Redis and one thread for all of them,
however many there are and however many follow each."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from jober.client.access import Access
from jober.errors import RedisUnavailable
from jober.output import End, Frame
from jober.progress import Progress
from jober.store.output_feed import Stirred

log = logging.getLogger(__name__)

# How often the thread looks whether it is to end, and for a Redis that is away.
LOOK_S = 0.5
# It reads so many frames of a run at once, and then those of another.
FRAMES_AT_ONCE = 256
_END_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What is new of a run. The first has `since`, the seq of its newest frame as it began to be
    heard: what is older is to be read. `frames` are in order, without one left out that is kept."""

    run: str
    since: int | None = None
    frames: tuple[Frame, ...] = ()
    progress: Progress | None = None
    end: End | None = None


class LiveOutputs:
    """Calls back with what the runs write that were added, in a thread of its own, until it is
    closed. While Redis is away nothing is told; what was written meanwhile is told after it."""

    def __init__(self, access: Access, tell: Callable[[Written], None]) -> None:
        self._store = access.store
        self._tell = tell
        self._feed = access.store.output_feed()
        self._last: dict[str, int] = {}
        self._to_end = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def add(self, run: str) -> None:
        """Tell of the run from now on."""
        with self._starting:
            if self._thread is None and not self._to_end.is_set():
                self._thread = threading.Thread(
                    target=self._listen, name="jober-outputs", daemon=True
                )
                self._thread.start()
        self._feed.add(run)

    def drop(self, run: str) -> None:
        """Tell of it no more; what is being told just now may still come."""
        self._feed.drop(run)
        self._last.pop(run, None)

    def close(self) -> None:
        """Nothing is told after this."""
        self._to_end.set()
        with self._starting:
            thread = self._thread
        if thread is not None:
            thread.join(_END_S)

    def _listen(self) -> None:
        while not self._to_end.is_set():
            try:
                for stirred in self._feed.told(LOOK_S):
                    for run, how in stirred.items():
                        self._look(run, how)
                    if self._to_end.is_set():
                        return
            except RedisUnavailable as error:
                log.warning("followers of output wait for Redis: %s", error)
                self._to_end.wait(LOOK_S)

    def _look(self, run: str, how: Stirred) -> None:
        if self._to_end.is_set():
            return
        if how.added:
            since = self._last[run] = self._store.outputs.last_seq(run)
            self._tell(Written(run=run, since=since))
        last = self._last.get(run)
        if last is None:
            return
        # The end first: what was written before it is in the log by then.
        end = self._store.outputs.ended(run) if how.again or how.added or how.ended else None
        while frames := self._store.outputs.some(run, last, FRAMES_AT_ONCE):
            last = frames[-1].seq
            if run not in self._last:
                return
            self._last[run] = last
            self._tell(Written(run=run, frames=frames))
        if how.progress is not None or end is not None:
            self._tell(Written(run=run, progress=how.progress, end=end))
