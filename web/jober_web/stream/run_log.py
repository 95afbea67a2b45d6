"""The newest of what a run writes, for all who follow it."""

from collections import deque

from jober.client.live_outputs import Written
from jober.output import End, Frame
from jober.progress import Progress
from jober_web.stream.bell import Bell

KEPT_BYTES = 512 * 1024


class RunLog:
    """All frames after `since` that have come so far, but for those before the newest 512 KiB. For
    the event loop alone. `since` is None until the run is heard."""

    def __init__(self) -> None:
        self.bell = Bell()
        self.followers = 0
        self.since: int | None = None
        self.end: End | None = None
        self.progress: Progress | None = None
        self._kept: deque[Frame] = deque()
        self._bytes = 0

    def take(self, written: Written) -> None:
        """Take what is new."""
        if written.since is not None:
            self.since = written.since
            self._kept.clear()
            self._bytes = 0
        for frame in written.frames:
            self._kept.append(frame)
            self._bytes += frame.cost
            while self._bytes > KEPT_BYTES and len(self._kept) > 1:
                gone = self._kept.popleft()
                self.since = gone.seq
                self._bytes -= gone.cost
        self.progress = written.progress or self.progress
        self.end = written.end or self.end
        self.bell.ring()

    def after(self, seq: int, limit: int) -> list[Frame] | None:
        """The next frames after that one; None where some of them are not here."""
        if self.since is None or seq < self.since:
            return None
        found: list[Frame] = []
        for frame in reversed(self._kept):
            if frame.seq <= seq:
                break
            found.append(frame)
        return found[::-1][:limit]
