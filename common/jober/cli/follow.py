"""To follow a run: its bytes, untouched, until it has ended."""

import sys
from collections.abc import Callable

from jober.cli.live_bar import LiveBar
from jober.cli.patience import Patience
from jober.cli.records import shown
from jober.cli.terminal import note
from jober.client import Jober
from jober.client.waiting import why_it_waits
from jober.errors import RedisUnavailable
from jober.output import End, Frame, Stream, Truncated
from jober.progress import Progress
from jober.run import Run, RunState

TIMED_OUT = 124

Write = Callable[[Frame], bool]


def _note_mark(mark: Truncated) -> None:
    note(str(mark))


def follow(
    jober: Jober,
    id: str,
    write: Write,
    after: int = 0,
    mark: Callable[[Truncated], object] = _note_mark,
) -> Run | None:
    """Hand each frame after `after` to `write`, until the run has ended or `write` says False.

    The record of the end, or None where `write` had enough. Marks of what the cap cut go to
    `mark`, by default to stderr, as does why nothing comes yet. Raises RunNotFound, and
    RedisUnavailable where Redis is away for over a minute.
    """
    printer = _Printer(jober, id, write, mark, after)
    patience = Patience()
    while True:
        try:
            for told in jober.store.outputs.follow(id, after=printer.last):
                patience.answered()
                if isinstance(told, End):
                    printer.bar.clear()
                    return jober.store.runs.get(id)
                if not printer.take(told):
                    return None
        except KeyboardInterrupt:
            printer.bar.clear()
            raise
        except RedisUnavailable as error:
            printer.bar.clear()
            patience.wait(error)


class _Printer:
    """Passes on what is told of a run, above a bar of its progress. `last` is the newest frame."""

    def __init__(
        self,
        jober: Jober,
        id: str,
        write: Write,
        mark: Callable[[Truncated], object],
        after: int,
    ) -> None:
        self._jober = jober
        self._id = id
        self._write = write
        self._mark = mark
        self._hint: str | None = None
        self.last = after
        self.bar = LiveBar()
        if (known := jober.store.runs.get(id).progress) is not None:
            self.bar.show(known)

    def take(self, told: Frame | Truncated | Progress | None) -> bool:
        """False where `write` had enough."""
        if isinstance(told, Progress):
            self.bar.show(told)
            return True
        self.bar.clear()
        if isinstance(told, Frame):
            self.last = told.seq
            if not self._write(told):
                return False
            self.bar.wrote(told.data)
        elif isinstance(told, Truncated):
            self._mark(told)
        else:
            self._tell_why_it_waits()
        self.bar.draw()
        return True

    def _tell_why_it_waits(self) -> None:
        """Once, as long as it is the same."""
        why = why_it_waits(self._jober, self._jober.store.runs.get(self._id))
        if why != self._hint:
            self._hint = why
            if why:
                note(f"{self._id} {why}")


def write_both(frame: Frame) -> bool:
    """stdout to stdout, stderr to stderr, and so are log records, as text."""
    stream = sys.stdout if frame.stream is Stream.STDOUT else sys.stderr
    data = shown(frame.data, stream.isatty()) if frame.stream is Stream.LOG else frame.data
    _write(stream.buffer.write, data)
    stream.flush()
    return True


def write_stdout(data: bytes) -> None:
    """Bytes to stdout, at once."""
    _write(sys.stdout.buffer.write, data)
    sys.stdout.flush()


def exit_status(run: Run) -> int:
    """What a shell is told of a run: 0 where it is a success or there was nothing to do, whatever
    the job's `ok_exit_codes` say; 124 where it ran into its time-out, as of timeout(1); else its
    own exit status, or 1 where it has none, as where what it needs has failed."""
    if run.is_good:
        return 0
    if run.state is RunState.TIMEOUT:
        return TIMED_OUT
    return run.exit_code or 1


def _write(write: Callable[[bytes], int], data: bytes) -> None:
    """All of it: an unbuffered stream may take less than it is given."""
    while data:
        data = data[write(data) :]
