"""`jober backup` and `jober restore`."""

import gzip
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any, cast

from rich.text import Text

from jober.backup import BackupReader
from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import Argument, JsonOption, Option, RedisOption
from jober.client.backup import BackedUp, Progress, Restore, Restoring, back_up
from jober.clock import iso
from jober.errors import BackupError
from jober.words import plain

# What the kinds of lines are called, one and many.
_WORDS = {
    "calendar": ("calendar", "calendars"),
    "limit": ("limit", "limits"),
    "host": ("order of a host", "orders of hosts"),
    "job": ("job", "jobs"),
    "run": ("ended run", "ended runs"),
}
_NOT_KEPT = {
    "runs_going_on": ("run that waited or went on", "runs that waited or went on"),
    "rq_jobs": ("RQ job of an application", "RQ jobs of applications"),
}
# So many things that differ are told field by field.
_DIFFERING = 50

HistoryOption = Annotated[
    bool,
    Option(
        "--no-history", help="Leave out ended runs, ledgers and former definitions. (default: keep)"
    ),
]


def backup(
    file: Annotated[
        str,
        Argument(
            metavar="FILE", help="Where to: compressed where it ends in .gz; - is standard output."
        ),
    ],
    no_history: HistoryOption = False,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """Write all that is kept into a file: jobs and how far each is, calendars, limits, orders of
    hosts, and the history.

    The file is there when it is whole, for you alone to read: values of env may be in it. What is
    not in it is told: what runs or waits, RQ jobs of applications, and what runs have written.

    Examples:
      jober backup jober.jsonl.gz
      jober backup - --no-history | ssh elsewhere 'cat > jober.jsonl'
    """
    with fleet(redis) as jober, _written(file) as stream, _progress() as progress:
        done = back_up(jober.store, stream, history=not no_history, progress=progress)
    tell = terminal.note if file == "-" else terminal.say
    if json:
        told = {"at": iso(done.at_ms), "counts": dict(done.counts), "left_out": dict(done.left_out)}
        tell(terminal.json_text({"file": file, **told}))
        return
    tell(f"{file}: {_counted(done.counts) or 'nothing: the fleet is empty'}")
    for line in _left_out(done):
        terminal.note(line)


def restore(
    file: Annotated[
        str, Argument(metavar="FILE", help="What `jober backup` wrote; - is standard input.")
    ],
    dry_run: Annotated[
        bool, Option("--dry-run", help="Tell what would be restored, and write nothing.")
    ] = False,
    replace: Annotated[
        bool,
        Option(
            "--replace",
            help="What is there and differs becomes as in the backup. (default: kept)",
        ),
    ] = False,
    no_history: HistoryOption = False,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """Restore what `jober backup` wrote.

    All of the file is checked first. Nothing of the past fires: jobs fire from now on, paused ones
    stay paused, and intervals are counted as they were. What is there already is kept. It may
    be done while schedulers and agents are up; broken off, it can be begun again.

    Examples:
      jober restore jober.jsonl.gz --dry-run
      jober restore jober.jsonl.gz
    """
    with fleet(redis) as jober, _opened(file) as stream, _progress() as progress:
        backup = BackupReader(stream, "standard input" if file == "-" else file)
        restoring = Restoring(
            jober.store, backup, replace=replace, history=not no_history, progress=progress
        )
        told = restoring.check()
        if not dry_run:
            restoring.carry_out()
    if json:
        terminal.print_json({**_as_dict(told), "dry_run": dry_run})
        return
    console = terminal.stdout()
    for line in _lines(told):
        console.print(line, soft_wrap=True)
    if dry_run:
        console.print(Text("dry run: nothing written", style="bold"))


def _lines(told: Restore) -> Iterator[Text]:
    """What a restore came to, or would."""
    yield Text(f"backup of {iso(told.at_ms)}, by jober {plain(told.version)}", style="dim")
    for one in told.differing[:_DIFFERING]:
        yield Text(f"~ {one.kind} {one.name}", style="yellow")
        yield from (Text(f"    {plain(difference)}") for difference in one.differences)
    more = len(told.differing) - _DIFFERING
    if more > 0:
        yield Text(f"  and {more} more that differ (--json tells all)", style="dim")
    yield Text(f"added: {_counted(told.added) or 'nothing'}", style="bold")
    if same := _counted(told.same):
        yield Text(f"there already: {same}")
    if told.differing and told.replace:
        yield Text(f"replaced: {len(told.differing)} that differed")
    elif told.differing:
        runs = f", with {told.kept_runs} runs left out" if told.kept_runs else ""
        yield Text(
            f"kept as they are: {len(told.differing)} that differ{runs} (--replace makes them "
            "those of the backup)",
            style="yellow",
        )
    if told.forgotten:
        yield Text(f"left out: {told.forgotten} runs older than what is kept of runs")
    if left_out := _counted(told.left_out):
        yield Text(f"not in the backup: {left_out}")


def _as_dict(told: Restore) -> dict[str, Any]:
    return {
        "at": iso(told.at_ms),
        "version": told.version,
        "added": dict(told.added),
        "same": dict(told.same),
        "replaced" if told.replace else "kept": [
            {"kind": one.kind, "name": one.name, "differences": list(one.differences)}
            for one in told.differing
        ],
        "kept_runs": told.kept_runs,
        "forgotten_runs": told.forgotten,
        "left_out": dict(told.left_out),
    }


def _counted(counts: Mapping[str, int]) -> str:
    words = {**_WORDS, **_NOT_KEPT}
    told = ((number, words[kind][number != 1]) for kind, number in counts.items() if number)
    return ", ".join(f"{number:,} {word}" for number, word in told)


def _left_out(done: BackedUp) -> Iterator[str]:
    if left_out := _counted(done.left_out):
        yield f"not in the backup: {left_out}"
    if done.counts.get("run"):
        yield "what the runs have written is not in the backup"


@contextmanager
def _written(file: str) -> Iterator[IO[bytes]]:
    """The file to write: a new one, that takes the place of an older one when it is whole."""
    if file == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(file)
    if path.exists() and not path.is_file():
        raise BackupError("it is no file", file=file, mend="name a file, or - for standard output")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    except OSError as error:
        raise BackupError(f"it cannot be written: {error.strerror}", file=file) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", fileobj=stream, mode="wb") as packed:
                    yield cast(IO[bytes], packed)
            else:
                yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, path)
    except OSError as error:
        raise BackupError(f"it cannot be written: {error.strerror}", file=file) from None
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    """The file to read. It is read twice, so standard input is put into a file first."""
    if file == "-":
        with tempfile.TemporaryFile() as spool:
            shutil.copyfileobj(sys.stdin.buffer, spool)
            yield spool
        return
    try:
        stream = Path(file).open("rb")
    except OSError as error:
        raise BackupError(f"it cannot be read: {error.strerror}", file=file) from None
    with stream:
        if not stream.seekable():
            raise BackupError("it is no file", file=file, mend="give a pipe as -")
        yield stream


@contextmanager
def _progress() -> Iterator[Progress]:
    """How far long work is, twice a second, on a line of a terminal that goes with the end."""
    if not sys.stderr.isatty():
        yield lambda doing, number: None
        return
    try:
        yield _told_on(sys.stderr)
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def _told_on(stream: Any) -> Callable[[str, int], None]:
    next_at = time.monotonic() + 0.5

    def tell(doing: str, number: int) -> None:
        nonlocal next_at
        if time.monotonic() >= next_at:
            next_at = time.monotonic() + 0.5
            stream.write(f"\r\x1b[K{number:,} lines {doing}")
            stream.flush()

    return tell
