"""`jober audit`: who did what, from where, and what came of it."""

from typing import Annotated

from rich.text import Text

from jober.access.audit import AuditFilter
from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import JsonOption, Option, RedisOption
from jober.cli.table import Column, print_table
from jober.client.people import People
from jober.words import moment, plain

_OUTCOMES = {"done": "green", "refused": "red", "failed": "yellow"}


def audit(
    who: Annotated[
        str | None, Option("--who", metavar="NAME", help="What that one did.", show_default=False)
    ] = None,
    action: Annotated[
        str | None,
        Option(
            "--action",
            metavar="ACTION",
            help="As login, user.add, or token.* for all that begin so.",
            show_default=False,
        ),
    ] = None,
    object: Annotated[
        str | None,
        Option("--object", metavar="NAME", help="What was done to that.", show_default=False),
    ] = None,
    outcome: Annotated[
        str | None,
        Option("--outcome", metavar="WORD", help="done, refused or failed.", show_default=False),
    ] = None,
    before: Annotated[
        str | None,
        Option("--before", metavar="ID", help="The next page: those before.", show_default=False),
    ] = None,
    number: Annotated[
        int, Option("-n", "--number", min=1, max=10_000, metavar="N", help="At most so many.")
    ] = 50,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """Tell who did what by the web pages, the HTTP API, and the commands of users and tokens;
    newest first.

    The log keeps the last 50,000 lines or so. With --json it is an object of `items` and `next`,
    which --before takes.

    Examples:
      jober audit --who ann
      jober audit --action login --outcome refused --json
    """
    wanted = AuditFilter(who=who, action=action, object=object, outcome=outcome)
    with fleet(redis) as jober:
        found, following = People(jober).audit(number, before, wanted)
        now_ms = jober.store.clock.now_ms()
    if json:
        items = [entry.to_dict() for entry in found]
        terminal.print_json({"items": items, "next": following})
        return
    columns = [
        Column(title="WHEN"),
        Column(title="WHO"),
        Column(title="FROM", drop=2),
        Column(title="ACTION"),
        Column(title="ON", cut=True),
        Column(title="OUTCOME"),
        Column(title="DETAIL", cut=True, drop=1),
    ]
    rows: list[list[str | Text]] = [
        [
            Text(moment(entry.at_ms, now_ms), style="dim"),
            Text(plain(entry.who), style="bold"),
            entry.address or entry.via,
            entry.action,
            entry.object,
            Text(plain(entry.outcome), style=_OUTCOMES.get(entry.outcome, "")),
            entry.detail,
        ]
        for entry in found
    ]
    if rows:
        print_table(terminal.stdout(), columns, rows)
    if following:
        terminal.note(f"there may be more: --before {following}")
    elif not rows:
        terminal.note("nobody has done anything of that kind")
