"""`jober token`: what programs prove by who they are, at the HTTP API."""

from typing import Annotated

from rich.text import Text

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import Argument, JsonOption, Option, RedisOption
from jober.cli.person import RoleOption, ScopeOption, TagOption, caller, limits_words
from jober.cli.table import Column, print_table
from jober.client.moments import read_span_s
from jober.client.people import People
from jober.clock import iso
from jober.words import moment, relative


def create(
    name: Annotated[
        str, Argument(metavar="NAME", help="What it is for, as lists show it.", show_default=False)
    ],
    scope: ScopeOption = "viewer",
    tag: TagOption = None,
    role: RoleOption = None,
    user: Annotated[
        str | None,
        Option(
            "--user",
            metavar="USER",
            help="Whose it is: it never may more than they may, and goes with them. "
            "(default: nobody's)",
            show_default=False,
        ),
    ] = None,
    expires: Annotated[
        str, Option("--expires", metavar="SPAN", help="How long it is good for, as 12h or 90d.")
    ] = "90d",
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """Make an API token, and show it once.

    It is the only thing on standard output. Redis keeps a hash of it; who has lost it makes
    another. Programs send it as `Authorization: Bearer jober_…`.

    Examples:
      jober token create deploys --scope operator --tag deploy --expires 30d
      JOBER_TOKEN=$(jober token create dashboard)
    """
    life_s = read_span_s(expires, "expires")
    with fleet(redis) as jober:
        token, text = People(jober).make_token(
            name, scope, caller(), tags=tag, roles=role, user=user, life_s=life_s
        )
    if json:
        terminal.print_json({**token.to_dict(), "token": text})
        return
    terminal.say(text)
    terminal.note(
        f"token {token.id} ({token.scope}, jobs: {limits_words(token.tags, token.roles)}) "
        f"expires at {iso(token.expires_at_ms)}; it is not shown again"
    )


def list_tokens(
    user: Annotated[
        str | None,
        Option("--user", metavar="USER", help="Those of one user.", show_default=False),
    ] = None,
    number: Annotated[
        int, Option("-n", "--number", min=1, max=10_000, metavar="N", help="At most so many.")
    ] = 100,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """List the API tokens: the one that expires next is first.

    Of the token itself only the beginning is known, which opens nothing. Those whose time is over
    are gone.

    Examples:
      jober token list
      jober token list --user ann --json
    """
    with fleet(redis) as jober:
        found = People(jober).tokens(number, user=user)
        now_ms = jober.store.clock.now_ms()
    if json:
        terminal.print_json([token.to_dict() for token in found])
        return
    if not found:
        terminal.note("no tokens: jober token create NAME")
        return
    columns = [
        Column(title="TOKEN"),
        Column(title="NAME", cut=True),
        Column(title="USER", drop=2),
        Column(title="SCOPE"),
        Column(title="JOBS", cut=True),
        Column(title="EXPIRES"),
        Column(title="USED", drop=1),
    ]
    rows: list[list[str | Text]] = [
        [
            Text(f"jober_{token.id}_…", style="bold"),
            token.name,
            token.user or "",
            str(token.scope),
            limits_words(token.tags, token.roles),
            relative(token.expires_at_ms, now_ms),
            moment(token.used_at_ms, now_ms) if token.used_at_ms else "never",
        ]
        for token in found
    ]
    print_table(terminal.stdout(), columns, rows)


def revoke(
    id: Annotated[
        str,
        Argument(metavar="ID", help="Its id, as `jober token list` shows it.", show_default=False),
    ],
    redis: RedisOption = None,
) -> None:
    """Revoke an API token: it opens nothing from now on.

    Examples:
      jober token revoke q3zk7mwxya
    """
    with fleet(redis) as jober:
        People(jober).revoke_token(id, caller())
    terminal.say(f"token {id} is revoked")
