"""A run as it goes into the archive, with all that is kept of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from jober.output import Frame
from jober.run import Attempt, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveEntry:
    """An ended `run`, made at `made_at_ms`, its `attempts`, its output, and the tags of its job."""

    run: Run
    made_at_ms: int
    attempts: Sequence[Attempt] = ()
    frames: Sequence[Frame] = ()
    tags: Sequence[str] = ()
