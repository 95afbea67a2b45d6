"""`jober logs`: what a run has written, and writes."""

import json
import sys
from base64 import b64encode
from dataclasses import replace
from typing import Annotated, Any

from jober.cli import terminal
from jober.cli.archive import ArchiveUrlOption
from jober.cli.fleet import fleet
from jober.cli.follow import follow, write_stdout
from jober.cli.lines import Head, tail
from jober.cli.options import Argument, JsonOption, Option, RedisOption, WrongCall
from jober.cli.records import shown
from jober.client import Jober
from jober.client.archived_log import ArchivedLog
from jober.client.whole_log import WholeLog
from jober.clock import iso
from jober.errors import JoberError, JobNotFound, RunNotFound
from jober.log_line import LogLine, read_lines
from jober.output import Frame, Stream, Truncated

_INTERRUPTED = 130


def logs(
    run: Annotated[
        str,
        Argument(metavar="RUN", help="The id of a run, or a job's name: its newest run."),
    ],
    to_follow: Annotated[
        bool, Option("-f", "--follow", help="Go on until the run has ended.")
    ] = False,
    head: Annotated[
        int | None,
        Option("--head", min=0, metavar="N", help="Its first N lines.", show_default=False),
    ] = None,
    last: Annotated[
        int | None,
        Option("--tail", min=0, metavar="N", help="Its last N lines.", show_default=False),
    ] = None,
    stdout: Annotated[bool, Option("--stdout", help="What it wrote to stdout alone.")] = False,
    stderr: Annotated[bool, Option("--stderr", help="What it wrote to stderr alone.")] = False,
    records: Annotated[bool, Option("--log", help="Its log records alone.")] = False,
    whole: Annotated[
        bool,
        Option("--whole", help="What Redis has cut as well, from the files on its host."),
    ] = False,
    archive: Annotated[bool, Option("--archive", help="Of a run in the archive.")] = False,
    archive_url: ArchiveUrlOption = None,
    as_json: JsonOption = False,
    redis: RedisOption = None,
) -> int:
    """Print what a run has written.

    To stdout, byte for byte, and log records a line each; all of it as it came, or what is asked
    for.
    Redis keeps the first 256 KiB and the last 600 KiB of a run: where the cap cut, a mark on
    stderr says how much is missing. Of a job with output = "file" the host has the whole:
    --whole prints it, and --head and --tail take from it what they need.

    Examples:
      jober logs nightly-20261121T030000Z
      jober logs nightly --tail 20
      jober logs nightly -f --stderr
      jober logs nightly --whole > nightly.log
      jober logs nightly --json
      jober logs nightly-20260121T030000Z --archive
    """
    if head is not None and last is not None:
        raise WrongCall("--head and --tail exclude each other")
    asked = {Stream.STDOUT: stdout, Stream.STDERR: stderr, Stream.LOG: records}
    streams = frozenset(stream for stream, is_asked in asked.items() if is_asked)
    with fleet(redis) as jober:
        if archive or archive_url:
            if to_follow or whole:
                raise WrongCall("what is archived has ended, and is there as it was kept")
            log = ArchivedLog(archive_url, run)
            of_archive = _Reader(jober, run, streams or frozenset(Stream), as_json, log)
            of_archive.print(False, head, last, False)
            return 0
        id = _run_id(jober, run, whole)
        reader = _Reader(jober, id, streams or frozenset(Stream), as_json)
        try:
            reader.print(to_follow, head, last, whole)
        except KeyboardInterrupt:
            return _INTERRUPTED
    return 0


