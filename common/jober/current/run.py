"""What a run may know of itself, and say."""

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import TracebackType

from jober.current.link import Link
from jober.log_line import LogLine, of_record
from jober.progress import checked_step


@dataclass(frozen=True, kw_only=True)
class CurrentRun:
    """The run that the code belongs to. `fire_at` is aware, and None for a run by hand; `term` is
    that of the leader that fired it; `job` is None for an application's own RQ job."""

    id: str
    job: str | None
    attempt: int
    host: str
    fire_at: datetime | None
    term: int | None
    _link: Link

    def __repr__(self) -> str:
        return f"<run {self.id}, attempt {self.attempt}>"

    def progress(
        self,
        done: float | None = None,
        total: float | None = None,
        message: str | None = None,
        group: str | None = None,
    ) -> None:
        """Report that `done` of `total` is done, in all or in a group ("copy", "copy/files").

        What is left out stays as it was. It costs little, however often it is called: a few
        reports a second are passed on, and always the last. Raises ValueError for what is no
        number.
        """
        self._link.progress(checked_step(done, total, message, group))

    def progress_group(
        self, name: str, total: float | None = None, message: str | None = None
    ) -> "ProgressGroup":
        """A part of the work with a progress of its own, which may have parts in turn.

        >>> with run.progress_group("copy", total=10) as copy:
        ...     copy.advance()
        """
        return ProgressGroup(self, name, total, message)

    @property
    def cancelled(self) -> bool:
        """Whether the run has been asked to stop; to be looked at now and then.

        In a main thread whose program does not handle SIGTERM itself, SIGTERM merely sets it from
        the first look on: the program has the job's `grace` to end by itself.
        """
        return self._link.cancelled()

    def wait_cancelled(self, timeout: float | None = None) -> bool:
        """Wait until the run is asked to stop, for at most `timeout` seconds; whether it was.
        A sleep that ends early."""
        return self._link.wait_cancelled(timeout)

    @property
    def is_over(self) -> bool:
        """Whether it has ended, and this thread was left behind by it."""
        return self._link.is_over()

    def put(self, line: LogLine) -> bool:
        """Put a record into the run's log; False where that cannot be."""
        return self._link.log(line)

    @cached_property
    def log(self) -> logging.Logger:
        """A logger whose records go into the run's log, and nowhere else; from INFO up."""
        # Registered nowhere, so that the loggers of runs neither add up nor reach the root.
        logger = logging.Logger(self.job or "run", logging.INFO)
        logger.addHandler(_ToLink(self._link))
        return logger


class ProgressGroup:
    """A part of the work, from `CurrentRun.progress_group`."""

    def __init__(
        self, run: CurrentRun, path: str, total: float | None, message: str | None
    ) -> None:
        self.path = path
        self._run = run
        self._done: float = 0
        self.progress(0, total, message)

    def __enter__(self) -> "ProgressGroup":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """It stays as it was last told: what is not done is not said to be."""

    def progress(
        self, done: float | None = None, total: float | None = None, message: str | None = None
    ) -> None:
        """Report that `done` of `total` is done of this part."""
        self._run.progress(done, total, message, group=self.path)
        if done is not None:
            self._done = done

    def advance(self, by: float = 1, message: str | None = None) -> None:
        """Report that so much more is done. For one thread at a time."""
        self.progress(self._done + by, message=message)

    def progress_group(
        self, name: str, total: float | None = None, message: str | None = None
    ) -> "ProgressGroup":
        """A part of this part."""
        return ProgressGroup(self._run, f"{self.path}/{name}", total, message)


class _ToLink(logging.Handler):
    _formatter = logging.Formatter()

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link

    def emit(self, record: logging.LogRecord) -> None:
        told = self._link.log(of_record(record, self._formatter))
        if not told and logging.lastResort is not None:
            logging.lastResort.handle(record)
