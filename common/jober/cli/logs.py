"""`jober logs`: what a run has written, and writes."""

from typing import Annotated

import typer

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.follow import follow, write_stdout
from jober.cli.lines import Head, marked, only, tail
from jober.cli.options import RedisOption, WrongCall
from jober.client import Jober
from jober.errors import JoberError, JobNotFound, RunNotFound
from jober.output import Frame, Stream, Truncated

_INTERRUPTED = 130


def logs(
    run: Annotated[
        str,
        typer.Argument(metavar="RUN", help="The id of a run, or a job's name: its newest run."),
    ],
    to_follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Go on until the run has ended.")
    ] = False,
    head: Annotated[
        int | None,
        typer.Option("--head", min=0, metavar="N", help="Its first N lines.", show_default=False),
    ] = None,
    last: Annotated[
        int | None,
        typer.Option("--tail", min=0, metavar="N", help="Its last N lines.", show_default=False),
    ] = None,
    stdout: Annotated[
        bool, typer.Option("--stdout", help="What it wrote to stdout alone.")
    ] = False,
    stderr: Annotated[
        bool, typer.Option("--stderr", help="What it wrote to stderr alone.")
    ] = False,
    redis: RedisOption = None,
) -> int:
    """Print what a run has written.

    To stdout, byte for byte; both of its streams as they came, or the one that is asked for.
    Redis keeps the first 256 KiB and the last 768 KiB of a run: where the cap cut, a mark on
    stderr says how much is missing.

    Examples:
      jober logs nightly-20261121T020000Z
      jober logs nightly --tail 20
      jober logs nightly -f --stderr
    """
    if head is not None and last is not None:
        raise WrongCall("--head and --tail exclude each other")
    stream = None
    if stdout != stderr:
        stream = Stream.STDOUT if stdout else Stream.STDERR
    with fleet(redis) as jober:
        id = _run_id(jober, run)
        try:
            _print(jober, id, to_follow, head, last, stream)
        except KeyboardInterrupt:
            return _INTERRUPTED
    return 0


def _print(
    jober: Jober,
    id: str,
    to_follow: bool,
    head: int | None,
    last: int | None,
    stream: Stream | None,
) -> None:
    begin = Head(head) if head is not None else None

    def write(frame: Frame) -> bool:
        if stream is None or frame.stream is stream:
            write_stdout(begin.take(frame.data) if begin else frame.data)
        return not (begin and begin.left <= 0)

    if to_follow and last is None:
        if head != 0:
            follow(jober, id, write)
        return
    seen = 0
    if last is not None:
        frames = list(jober.store.outputs.read(id))
        seen = frames[-1].seq if frames else 0
        for item in tail(only(marked(frames), stream), last):
            if isinstance(item, Truncated):
                terminal.note(str(item))
            else:
                write_stdout(item)
        if to_follow:
            follow(jober, id, write, after=seen)
        return
    for told in marked(jober.store.outputs.read(id)):
        if isinstance(told, Truncated):
            terminal.note(str(told))
        elif not write(told):
            return


def _run_id(jober: Jober, name: str) -> str:
    """The id itself, or that of the newest run of the job of that name."""
    try:
        return jober.store.runs.get(name).id
    except RunNotFound:
        newest = jober.runs(name, limit=1)
        if newest:
            return newest[0].id
        try:
            jober.job(name)
        except JobNotFound:
            raise JoberError(
                f"'{name}' is neither a run nor a job (see `jober runs` and `jober jobs`; "
                f"old runs are pruned)"
            ) from None
        raise JoberError(f"job '{name}' has not run yet: jober run {name}") from None
