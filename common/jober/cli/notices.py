"""`jober notices`: the messages about jobs that have not arrived yet."""

from typing import Annotated

from rich.text import Text

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import JsonOption, Option, RedisOption
from jober.cli.table import Column, print_table
from jober.words import moment, relative


def notices(
    number: Annotated[
        int, Option("-n", "--number", min=1, metavar="N", help="At most so many.")
    ] = 50,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """List the messages about jobs that wait to be delivered.

    The one that is tried next is first. A message that cannot be delivered is tried again after
    10 s, 20 s and so on, up to an hour, for a day; `jober events` tells of each that arrived
    (notice.sent) or was given up (notice.failed).

    Examples:
      jober notices
      jober notices --json | jq -r '.[] | select(.attempts > 3) | .problem'
    """
    with fleet(redis) as jober:
        found = jober.store.notices.waiting(number)
        now_ms = jober.store.clock.now_ms()
    if json:
        terminal.print_json([one.to_dict() for one in found])
        return
    if not found:
        terminal.note("no message waits (see `notify` in a jobs file)")
        return
    columns = [
        Column(title="JOB"),
        Column(title="ABOUT"),
        Column(title="TO", cut=True),
        Column(title="SINCE", drop=1),
        Column(title="TRIED", justify="right"),
        Column(title="NEXT"),
        Column(title="WHY", cut=True, drop=2),
    ]
    rows: list[list[str | Text]] = [
        [
            Text(one.job, style="bold"),
            one.about,
            one.to,
            moment(one.made_at_ms, now_ms),
            str(one.attempt),
            relative(one.due_ms or now_ms, now_ms),
            Text(one.problem or "", style="dim"),
        ]
        for one in found
    ]
    print_table(terminal.stdout(), columns, rows)
