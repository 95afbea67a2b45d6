"""`jober apply`: the file against what is there, and what came of it."""

from collections.abc import Iterator
from typing import Annotated, Any

from rich.text import Text

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import Argument, JsonOption, Option, RedisOption, WrongCall
from jober.jobs_file import Difference
from jober.words import plain

# So many jobs that are kept are told by name.
_KEPT = 5
# Of a changed calendar, so many dates are told that came, and that went.
_DATES = 10


def apply(
    file: Annotated[
        str | None, Argument(metavar="FILE", help="A jobs file: .toml, .yaml or .yml.")
    ] = None,
    module: Annotated[
        list[str] | None,
        Option(
            "--module",
            metavar="MODULE",
            help="A Python module, or package, whose functions declare jobs by @job; may be given "
            "again.",
            show_default=False,
        ),
    ] = None,
    prune: Annotated[
        bool,
        Option("--prune", help="Remove the jobs that are not in the file. (default: keep)"),
    ] = False,
    force: Annotated[
        bool, Option("--force", help="Change, and prune, protected jobs too.")
    ] = False,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Tell what would change, and change nothing.")
    ] = False,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """Make the jobs those of a file, or those that functions declare by @job in modules, or both.

    Tells what is added (+), changed field by field (~) and removed (-). A file with any error
    in it changes nothing: all of its errors are told, and the exit status is 1.

    Examples:
      jober apply fleet.toml --dry-run
      jober apply fleet.toml
      jober apply fleet.toml --prune --json
      jober apply --module myapp.jobs
    """
    if file is None and not module:
        raise WrongCall("name a FILE, or a --module, or both")
    with fleet(redis) as jober:
        told = jober.difference(file, modules=module or [], prune=prune)
        now_ms = jober.store.clock.now_ms()
        if not dry_run:
            jober.carry_out(told, force=force)
    if json:
        terminal.print_json({**as_dict(told), "dry_run": dry_run})
        return
    for job in (*told.added, *(one.new for one in told.changed)):
        if job.schedule and job.schedule.next_after_ms(now_ms, now_ms) is None:
            terminal.note(f"{job.name} will never fire: nothing is ahead of {job.schedule_text}")
    console = terminal.stdout()
    for line in difference_lines(told):
        console.print(line, soft_wrap=True)
    counts = (
        f"{len(told.added)} added, {len(told.changed)} changed, "
        f"{len(told.removed)} removed, {len(told.unchanged)} unchanged"
    )
    if told.unsigned:
        counts += f", {len(told.unsigned)} signed"
    for name in told.protected:
        end = "removed by force" if force else "kept: it is protected (--force removes it)"
        console.print(Text(f"{'-' if force else ' '} {name}  {end}"), soft_wrap=True)
    for one in told.changed if dry_run and not force else ():
        if one.is_held_back:
            terminal.note(f"{one.new.name} is protected: without --force, nothing is applied")
    if told.kept:
        counts += f", {len(told.kept)} kept"
    console.print(Text(counts + (" (dry run: nothing written)" if dry_run else ""), style="bold"))


def difference_lines(told: Difference) -> Iterator[Text]:
    """A line for each calendar, limit and job that differs, and one for each field that does."""
    for calendar in told.added_calendars:
        yield Text(f"+ calendar {calendar.name}", style="green")
    for changed in told.changed_calendars:
        yield Text(f"~ calendar {changed.new.name}", style="yellow")
        yield from (Text(f"    + {plain(date)}") for date in changed.added[:_DATES])
        yield from (Text(f"    - {plain(date)}") for date in changed.removed[:_DATES])
        more = len(changed.added) + len(changed.removed) - 2 * _DATES
        if more > 0:
            yield Text(f"    and more (up to {more} dates)", style="dim")
    for name in told.removed_calendars:
        yield Text(f"- calendar {name}", style="red")
    for limit in told.changed_limits:
        if limit.old is None:
            yield Text(f"+ limit {limit.name}  {limit.new}", style="green")
        else:
            yield Text(f"~ limit {limit.name}", style="yellow")
            yield Text(f"    {limit.old} -> {limit.new}")
    for name in told.removed_limits:
        yield Text(f"- limit {name}", style="red")
    for job in told.added:
        line = Text(f"+ {job.name}", style="green")
        yield line.append(plain(f"  {job.schedule_text}: {job.description}"), style="dim")
    for one in told.changed:
        yield Text(f"~ {one.new.name}", style="yellow")
        for field in one.fields:
            yield Text(f"    {plain(str(field))}")
    for job in told.unsigned:
        yield Text(f"= {job.name}  to be signed", style="yellow")
    for name in told.removed:
        yield Text(f"- {name}", style="red")
    if len(told.kept) <= _KEPT:
        for name in told.kept:
            yield Text(f"  {name}  kept: it is not in the file (--prune removes it)", style="dim")
    else:
        number = len(told.kept)
        yield Text(
            f"  {number} others kept: they are not in the file (--prune removes them)", style="dim"
        )


def as_dict(told: Difference) -> dict[str, Any]:
    """The difference, for scripts."""
    return {
        "calendars": {
            "added": [calendar.name for calendar in told.added_calendars],
            "changed": [
                {
                    "calendar": changed.new.name,
                    "added": list(changed.added),
                    "removed": list(changed.removed),
                }
                for changed in told.changed_calendars
            ],
            "removed": list(told.removed_calendars),
        },
        "limits": {
            "changed": [limit._asdict() for limit in told.changed_limits],
            "removed": list(told.removed_limits),
        },
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
        "protected": list(told.protected),
        "unchanged": list(told.unchanged),
        "signed": [job.name for job in told.unsigned],
    }
