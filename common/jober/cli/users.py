"""`jober user`: who may log in to the web pages and the HTTP API, and what they may do there."""

from typing import Annotated

from rich.text import Text

from jober.access import Scope, check_names, check_password, check_user_name
from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import Argument, JsonOption, Option, RedisOption
from jober.cli.person import (
    PasswordOption,
    RoleOption,
    ScopeOption,
    TagOption,
    caller,
    limits_words,
    read_password,
)
from jober.cli.table import Column, print_table
from jober.client.people import People
from jober.words import count, moment

UserArgument = Annotated[
    str, Argument(metavar="NAME", help="The name of a user.", show_default=False)
]


def add(
    name: UserArgument,
    scope: ScopeOption = "viewer",
    tag: TagOption = None,
    role: RoleOption = None,
    password_stdin: PasswordOption = False,
    redis: RedisOption = None,
) -> None:
    """Add a user of the web pages and the HTTP API.

    A viewer sees jobs, runs and what they write; an operator runs, cancels and pauses too; an
    admin changes definitions, limits, users and tokens too. With --tag or --role they see the
    jobs alone that have one of these tags, or run on hosts with these roles alone, and nothing of
    the fleet as a whole.

    The password is asked for, twice. Redis keeps its scrypt hash.

    Examples:
      jober user add ann --scope admin
      jober user add backup-team --scope operator --tag backup
      pass show jober/ann | jober user add ann --password-stdin
    """
    check_user_name(name)
    Scope.read(scope)
    check_names(tag, "tags")
    check_names(role, "roles")
    with fleet(redis) as jober:
        password = check_password(read_password(password_stdin, name), name)
        People(jober).add_user(name, password, scope, caller(), tags=tag, roles=role)
    terminal.say(f"user {name}: {scope}, {_sees(tag, role)}")


def list_users(
    after: Annotated[
        str | None,
        Option("--after", metavar="NAME", help="Those after that one.", show_default=False),
    ] = None,
    number: Annotated[
        int, Option("-n", "--number", min=1, max=10_000, metavar="N", help="At most so many.")
    ] = 100,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """List the users, in order of their names.

    Examples:
      jober user list
      jober user list --json | jq -r '.[] | select(.scope == "admin") | .name'
    """
    with fleet(redis) as jober:
        people = People(jober)
        found = people.users(number, after)
        sessions = {user.name: people.sessions_of(user.name) for user in found}
        now_ms = jober.store.clock.now_ms()
    if json:
        terminal.print_json([{**user.to_dict(), "sessions": sessions[user.name]} for user in found])
        return
    if not found:
        terminal.note("no users: jober user add NAME --scope admin")
        return
    columns = [
        Column(title="USER"),
        Column(title="SCOPE"),
        Column(title="JOBS", cut=True),
        Column(title="SESSIONS", justify="right", drop=1),
        Column(title="LOGGED IN"),
    ]
    rows: list[list[str | Text]] = [
        [
            Text(user.name, style="bold"),
            str(user.scope),
            limits_words(user.tags, user.roles),
            str(sessions[user.name] or ""),
            moment(user.logged_in_at_ms, now_ms) if user.logged_in_at_ms else "never",
        ]
        for user in found
    ]
    print_table(terminal.stdout(), columns, rows)


def scope(
    name: UserArgument,
    scope: Annotated[
        str, Argument(metavar="SCOPE", help="viewer, operator or admin.", show_default=False)
    ],
    tag: TagOption = None,
    role: RoleOption = None,
    redis: RedisOption = None,
) -> None:
    """Say what a user may do, and to which jobs.

    It holds from the next request on, for sessions and tokens that there are, too. Limits that
    are not given are lifted.

    Examples:
      jober user scope ann operator
      jober user scope ann operator --tag backup --tag report
    """
    with fleet(redis) as jober:
        is_new = People(jober).set_rights(name, scope, caller(), tags=tag, roles=role)
    terminal.say(f"user {name}: {scope}, {_sees(tag, role)}{'' if is_new else ' (as before)'}")


def passwd(
    name: UserArgument, password_stdin: PasswordOption = False, redis: RedisOption = None
) -> None:
    """Give a user another password. All sessions of that user end.

    Examples:
      jober user passwd ann
    """
    with fleet(redis) as jober:
        people = People(jober)
        people.user(name)
        people.set_password(name, read_password(password_stdin, name), caller())
    terminal.say(f"user {name} has another password; all sessions have ended")


def logout(
    name: Annotated[
        str, Argument(metavar="NAME", help="Who, as the audit log has it.", show_default=False)
    ],
    redis: RedisOption = None,
) -> None:
    """End all sessions of somebody, also of one who came by OpenID Connect or by a link.

    Examples:
      jober user logout ann
      jober user logout oidc:8423-1a
    """
    with fleet(redis) as jober:
        ended = People(jober).end_sessions(name, caller())
    terminal.say(f"{name}: {count(ended, 'session')} ended")


def remove(name: UserArgument, redis: RedisOption = None) -> None:
    """Remove a user, with all sessions and tokens of theirs.

    Examples:
      jober user remove ann
    """
    with fleet(redis) as jober:
        People(jober).remove_user(name, caller())
    terminal.say(f"user {name} is removed")


def _sees(tags: list[str] | None, roles: list[str] | None) -> str:
    words = limits_words(check_names(tags, "tags"), check_names(roles, "roles"))
    return "all jobs" if words == "all" else f"jobs of {words}"
