"""To follow a run: its bytes, untouched, until it has ended."""

import sys
import time
from collections.abc import Callable

from jober.cli.live_bar import LiveBar
from jober.cli.records import shown
from jober.cli.terminal import note
from jober.client import Jober
from jober.client.waiting import why_it_waits
from jober.errors import RedisRefused, RedisUnavailable
from jober.output import End, Frame, Stream, Truncated
from jober.progress import Progress
from jober.run import Run, RunState

# Redis may be away for so long (a restart, a failover) before a follower gives up.
_AWAY_S = 60.0
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
    bar = LiveBar()
    if (known := jober.store.runs.get(id).progress) is not None:
        bar.show(known)
    last = after
    away_since: float | None = None
    hint: str | None = None
    while True:
        try:
            for told in jober.store.outputs.follow(id, after=last):
                away_since = None
                if isinstance(told, Progress):
                    bar.show(told)
                    continue
                bar.clear()
                if isinstance(told, Frame):
                    last = told.seq
                    if not write(told):
                        return None
                    bar.wrote(told.data)
                elif isinstance(told, Truncated):
                    mark(told)
                elif isinstance(told, End):
                    return jober.store.runs.get(id)
                elif (why := why_it_waits(jober, jober.store.runs.get(id))) != hint:
                    hint = why
                    if why:
                        note(f"{id} {why}")
                bar.draw()
        except RedisRefused:
            raise
        except KeyboardInterrupt:
            bar.clear()
            raise
        except RedisUnavailable as error:
            bar.clear()
            if away_since is None:
                away_since = time.monotonic()
                note(f"{error.__cause__ or error}; waiting for Redis")
            if time.monotonic() - away_since > _AWAY_S:
                raise
            time.sleep(0.5)


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
