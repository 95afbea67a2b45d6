"""Who calls a command, for the audit log, and the passwords that they type."""

import getpass
import os
import sys
from typing import Annotated

from jober.access import Actor
from jober.cli.options import Option, WrongCall
from jober.errors import JoberError

ScopeOption = Annotated[
    str,
    Option("--scope", metavar="SCOPE", help="viewer, operator or admin."),
]
TagOption = Annotated[
    list[str] | None,
    Option(
        "--tag",
        metavar="TAG",
        help="For jobs with this tag alone; give it once for each. (default: all)",
        show_default=False,
    ),
]
RoleOption = Annotated[
    list[str] | None,
    Option(
        "--role",
        metavar="ROLE",
        help="For jobs that run on hosts with this role alone; give it once for each. "
        "(default: all)",
        show_default=False,
    ),
]
PasswordOption = Annotated[
    bool,
    Option(
        "--password-stdin",
        help="Read the password from standard input, a line. (default: ask for it)",
    ),
]


def caller() -> Actor:
    """The account and the host that the command is called from."""
    try:
        account = getpass.getuser()
    except (OSError, KeyError):  # an id without a name
        account = str(os.getuid())
    return Actor(name=f"{account}@{os.uname().nodename}", via="cli")


def read_password(from_stdin: bool, user: str) -> str:
    """A password, typed twice, or a line of standard input. It is never an argument, which others
    on the host could read. Raises WrongCall, JoberError."""
    if from_stdin:
        try:
            return sys.stdin.readline().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise JoberError(f"the password cannot be read: {error}") from None
    if not sys.stdin or not sys.stdin.isatty():
        raise WrongCall("there is no terminal to ask for the password; give --password-stdin")
    try:
        first = getpass.getpass(f"Password of {user}: ")
        if getpass.getpass("Once more: ") != first:
            raise JoberError("the two passwords differ; nothing is changed")
    except EOFError:
        raise JoberError("no password was given; nothing is changed") from None
    return first


def limits_words(tags: frozenset[str] | None, roles: frozenset[str] | None) -> str:
    """Which jobs somebody is limited to, as a list shows it."""
    told = [] if tags is None else [f"tags {', '.join(sorted(tags))}"]
    told += [] if roles is None else [f"roles {', '.join(sorted(roles))}"]
    return "; ".join(told) or "all"
