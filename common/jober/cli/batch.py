"""`jober batch`: a list of commands, run to the end, with bars and a report."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from jober.batch import Row, read_batch
from jober.cli import terminal
from jober.cli.fleet import own_fleet
from jober.cli.options import Argument, JsonOption, Option
from jober.cli.table import Column, print_table
from jober.client.batch import Batch
from jober.words import duration, moment, plain

_INTERRUPTED = 130


def batch(
    file: Annotated[
        str, Argument(metavar="FILE", help="A list of commands: .json, .yaml, .yml or .toml.")
    ],
    logs: Annotated[
        str | None,
        Option(
            "--logs",
            metavar="DIR",
            help="Where to put <id>.log of each. (default: FILE without its ending, and -logs)",
            show_default=False,
        ),
    ] = None,
    fail_fast: Annotated[
        bool, Option("--fail-fast", help="Where one fails, stop all. (default: what waits for it)")
    ] = False,
    at_once: Annotated[
        int | None,
        Option(
            "--at-once",
            metavar="N",
            help="Run so many at a time. (default: as many as there are slots)",
            show_default=False,
            min=1,
        ),
    ] = None,
    json: JsonOption = False,
    redis: Annotated[
        str | None,
        Option(
            "--redis",
            metavar="URL",
            help="The Redis of the fleet to run it on. "
            "(default: JOBER_REDIS_URL; without it, on this machine, by what is started for it)",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Run a list of commands to the end of all.

    Each is a table with `id` and `command`, and where wanted `waiting`: the ids of those that have
    to succeed before. Also `retry` (how often), `delay` (seconds between) and `backoff`, `timeout`
    (seconds), `shell`, `cwd`, `env`, `roles`. What waits for one that failed is not run; the rest
    is.

    It runs on the fleet that --redis or JOBER_REDIS_URL names; where neither is there, on this
    machine: all that this needs is started, and ends with it.

    The exit status is 0 where all succeeded, else 1. Ctrl-C stops all that runs; the exit
    status is 130 then.

    Examples:
      jober batch build.json
      jober batch build.yaml --logs out/logs --fail-fast
      jober batch build.toml --json | jq '.[] | select(.state != "success")'
    """
    items = read_batch(file)
    folder = (
        Path(logs)
        if logs is not None
        else Path(file).with_suffix("").with_name(f"{Path(file).stem}-logs")
    )
    with own_fleet(redis) as jober:
        run = Batch(jober, items, logs=folder, fail_fast=fail_fast, at_once=at_once)
        error = Console(stderr=True, highlight=False, markup=False, emoji=False)
        bars = _Bars(error, len(items)) if error.is_terminal else None
        shown: AbstractContextManager[object] = bars.progress if bars else nullcontext()
        tell: Callable[[Batch], None] = bars.show if bars else _Lines().show
        try:
            with shown:
                run.run(tell)
        except KeyboardInterrupt:
            terminal.note("stopped: what ran was cancelled")
            return _INTERRUPTED
        now_ms = jober.store.clock.now_ms()
    if json:
        terminal.print_json(run.report())
    else:
        _print(run.rows, now_ms)
        terminal.note(f"what they wrote is in {folder}")
    return 0 if run.ok else 1


class _Bars:
    """One bar for all, and a line for each that runs, with how far it says it is."""

    def __init__(self, console: Console, number: int) -> None:
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._all = self.progress.add_task("all", total=number)
        self._lines: dict[str, TaskID] = {}

    def show(self, batch: Batch) -> None:
        self.progress.update(self._all, completed=len(batch.rows))
        for id in [one for one in self._lines if one not in batch.running]:
            self.progress.remove_task(self._lines.pop(id))
        for id, run in batch.running.items():
            step = run.progress.whole if run.progress else None
            total = step.total if step else None
            if id not in self._lines:
                self._lines[id] = self.progress.add_task(plain(id), total=total)
            done = step.done if step and step.done is not None else 0
            self.progress.update(self._lines[id], completed=done, total=total)


class _Lines:
    """Where nobody looks: a line for each that is over."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def show(self, batch: Batch) -> None:
        for row in batch.rows:
            if row.id not in self._told:
                self._told.add(row.id)
                because = f": {' '.join(row.reason.split())}" if row.reason else ""
                terminal.note(f"{row.id} {row.state}{because}")


def _print(rows: list[Row], now_ms: int) -> None:
    columns = [
        Column(title="ID"),
        Column(title="STATE"),
        Column(title="RETRIED", justify="right"),
        Column(title="EXIT", justify="right"),
        Column(title="START"),
        Column(title="FINISH"),
        Column(title="ELAPSED", justify="right"),
        Column(title="WHY", cut=True, drop=1),
    ]
    cells: list[list[str | Text]] = [
        [
            row.id,
            terminal.state(row.state),
            _or_dash(row.retried),
            _or_dash(row.exit_code),
            "-" if row.start_ms is None else moment(row.start_ms, now_ms),
            "-" if row.finish_ms is None else moment(row.finish_ms, now_ms),
            "-" if row.elapsed_s is None else duration(row.elapsed_s),
            Text(plain(row.reason or ""), style="dim"),
        ]
        for row in rows
    ]
    print_table(terminal.stdout(), columns, cells)


def _or_dash(number: int | None) -> str:
    return "-" if number is None else str(number)
