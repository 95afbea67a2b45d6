"""`jober apply`: the file against what is there, and what came of it."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import JsonOption, RedisOption
from jober.cli.words import plain
from jober.jobs_file import Difference


def apply(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A jobs file: .toml, .yaml or .yml.")],
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Remove the jobs that are not in the file. (default: keep)"),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would change, and change nothing.")
    ] = False,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """Make the jobs those of a file.

    Tells what is added (+), changed field by field (~) and removed (-). A file with any error
    in it changes nothing: all of its errors are told, and the exit status is 1.

    Examples:
      jober apply fleet.toml --dry-run
      jober apply fleet.toml
      jober apply fleet.toml --prune --json
    """
    with fleet(redis) as jober:
        told = jober.difference(file, prune=prune)
        if not dry_run:
            jober.carry_out(told)
    if json:
        terminal.print_json({**as_dict(told), "dry_run": dry_run})
        return
    console = terminal.stdout()
    print_difference(console, told)
    counts = (
        f"{len(told.added)} added, {len(told.changed)} changed, "
        f"{len(told.removed)} removed, {len(told.unchanged)} unchanged"
    )
    if told.kept:
        counts += f", {len(told.kept)} kept"
    console.print(Text(counts + (" (dry run: nothing written)" if dry_run else ""), style="bold"))


def print_difference(console: Console, told: Difference) -> None:
    """A line for each job that differs, and one for each field that does."""

    def line(mark: str, style: str, name: str, rest: str = "") -> None:
        text = Text(f"{mark} {name}", style=style)
        text.append(plain(rest), style="dim")
        console.print(text, soft_wrap=True)

    for job in told.added:
        line("+", "green", job.name, f"  {job.schedule_text}: {job.description}")
    for one in told.changed:
        line("~", "yellow", one.new.name)
        for field in one.fields:
            console.print(Text(f"    {plain(str(field))}"), soft_wrap=True)
    for name in told.removed:
        line("-", "red", name)
    for name in told.kept:
        line(" ", "dim", name, "  kept: it is not in the file (--prune removes it)")


def as_dict(told: Difference) -> dict[str, Any]:
    """The difference, for scripts."""
    return {
        "added": [job.name for job in told.added],
        "changed": [
            {
                "job": one.new.name,
                "fields": [
                    {"field": field.field, "old": field.old, "new": field.new}
                    for field in one.fields
                ],
            }
            for one in told.changed
        ],
        "removed": list(told.removed),
        "kept": list(told.kept),
        "unchanged": list(told.unchanged),
    }
