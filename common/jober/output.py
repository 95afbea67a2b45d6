"""A frame: a piece of a run's output."""

from dataclasses import dataclass
from enum import StrEnum


class Stream(StrEnum):
    """Which of its two streams a run wrote to."""

    STDOUT = "stdout"
    STDERR = "stderr"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncated:
    """A mark where the cap on kept output cut: `dropped` bytes stood here."""

    dropped: int

    def __str__(self) -> str:
        return f"[... {self.dropped} bytes truncated ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The end of a run's output: the run has ended as `state`."""

    state: str
    exit_code: int | None
    last_seq: int
