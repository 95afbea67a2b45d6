"""`jober runs`."""

from collections.abc import Sequence
from typing import Annotated

from rich.console import Console
from rich.text import Text

from jober.cli import fleet, terminal
from jober.cli.archive import ArchiveUrlOption
from jober.cli.how_far import compact
from jober.cli.options import Argument, JsonOption, Option, RedisOption
from jober.cli.table import Column, print_table
from jober.run import Run, RunState
from jober.run_filter import RunFilter
from jober.store import Store
from jober.words import duration, moment, relative


def runs(
    name: Annotated[
        str | None, Argument(metavar="NAME", help="Of this job. (default: of all)")
    ] = None,
    state: Annotated[
        RunState | None,
        Option(
            "--state",
            metavar="STATE",
            help=f"Only those in this state: {', '.join(RunState)}.",
            show_default=False,
        ),
    ] = None,
    number: Annotated[
        int, Option("-n", "--number", min=1, metavar="N", help="At most so many.")
    ] = 20,
    host: Annotated[
        str | None, Option("--host", metavar="HOST", help="Only those of this host.")
    ] = None,
    since: Annotated[
        str | None,
        Option("--since", metavar="T", help="Made from then on: 2026-11-21, or 2h ago."),
    ] = None,
    until: Annotated[
        str | None, Option("--until", metavar="T", help="Made before then; likewise.")
    ] = None,
    tag: Annotated[
        str | None, Option("--tag", metavar="TAG", help="Only those of jobs with this tag.")
    ] = None,
    after: Annotated[
        str | None, Option("--after", metavar="RUN", help="The next page: older than this run.")
    ] = None,
    archive: Annotated[
        bool, Option("--archive", help="Those of the archive, in place of those in Redis.")
    ] = False,
    archive_url: ArchiveUrlOption = None,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """List the runs, newest first.

    Times are UTC where they have no offset. The archive is what `jober archive` has moved runs to.

    Examples:
      jober runs
      jober runs nightly -n 5
      jober runs --state failed --host db1 --since 7d --json
      jober runs -n 100 --after nightly-20261121T020000Z
      jober runs --archive --tag backup --since 2026-01-01 --until 2026-02-01
    """
    if not (host or since or until or tag or after or archive or archive_url):
        with fleet.state(redis) as store:
            found = newest_runs(store, name, state, number)
            if not found and name is not None:
                store.jobs.get(name)  # of a removed one, there might be runs
            now_ms = store.clock.now_ms()
    else:
        with fleet.fleet(redis) as jober:
            asked = {"state": state, "host": host, "since": since, "until": until, "tag": tag}
            now_ms = jober.store.clock.now_ms()
            if archive or archive_url:
                found = jober.archived_runs(
                    name, url=archive_url, after=after, limit=number, **asked
                )
            else:
                found = jober.runs(name, after=after, limit=number, **asked)
    if json:
        terminal.print_json([run.to_dict() for run in found])
    elif found:
        print_runs(terminal.stdout(), found, now_ms)
    else:
        of = f" of {name}" if name else ""
        if archive or archive_url or host or since or until or tag or after:
            terminal.note(f"no such run{of}")
            return
        which = f" is {state}" if state else " yet"
        terminal.note(f"no run{of}{which}: jober run {name or 'NAME'}")


def newest_runs(store: Store, name: str | None, state: RunState | None, number: int) -> list[Run]:
    """The newest runs of a job, or of all, in one state or in any."""
    states = frozenset({state} if state else ())
    return store.runs.page(name, limit=number, wanted=RunFilter(states=states))


def print_runs(console: Console, found: Sequence[Run], now_ms: int) -> None:
    """A table of runs."""
    columns = [
        Column(title="RUN"),
        Column(title="STATE"),
        Column(title="HOST", cut=True),
        Column(title="STARTED", drop=1),
        Column(title="TOOK", justify="right"),
        Column(title="PROGRESS", cut=True),
        Column(title="WHY", cut=True, drop=2),
    ]
    rows: list[list[str | Text]] = [
        [
            run.id,
            terminal.state(run.state),
            run.host or "",
            started_text(run, now_ms),
            took(run, now_ms),
            compact(run.progress) if run.progress and not run.state.is_final else "",
            Text(why(run), style="dim"),
        ]
        for run in found
    ]
    print_table(console, columns, rows)


def started_text(run: Run, now_ms: int) -> Text:
    """When it started, or is tried again; else since when it waits, or waited."""
    if run.started_at_ms is not None:
        text = Text(moment(run.started_at_ms, now_ms))
        return text.append(f" {relative(run.started_at_ms, now_ms)}", style="dim")
    if run.retry_at_ms is not None:
        text = Text(f"again {moment(run.retry_at_ms, now_ms)}")
        return text.append(f" {relative(run.retry_at_ms, now_ms)}", style="dim")
    if run.enqueued_at_ms is None:
        return Text("")
    return Text(f"not, queued {moment(run.enqueued_at_ms, now_ms)}", style="dim")


def took(run: Run, now_ms: int) -> str:
    """How long it took, or has taken so far."""
    if run.duration_s is not None:
        return duration(run.duration_s)
    if run.state is RunState.RUNNING and run.started_at_ms is not None:
        return duration((now_ms - run.started_at_ms) / 1000)
    return ""


def why(run: Run) -> str:
    """Why it is in its state, on one line, where there is anything to say."""
    if run.cancel_requested and not run.state.is_final:
        return "asked to stop"
    if run.waits_for:
        return f"waits for {run.waits_for}"
    if run.reason and run.reason != run.state:
        return " ".join(run.reason.split())
    return f"exit status {run.exit_code}" if run.exit_code else ""
