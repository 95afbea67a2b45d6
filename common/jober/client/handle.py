"""The handle of a run: watch it, wait for it, read what it said, cancel it."""

import json
from collections.abc import Iterator
from typing import Any

from jober.client.arguments import checked
from jober.client.whole_log import WholeLog
from jober.errors import RunFailed, WaitTimeout
from jober.log_line import LogLine, as_text, read_lines
from jober.output import End, Frame, Stream, Truncated
from jober.run import GOOD, Attempt, Run, RunState
from jober.store import Store


class RunHandle:
    """One run, by its id. Each property asks Redis anew."""

    def __init__(self, store: Store, id: str) -> None:
        self._store = store
        self.id = id

    def __repr__(self) -> str:
        return f"RunHandle({self.id!r})"

    @property
    def run(self) -> Run:
        """The whole record. Raises RunNotFound."""
        return self._store.runs.get(self.id)

    @property
    def state(self) -> RunState:
        return self.run.state

    @property
    def exit_code(self) -> int | None:
        """The exit status of a program (128 + n where signal n ended it), 0 or 1 of a function;
        None while it has not ended, or was never started."""
        return self.run.exit_code

    @property
    def attempts(self) -> list[Attempt]:
        """Those that have begun, in order: more than one where it was tried again."""
        return self._store.runs.attempts(self.id)

    @checked
    def wait(self, timeout: float | None = None) -> Run:
        """Wait until it has ended, for at most `timeout` seconds; the record of its end.

        Raises WaitTimeout; the run goes on.
        """
        for told in self._store.outputs.follow(self.id, timeout_s=timeout):
            if isinstance(told, End):
                return self.run
        run = self.run
        if run.state.is_final:
            return run
        raise WaitTimeout(f"run '{self.id}' is still {run.state} after {timeout} s")

    @checked
    def result(self, timeout: float | None = None) -> Any:
        """What the function returned, once the run has ended; None for a program, and where there
        was nothing to do.

        Raises RunFailed where it did not succeed, WaitTimeout where it has not ended in time.
        """
        run = self.wait(timeout)
        if run.state not in GOOD:
            raise RunFailed(self.id, str(run.state), run.reason)
        return json.loads(run.return_value) if run.return_value else None

    @checked
    def follow(self, timeout: float | None = None) -> Iterator[Frame | Truncated]:
        """What it has written and writes, as frames in order, until it has ended; a `Truncated`
        stands where the cap on kept output cut."""
        for told in self._store.outputs.follow(self.id, timeout_s=timeout):
            if isinstance(told, Frame | Truncated):
                yield told

    @checked
    def output(self, stream: Stream | None = None, *, whole: bool = False) -> bytes:
        """What is kept of its output so far, of one stream or of all in the order written; its
        log records as text, a line each. Redis has its beginning and its end; with `whole`, what
        is missing between is asked of the hosts where a job with output = "file" has run."""
        log = WholeLog(self._store, self.id)
        return b"".join(
            as_text(frame.data) if frame.stream is Stream.LOG else frame.data
            for frame in log.forward(whole=whole)
            if isinstance(frame, Frame) and stream in (None, frame.stream)
        )

    def records(self) -> list[LogLine]:
        """What is kept of its log records so far."""
        data = b"".join(
            frame.data for frame in self._store.outputs.read(self.id) if frame.stream is Stream.LOG
        )
        return [line for line in read_lines(data) if isinstance(line, LogLine)]

    @checked
    def cancel(self, reason: str = "cancelled") -> str:
        """Stop it: `withdrawn` where it had not started, `asked` where its agent was told to,
        else the state that it ended in before."""
        return self._store.runs.cancel(self.id, reason)
