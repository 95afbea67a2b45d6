"""`jober key sign`: definitions that are in Redis, signed where they are what they should be."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.options import Argument, Option, RedisOption, WrongCall
from jober.cli.table import print_facts
from jober.clock import iso
from jober.job.draft import WHAT_FIELDS
from jober.roles import DEFAULT_ROLE
from jober.signing import Seal
from jober.store.jobs import JobRecord
from jober.words import count, plain

# So many of those that are left are named.
_NAMED = 20


def sign(
    names: Annotated[
        list[str] | None, Argument(metavar="NAME", help="Jobs.", show_default=False)
    ] = None,
    every: Annotated[
        bool, Option("--all", help="All jobs that another key has signed, which is trusted here.")
    ] = False,
    signed_by: Annotated[
        Path | None,
        Option(
            "--signed-by",
            metavar="FILE",
            help="With --all, those that these keys have signed, too: a file or a folder, as of "
            "the public half of a key that is trusted no more.",
            show_default=False,
        ),
    ] = None,
    yes: Annotated[
        bool, Option("--yes", "-y", help="Do not ask first: they were looked at.")
    ] = False,
    redis: RedisOption = None,
) -> int:
    """Sign definitions that are in Redis, with the key of JOBER_SIGN_KEY.

    Jobs of a jobs file are better applied anew, with the key: `jober apply` signs what the file
    says. Of those that stand in none, whoever can write to Redis may have changed what is there:
    by name, each is shown as it would run, and signed where that is what it should be. --all takes
    a new key in the place of another, and signs nothing that nobody has signed; it tells when each
    was, since somebody may have put back what was signed long ago.

    Examples:
      export JOBER_SIGN_KEY=/etc/jober/ops.key
      jober key sign nightly
      jober key sign --all --signed-by /etc/jober/ops-2025.pub
    """
    if bool(names) == every:
        raise WrongCall("name jobs, or give --all")
    if signed_by is not None and not every:
        raise WrongCall("--signed-by goes with --all")
    left: Mapping[str, str] = {}
    with fleet(redis) as jober:
        if every:
            records, left = jober.signed_by_others(signed_by)
        else:
            records = [jober.job(name) for name in dict.fromkeys(names or [])]
        if records and not yes and not _is_wanted(records, _print_seal if every else _print_all):
            terminal.note("nothing was signed")
            return 1
        for name in jober.sign(records):
            terminal.say(f"signed {name}")
    if left:
        _tell_left(left)
        return 1
    if not records:
        terminal.note("all jobs are signed by this key")
    return 0


def _is_wanted(records: Sequence[JobRecord], show: Callable[[JobRecord], None]) -> bool:
    """Whether who looks at them says so."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise WrongCall(
            "what is signed runs: look at it in a terminal, or, where that was done, give --yes"
        )
    for record in records:
        show(record)
    these = "it" if len(records) == 1 else "they"
    return typer.confirm(
        f"Is this what {these} should be? Sign {count(len(records), 'job')}?", err=True
    )


def _tell_left(left: Mapping[str, str]) -> None:
    for name in list(left)[:_NAMED]:
        terminal.note(f"left as it is: {name}: {plain(left[name])}")
    if len(left) > _NAMED:
        terminal.note(f"left as they are: {len(left) - _NAMED} more")
    terminal.note(
        f"{count(len(left), 'job')} nobody who is trusted here has signed, so anybody may have put "
        "there what they are. Where they stand in a jobs file, apply it with this key: `jober "
        "apply FILE` signs what the file says. Others are looked at, and signed, by name: "
        "`jober key sign NAME`"
    )


def _print_seal(record: JobRecord) -> None:
    """When it was signed, and by whom: one that somebody has put back is older than the others, or
    should not be there."""
    seal = Seal.read(record.fields["seal"].decode())
    terminal.say(f"{record.name}  signed {iso(seal.at_ms)} by key {seal.key}")


def _print_all(record: JobRecord) -> None:
    """All of the definition that is signed, beginning with what it does, where and when."""
    job = record.job
    console = terminal.stdout()
    console.print(Text(record.name, style="bold"), soft_wrap=True)
    spec = job.spec()
    first = {name: spec.pop(name) for name in WHAT_FIELDS if name in spec}
    facts: list[tuple[str, str | Text]] = [
        *((name, terminal.json_text(value)) for name, value in first.items()),
        ("where", f"on {job.on} of the hosts with role {' or '.join(job.roles) or DEFAULT_ROLE}"),
        ("when", job.schedule_text),
        *((name, terminal.json_text(value)) for name, value in spec.items()),
    ]
    print_facts(console, facts)