class _Reader:
    """Prints one run, as the options say."""

    def __init__(
        self,
        jober: Jober,
        id: str,
        streams: frozenset[Stream],
        as_json: bool,
        log: ArchivedLog | None = None,
    ) -> None:
        self._jober = jober
        self._id = id
        self._streams = streams
        self._as_json = as_json
        self._log = log or WholeLog(jober.store, id)
        self._is_archived = log is not None
        self._head: Head | None = None
        self._seen = 0
        self._is_whole = False

    def print(self, to_follow: bool, head: int | None, last: int | None, whole: bool) -> None:
        self._head = Head(head) if head is not None else None
        if head == 0:
            return
        if not self._is_archived and not self._jober.store.outputs.is_kept(self._id):
            terminal.note(f'of {self._id} no output is kept: its job has output = "none"')
        if last is not None:
            self._is_whole = True
            for item in tail(self._last(last), last):
                self._print(item)
        elif whole or not to_follow:
            # What --head needs is had from the files, if there are some.
            self._is_whole = whole or (head is not None and bool(self._log.files))
            for item in self._log.forward(whole=self._is_whole):
                if not self._print(item):
                    return
        if to_follow:
            follow(self._jober, self._id, self._print, self._seen, mark=self._print)

    def _last(self, lines: int) -> list[Frame | Truncated]:
        """As much of the end as has so many lines, of the stream that is asked for."""
        blocks: list[list[Frame | Truncated]] = []
        found = 0
        for block in self._log.backward():
            blocks.append(block)
            for item in block:
                if isinstance(item, Frame):
                    self._seen = max(self._seen, item.seq)
                    if item.stream in self._streams:
                        found += item.data.count(b"\n")
            if found > lines or lines == 0:
                break
        items = [item for block in reversed(blocks) for item in block]
        return [one for one in items if isinstance(one, Truncated) or self._is_wanted(one)]

    def _is_wanted(self, frame: Frame) -> bool:
        return frame.stream in self._streams

    def _print(self, item: Frame | Truncated) -> bool:
        """Print it; False where that is enough."""
        if isinstance(item, Truncated):
            if self._as_json:
                self._print_json({"truncated": item.dropped, "why": item.why})
            else:
                terminal.note(f"{item}{self._hint(item)}")
            return True
        self._seen = max(self._seen, item.seq)
        if self._is_wanted(item):
            data = self._head.take(item.data) if self._head else item.data
            if self._as_json:
                for facts in _facts(replace(item, data=data)):
                    self._print_json(facts)
            elif item.stream is Stream.LOG:
                write_stdout(shown(data, sys.stdout.isatty()))
            else:
                write_stdout(data)
        return not (self._head and self._head.left <= 0)

    def _print_json(self, facts: dict[str, Any]) -> None:
        write_stdout(f"{json.dumps(facts)}\n".encode())

    def _hint(self, mark: Truncated) -> str:
        if self._is_whole or not self._log.files:
            return ""
        file = self._log.files[-1]
        return f" (jober logs {self._id} --whole prints it from host {file.host})"


def _facts(frame: Frame) -> list[dict[str, Any]]:
    """The stable names that scripts rely on, a log record at a time. What is no UTF-8 is base64."""
    if frame.stream is Stream.LOG:
        lines = read_lines(frame.data)
        return [{"stream": "log", **line.to_dict()} for line in lines if isinstance(line, LogLine)]
    facts: dict[str, Any] = {
        "stream": str(frame.stream),
        "at": iso(frame.at_ms),
        "offset": frame.offset,
    }
    try:
        return [{**facts, "text": frame.data.decode()}]
    except UnicodeDecodeError:
        return [{**facts, "base64": b64encode(frame.data).decode()}]


def _run_id(jober: Jober, name: str, whole: bool) -> str:
    """The id itself, or that of the newest run of the job of that name; with `whole`, of a run
    that is forgotten in Redis too, whose files may be there yet."""
    try:
        return jober.store.runs.get(name).id
    except RunNotFound:
        newest = jober.runs(name, limit=1)
        if newest:
            return newest[0].id
        try:
            jober.job(name)
        except JobNotFound:
            if whole and WholeLog(jober.store, name).find():
                return name
            raise JoberError(
                f"'{name}' is neither a run nor a job (see `jober runs` and `jober jobs`; "
                f"old runs are pruned)"
            ) from None
        raise JoberError(f"job '{name}' has not run yet: jober run {name}") from None
