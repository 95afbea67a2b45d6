"""`jober limits`: what jobs share, how much of it is used, and who waits for it."""

from typing import Annotated

from rich.text import Text

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import Argument, JsonOption, RedisOption
from jober.cli.table import Column, print_table

NameArgument = Annotated[
    str, Argument(metavar="NAME", help="The name of a limit.", show_default=False)
]


def limits(json: JsonOption = False, redis: RedisOption = None) -> None:
    """List the limits that jobs share.

    How many runs may go on at once over the whole fleet, how many do, how many wait for one, and
    which jobs name it.

    Examples:
      jober limits
      jober limits --json | jq '.[] | select(.waiting > 0)'
    """
    with fleet(redis) as jober:
        found = jober.limits()
    if json:
        terminal.print_json([limit.to_dict() for limit in found])
        return
    if not found:
        terminal.note("no limits: write [limits] in a jobs file, or `jober limits set NAME 3`")
        return
    columns = [
        Column(title="LIMIT"),
        Column(title="USED", justify="right"),
        Column(title="WAITING", justify="right"),
        Column(title="JOBS", cut=True),
    ]
    rows: list[list[str | Text]] = [
        [
            Text(limit.name, style="bold"),
            Text(f"{limit.used}/{limit.slots}", style="yellow" if limit.waiting else ""),
            str(limit.waiting),
            ", ".join(limit.jobs),
        ]
        for limit in found
    ]
    print_table(terminal.stdout(), columns, rows)


def set_limit(
    name: NameArgument,
    slots: Annotated[int, Argument(metavar="N", help="So many runs at once.", show_default=False)],
    redis: RedisOption = None,
) -> None:
    """Define a limit, or change it.

    A raised one is used within a second; a lowered one stops nothing, and holds as runs end.

    Examples:
      jober limits set database 3
    """
    with fleet(redis) as jober:
        jober.set_limit(name, slots)
    terminal.say(f"limit {name}: {slots}")


def remove(name: NameArgument, redis: RedisOption = None) -> None:
    """Remove a limit that no job names.

    Examples:
      jober limits remove database
    """
    with fleet(redis) as jober:
        jober.remove_limit(name)
    terminal.say(f"limit {name} is removed")
