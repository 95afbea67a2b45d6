"""`jober takeover`: what a host runs by itself, as a jobs file."""

import os
import sys
from typing import Annotated

from jober.cli import terminal
from jober.cli.imports import FormatOption, format_of, roles_of
from jober.cli.options import Option, WrongCall
from jober.errors import DefinitionError
from jober.importing import Imported, jobs_text
from jober.takeover import Root, TakeoverOptions, read_host
from jober.words import count

RootOption = Annotated[
    str,
    Option("--root", metavar="DIR", help="The root of the host, where its disk is mounted."),
]
HostOption = Annotated[
    str | None,
    Option(
        "--host",
        metavar="NAME",
        help="What the host is called. (default: as it says itself)",
        show_default=False,
    ),
]
PrefixOption = Annotated[
    str | None,
    Option(
        "--prefix",
        metavar="P",
        help="What each name begins with. (default: the host's name and -)",
        show_default=False,
    ),
]
TimezoneOption = Annotated[
    str | None,
    Option(
        "--timezone",
        metavar="TZ",
        help="The zone its times are in. (default: the host's own)",
        show_default=False,
    ),
]
AllOption = Annotated[
    bool, Option("--all", help="Timers too that are not enabled. (default: those that are)")
]


def takeover(
    output: Annotated[
        str | None,
        Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write it there, if there is no such file yet. (default: print it)",
            show_default=False,
        ),
    ] = None,
    root: RootOption = "/",
    host: HostOption = None,
    roles: Annotated[
        str | None,
        Option(
            "--roles",
            metavar="ROLES",
            help="Who runs them: any of these, with commas. (default: the role .HOST, which "
            "only this host is to have)",
            show_default=False,
        ),
    ] = None,
    prefix: PrefixOption = None,
    timezone: TimezoneOption = None,
    every: AllOption = False,
    format: FormatOption = "toml",
) -> None:
    """Print the jobs file of what a host runs by itself.

    Its crontabs (/etc/crontab, cron.d, those of users) and its systemd timers become jobs of
    the host: the same times, users, shells and variables. What cannot be a job is told with
    its line and the reason, on stderr and in the file. Nothing is switched: `jober takeover
    shadow` first compares the jobs with what the host's log says it ran.

    Examples:
      jober takeover -o web1.toml
      jober takeover --root /mnt/web1 --host web1
      jober takeover shadow web1.toml --since 7d
      jober apply web1.toml --dry-run
    """
    kind = format_of(format)
    options = TakeoverOptions(
        host=host,
        timezone=timezone,
        roles=None if roles is None else roles_of(roles),
        prefix=prefix,
        every=every,
    )
    found = read_host(Root(root), options)
    for warning in found.warnings:
        terminal.note(warning)
    for told in (*map(str, found.problems), *found.left_out):
        terminal.note(f"not taken over: {told}")
    if not found.jobs:
        raise DefinitionError(
            "no crontab and no enabled timer was found that can be jobs",
            file=root,
            mend="run it as root, name another --root, or see --all",
        )
    text = jobs_text(found, kind)
    if output is None:
        sys.stdout.write(text)
    else:
        _write(output, text)
    terminal.note(summary(found))
    if output is not None:
        terminal.note(f"next: jober takeover shadow {output} --since 7d")


def summary(found: Imported) -> str:
    """`9 jobs of 3 files; 2 entries are not taken over`."""
    files = {job.origin.file for job in found.jobs if job.origin is not None}
    left = len(found.problems) + len(found.left_out)
    told = f"{count(len(found.jobs), 'job')} of {count(len(files), 'file')}"
    return f"{told}; {left} not taken over" if left else told


def _write(path: str, text: str) -> None:
    try:
        # What somebody has edited since is not written over.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w") as file:
            file.write(text)
    except FileExistsError:
        raise WrongCall(f"{path} is there already: remove it, or name another file") from None
    except OSError as error:
        problem = (error.strerror or str(error)).lower()
        raise DefinitionError(
            f"it cannot be written: {problem}", file=path, mend="name another file"
        ) from None
