"""The way from a run to its agent, whichever it is."""

from typing import Protocol

from jober.log_line import LogLine
from jober.progress import Step


class Link(Protocol):
    """None of these raises, and none waits for Redis."""

    def progress(self, step: Step) -> None:
        """Report how far it is."""
        ...

    def log(self, line: LogLine) -> bool:
        """Put a record into the run's log; False where the agent could not be told."""
        ...

    def is_over(self) -> bool:
        """Whether it has ended, as far as is known here: a thread may have been left behind."""
        ...

    def cancelled(self) -> bool:
        """Whether the run has been asked to stop."""
        ...

    def wait_cancelled(self, timeout_s: float | None) -> bool:
        """Wait until it is, for at most so long; whether it was."""
        ...
