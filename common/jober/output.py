"""A frame: a piece of a run's output."""

from dataclasses import dataclass
from enum import StrEnum


class Stream(StrEnum):
    """Which of its two streams a run wrote to."""

    STDOUT = "stdout"
    STDERR = "stderr"
    LOG = "log"  # records of the run, as lines of JSON: see log_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A piece of output: bytes as they were written, never decoded by the agent.

    `seq` counts the frames of a run from 1 without a gap; `offset` counts the bytes that came
    before it on either stream, so a hole in the offsets tells how much was dropped.
    """

    seq: int
    stream: Stream
    at_ms: int
    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """The offset that the next frame has when nothing was dropped between."""
        return self.offset + len(self.data)

    @property
    def cost(self) -> int:
        """About how much memory it takes in Redis."""
        return frame_cost(len(self.data))


def frame_cost(size: int) -> int:
    """About how much memory a frame of `size` bytes takes in Redis, which shares nodes of 4 KiB
    among entries (measured: 40 bytes for one of 1 byte, 610 for one of 4 KiB and more)."""
    return size + 64 + min(size, 4096) // 6


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile:
    """Where the whole of an attempt's output is: its `host`, and the `path` of its files there,
    without what follows the number of the attempt. Its first byte is at `offset` of the run."""

    attempt: int
    offset: int
    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.attempt} {self.offset} {self.host} {self.path}"

    @classmethod
    def from_text(cls, text: str) -> "LogFile":
        attempt, offset, host, path = text.split(" ", 3)
        return cls(attempt=int(attempt), offset=int(offset), host=host, path=path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncated:
    """A mark where the cap on kept output cut: `dropped` bytes stood here.

    `why` says why they could not be had from where they are kept whole.
    """

    dropped: int
    why: str | None = None

    def __str__(self) -> str:
        return f"[... {self.dropped} bytes truncated{f': {self.why}' if self.why else ''} ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The end of a run's output: the run has ended as `state`."""

    state: str
    exit_code: int | None
    last_seq: int
