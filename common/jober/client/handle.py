"""The handle of a run: watch it, wait for it, read what it said, cancel it, run it again."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jober.client.access import Access
from jober.client.again import again, arguments_of
from jober.client.arguments import checked
from jober.client.giving_up import patiently
from jober.client.output import Output
from jober.client.until import Until, read_until
from jober.errors import RunFailed, WaitTimeout
from jober.log_line import LogLine, read_lines
from jober.output import End, Stream
from jober.progress import Progress
from jober.run import Attempt, Run, RunState

# While a run is waited for, it is looked at so often where no event tells of it.
_LOOK_S = 0.25


class RunHandle:
    """One run, by its id. Each property asks Redis anew."""

    def __init__(self, access: Access, id: str) -> None:
        self._access = access
        self._store = access.store
        self.id = id

    def __repr__(self) -> str:
        return f"RunHandle({self.id!r})"

    @property
    def run(self) -> Run:
        """The whole record. Raises RunNotFound."""
        return self._store.runs.get(self.id)

    @property
    def state(self) -> RunState:
        """Where it is: a text as well, `"running"`, `"success"`, `"failed"`. Raises RunNotFound."""
        return self.run.state

    @property
    def exit_code(self) -> int | None:
        """The exit status of a program (128 + n where signal n ended it), 0 or 1 of a function;
        None while it has not ended, or was never started."""
        return self.run.exit_code

    @property
    def progress(self) -> Progress | None:
        """The newest that it said of how far it is; None where it said nothing."""
        return self.run.progress

    @property
    def attempts(self) -> list[Attempt]:
        """Those that have begun, in order: more than one where it was tried again."""
        return self._store.runs.attempts(self.id)

    @property
    def arguments(self) -> tuple[list[Any], dict[str, Any]] | None:
        """What it was given, by position and by name; None where that is known no more."""
        return arguments_of(self._store, self.id)

    @property
    def logs(self) -> list[LogLine]:
        """What is kept of its log records so far, in order: level, logger, moment and text."""
        data = b"".join(
            frame.data for frame in self._store.outputs.read(self.id) if frame.stream is Stream.LOG
        )
        return [line for line in read_lines(data) if isinstance(line, LogLine)]

    @property
    def output(self) -> Output:
        """What it writes, on both streams and to its log."""
        return Output(self._access, self.id)

    @property
    def stdout(self) -> Output:
        """What it writes to stdout."""
        return Output(self._access, self.id, Stream.STDOUT)

    @property
    def stderr(self) -> Output:
        """What it writes to stderr."""
        return Output(self._access, self.id, Stream.STDERR)

    @property
    def log(self) -> Output:
        """The records of its loggers, a line each."""
        return Output(self._access, self.id, Stream.LOG)

    @checked
    def wait(self, timeout: float | None = None, until: Until | None = None) -> Run:
        """Wait until it has ended, for at most `timeout` seconds; its record then.

        With `until`, a state, several, or a function of its record, until it is so, or has ended.
        Raises WaitTimeout; the run goes on.
        """
        if until is not None:
            return self._wait_until(timeout, until)
        for told in patiently(self._store.outputs.follow(self.id, timeout_s=timeout)):
            if isinstance(told, End):
                return self.run
        run = self.run
        if run.state.is_final:
            return run
        raise self._timeout(run, timeout)

    @checked
    def result(self, timeout: float | None = None) -> Any:
        """What the function returned, once the run has ended; None for a program, and where there
        was nothing to do.

        Raises RunFailed where it did not succeed, WaitTimeout where it has not ended in time.
        """
        run = self.wait(timeout)
        if not run.is_good:
            raise _failed(run)
        return json.loads(run.return_value) if run.return_value else None

    @checked
    def exception(self, timeout: float | None = None) -> RunFailed | None:
        """Why it did not succeed, once it has ended; None where it did. Raises WaitTimeout."""
        run = self.wait(timeout)
        return None if run.is_good else _failed(run)

    @checked
    def cancel(self, reason: str = "cancelled") -> str:
        """Stop it: `withdrawn` where it had not started, `asked` where its agent was told to,
        else the state that it ended in before."""
        return self._store.runs.cancel(self.id, reason)

    @checked
    def rerun(
        self,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        append: bool = False,
        detach: bool | None = None,
    ) -> "RunHandle":
        """Run the same again, now, as a run of its own: with its arguments, with these in their
        place, or, with `append`, with these after them.

        Raises JobNotFound where its job is gone, JoberError where its definition is, or where it
        is an application's own RQ job.
        """
        job, run = again(self._store, self.id, args, kwargs, append)
        self._store.runs.enqueue(job, [run], owner=self._access.home.owner(detach))
        return RunHandle(self._access, run.id)

    def _wait_until(self, timeout: float | None, until: Until) -> Run:
        is_so = read_until(until)
        deadline = None if timeout is None else time.monotonic() + timeout
        after = self._store.events.last_id()
        for _ in self._looks(after):
            run = self.run
            if is_so(run) or run.state.is_final:
                return run
            if deadline is not None and time.monotonic() >= deadline:
                raise self._timeout(run, timeout)
        raise AssertionError("the events end")

    def _looks(self, after: str) -> Iterator[None]:
        """A look at the run is due: at once, at each event of it, and a few times a second."""
        yield
        looked = time.monotonic()
        for event in patiently(self._store.events.follow(after, wait_s=_LOOK_S)):
            now = time.monotonic()
            if event is None or event.facts.get("run") == self.id or now - looked >= _LOOK_S:
                looked = now
                yield

    def _timeout(self, run: Run, timeout: float | None) -> WaitTimeout:
        return WaitTimeout(f"run '{self.id}' is still {run.state} after {timeout} s")


def _failed(run: Run) -> RunFailed:
    return RunFailed(run.id, str(run.state), run.reason, run.traceback)
