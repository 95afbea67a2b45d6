"""`jober import crontab` and `jober import systemd`: jobs files of what there is already."""

import os
import sys
from collections.abc import Iterator
from typing import Annotated, Literal, cast

from jober.cli import terminal
from jober.cli.options import Argument, Option, WrongCall
from jober.errors import DefinitionError
from jober.importing import (
    CrontabOptions,
    Imported,
    SystemdOptions,
    Unit,
    jobs_text,
    read_crontab,
    read_systemd,
    units_of_cat,
)
from jober.job import raise_any
from jober.roles import parse_roles
from jober.schedule.zone import zone
from jober.takeover import Root
from jober.takeover.root import BYTES_AT_MOST, checked_text

_FORMATS = ("toml", "yaml")

PrefixOption = Annotated[
    str, Option("--prefix", metavar="P", help="What each name begins with, as 'web1-'.")
]
RolesOption = Annotated[
    str | None,
    Option(
        "--roles",
        metavar="ROLES",
        help="Which hosts run them: any of these, with commas. (default: the role default)",
        show_default=False,
    ),
]
TimezoneOption = Annotated[
    str | None,
    Option(
        "--timezone",
        metavar="TZ",
        help="The zone their times are in. (default: this machine's)",
        show_default=False,
    ),
]
FormatOption = Annotated[
    str, Option("--format", metavar="toml|yaml", help="What to write the jobs in.")
]
SkipOption = Annotated[
    bool,
    Option("--skip-invalid", help="Import the others where some cannot be. (default: none)"),
]


def crontab(
    file: Annotated[str, Argument(metavar="FILE", help="A crontab, or - for standard input.")],
    system: Annotated[
        bool,
        Option("--system", help="It is /etc/crontab or of cron.d, with a column for users."),
    ] = False,
    user: Annotated[
        str | None,
        Option(
            "--user",
            metavar="NAME",
            help="Whose crontab it is; with --system, only the lines of this user.",
            show_default=False,
        ),
    ] = None,
    prefix: PrefixOption = "",
    roles: RolesOption = None,
    timezone: TimezoneOption = None,
    tz_is_zone: Annotated[
        bool,
        Option(
            "--tz-is-zone",
            help="Read times in the zone of a TZ line too, as some crons do. (default: only in "
            "that of CRON_TZ)",
        ),
    ] = False,
    format: FormatOption = "toml",
    skip_invalid: SkipOption = False,
) -> None:
    """Print the jobs file of a crontab.

    It says what the crontab says: variables, standard input after %, time zones, and who runs
    it. What has no place in a job (mail, @reboot) is told in comments and on stderr. Where a
    line cannot be read, nothing is printed, and the exit status is 1.

    Examples:
      crontab -l | jober import crontab - > jobs.toml
      jober import crontab /etc/crontab --system --roles db --prefix db1-
      jober apply jobs.toml --dry-run
    """
    options = CrontabOptions(
        path="stdin" if file == "-" else file,
        system=system,
        user=user,
        prefix=prefix,
        roles=roles_of(roles),
        timezone=_timezone(timezone),
        tz_is_zone=tz_is_zone,
    )
    _print(read_crontab(_text(file), options), format_of(format), skip_invalid)


def systemd(
    paths: Annotated[
        list[str],
        Argument(
            metavar="PATH",
            help="Timers (their services stand beside them), directories of timers, or - for "
            "what `systemctl cat` prints.",
        ),
    ],
    prefix: PrefixOption = "",
    roles: RolesOption = None,
    timezone: TimezoneOption = None,
    format: FormatOption = "toml",
    skip_invalid: SkipOption = False,
) -> None:
    """Print the jobs file of systemd timers and their services.

    It says what the units say, or refuses a timer with the line and the reason. What has no
    place in a job (protection, other limits) is told in comments and on stderr.

    Examples:
      jober import systemd /etc/systemd/system/nightly.timer > jobs.toml
      systemctl cat nightly.timer nightly.service | jober import systemd -
      jober import systemd /etc/systemd/system --skip-invalid --roles web
    """
    units: dict[str, Unit] = {}
    for path in paths:
        found = units_of_cat(_text("-")) if path == "-" else _units(path)
        units |= {unit.name: unit for unit in found}
    if not any(name.endswith(".timer") for name in units):
        raise DefinitionError("there is no timer", file=", ".join(paths), mend="name a .timer")
    options = SystemdOptions(prefix=prefix, roles=roles_of(roles), timezone=_timezone(timezone))
    _print(read_systemd(units.values(), options), format_of(format), skip_invalid)


def _print(imported: Imported, format: Literal["toml", "yaml"], skip_invalid: bool) -> None:
    for told in (*imported.warnings, *imported.left_out):
        terminal.note(told)
    if imported.problems and not skip_invalid:
        terminal.note("nothing is printed, for what follows; --skip-invalid imports the others")
        raise_any(imported.problems)
    for problem in imported.problems:
        terminal.note(f"left out: {problem}")
    sys.stdout.write(jobs_text(imported, format))
    if not imported.jobs:
        terminal.note("there are no jobs in it")


def format_of(text: str) -> Literal["toml", "yaml"]:
    if text not in _FORMATS:
        raise WrongCall(f"--format is toml or yaml, and not '{text}'")
    return cast(Literal["toml", "yaml"], text)


def roles_of(text: str | None) -> tuple[str, ...]:
    roles = tuple(part.strip() for part in text.split(",")) if text else ()
    parse_roles(roles)
    return roles


def _timezone(name: str | None) -> str | None:
    return Root().timezone if name is None else zone(name).name


def _text(path: str) -> str:
    """The text of a file, or of standard input. DefinitionError."""
    name = "stdin" if path == "-" else path
    try:
        if path == "-":
            data = sys.stdin.buffer.read(BYTES_AT_MOST + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(BYTES_AT_MOST + 1)
    except OSError as error:
        problem = (error.strerror or str(error)).lower()
        raise DefinitionError(
            f"it cannot be read: {problem}", file=name, mend="name a file that is there, or -"
        ) from None
    return checked_text(data, name)


def _units(path: str) -> Iterator[Unit]:
    """The timers of a path and the services beside them; of a service, itself."""
    if os.path.isdir(path):
        timers = sorted(entry for entry in os.listdir(path) if entry.endswith(".timer"))
        for entry in timers:
            yield from _units(os.path.join(path, entry))
        return
    if not path.endswith((".timer", ".service")):
        raise DefinitionError(
            "it is neither a timer nor a directory", file=path, mend="name a .timer"
        )
    unit = _unit(path)
    yield unit
    if not path.endswith(".timer"):
        return
    named = unit.last("Timer", "Unit")
    service = named.value if named else f"{unit.stem}.service"
    template, at, _ = service.partition("@")
    # A link in timers.target.wants stands elsewhere than its service.
    for folder in dict.fromkeys((os.path.dirname(path), os.path.dirname(os.path.realpath(path)))):
        for name in (service, f"{template}@.service") if at else (service,):
            beside = os.path.join(folder, name)
            if name.endswith(".service") and os.path.isfile(beside):
                yield _unit(beside)
                return


def _unit(path: str) -> Unit:
    """The unit of a file, with its drop-ins."""
    files = [(path, _text(path))]
    folder = f"{path}.d"
    if os.path.isdir(folder):
        files += [
            (os.path.join(folder, name), _text(os.path.join(folder, name)))
            for name in sorted(os.listdir(folder))
            if name.endswith(".conf")
        ]
    return Unit.of(os.path.basename(path), files)
