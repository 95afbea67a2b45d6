"""A crontab as jobs: of a user, or of the system (with a column for the user).

What cron does that a job does not by itself stands in the defaults: runs may overlap, and
what was missed is not caught up with. Variables hold for the lines below them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jober.errors import DefinitionError
from jober.importing.crontab_line import (
    REBOOT,
    Entry,
    read_entry,
    read_variable,
    shell_text,
)
from jober.importing.header import NO_ROLES, REVIEW, USER_NEEDS, ZONE_UNKNOWN, ZONE_WARNING
from jober.importing.imported import (
    Imported,
    ImportedJob,
    Origin,
    Remark,
    shared_env,
    without_env,
)
from jober.importing.names import Names, command_names
from jober.job import Job
from jober.job.problems import each_of
from jober.schedule.zone import zone

_HEADING = re.compile(r"\s*m(in)?(ute)?s?\s+h(our)?s?\s+dom\b", re.IGNORECASE)
_FOR_MAIL = ("MAILTO", "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING")
_OF_CRON = ("LOGNAME", "USER")
_TITLE_LENGTH = 120
_PATH = "/usr/bin:/bin"  # what cron gives a command


@dataclass(frozen=True, slots=True, kw_only=True)
class CrontabOptions:
    """How to read it. `path` is told in messages and in the header.

    `timezone` is that of the host the crontab ran on, None where nobody knows. `user` is whose
    crontab it is; of a system's, the only one whose lines are wanted. `tz_is_zone`: a TZ line
    sets the zone of the times too, not only a variable. `home_of` tells the home of a user of
    that host, None of one that it does not have: where it is given, a job starts where cron
    starts it, with cron's PATH.
    """

    path: str
    system: bool = False
    user: str | None = None
    prefix: str = ""
    roles: tuple[str, ...] = ()
    timezone: str | None = None
    tz_is_zone: bool = False
    home_of: Callable[[str], str | None] | None = None


def read_crontab(text: str, options: CrontabOptions) -> Imported:
    """The jobs of a crontab. DefinitionError only for options; what is wrong in the text is in
    `problems`."""
    if options.timezone is not None:
        zone(options.timezone)
    reading = _Reading(options)
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    for number, line in enumerate(lines, 1):
        reading.line(number, line)
    return reading.result()


@dataclass(slots=True)
class _Reading:
    """What was read so far: the variables that hold, the remarks that wait for a line."""

    options: CrontabOptions
    env: dict[str, str] = field(default_factory=dict)
    mailto: str | None = None
    timezone: str | None = None  # of a CRON_TZ
    bad_zone: int | None = None  # the line of a CRON_TZ that names no zone
    remarks: list[str] = field(default_factory=list)
    parts: list[ImportedJob | Remark] = field(default_factory=list)
    problems: list[DefinitionError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    of_others: int = 0
    names: Names = field(init=False)

    def __post_init__(self) -> None:
        self.names = Names(self.options.prefix)

    def line(self, number: int, line: str) -> None:
        text = line.strip(" \t")
        if not text:
            self.flush()
        elif text.startswith("#"):
            self.remarks.append(text[1:].removeprefix(" ").rstrip())
        else:
            try:
                if text.endswith("\r"):
                    raise DefinitionError(
                        "it ends with a carriage return, which cron gives to the command",
                        mend="save the crontab with the line ends of Unix",
                    )
                variable = read_variable(line)
                if variable is not None:
                    self.flush()
                    self.variable(number, *variable)
                else:
                    self.entry(number, text)
            except DefinitionError as error:
                for one in each_of([error]):
                    # The job is not there yet: its line is what tells where.
                    one.job = None
                    self.problems.append(one.within(file=self.at(number)))
                self.remarks.append(f"Not imported, line {number}: {text}")
                self.flush()

    def flush(self) -> None:
        """Remarks that stand above no entry stay remarks."""
        if any(self.remarks):
            self.parts.append(Remark(tuple(self.remarks)))
        self.remarks = []

    def at(self, number: int) -> str:
        return f"{self.options.path}:{number}"

    def warn(self, number: int, text: str) -> None:
        self.warnings.append(f"{self.at(number)}: {text}")

    def variable(self, number: int, name: str, value: str) -> None:
        if name == "CRON_TZ" or (name == "TZ" and self.options.tz_is_zone):
            self.zone(number, name, value)
        if name == "CRON_TZ":
            return
        if name == "MAILTO":
            self.mailto = value
            told = "the jobs below have a tag for it" if value else "as this line wants it"
            self.parts.append(Remark((f"MAILTO={value}: jober sends no mail; {told}.",)))
        if name in _OF_CRON:
            self.warn(number, f"cron sets {name} itself, so this line does nothing; left out")
            return
        if name == "TZ" and not self.options.tz_is_zone:
            self.warn(
                number,
                f"TZ={value} is kept as a variable of the commands, as Debian's cron and cronie "
                "have it; where your cron reads the times in it too, use --tz-is-zone",
            )
        if name == "RANDOM_DELAY":
            self.warn(
                number,
                "RANDOM_DELAY is kept as a variable; for cronie's delay, set jitter (in seconds)",
            )
        self.env[name] = value

    def zone(self, number: int, name: str, value: str) -> None:
        value = value.removeprefix(":")
        self.timezone, self.bad_zone = None, None
        if not value:
            return
        try:
            self.timezone = zone(value).name
        except DefinitionError as error:
            self.bad_zone = number
            error.field = name
            raise

    def entry(self, number: int, text: str) -> None:
        entry = read_entry(text, self.options.system)
        if not self.options.system and entry.command.split()[0] == "root":
            raise DefinitionError(
                "its command is 'root', so this is the format of /etc/crontab and cron.d",
                mend="use --system",
            )
        if self.options.system and self.options.user not in (None, entry.user):
            self.of_others += 1
            self.remarks = []
            return
        if entry.when == REBOOT:
            self.left_out.append(
                f"{self.at(number)}: @reboot is no schedule; told in a comment, not imported"
            )
            self.remarks += [
                f"Line {number} runs when its host starts, which is no schedule:",
                f"  {text}",
                "Give it to the host itself, as a systemd unit.",
            ]
            self.flush()
            return
        if self.bad_zone is not None:
            raise DefinitionError(
                f"line {self.bad_zone}, which holds for it, names no time zone",
                mend=f"mend line {self.bad_zone}",
            )
        self.job(number, entry)

    def job(self, number: int, entry: Entry) -> None:
        about, told = _about(self.remarks)
        if told:
            self.parts.append(Remark(tuple(told)))
        self.remarks = []
        fields: dict[str, Any] = {**_title(about)}
        shell = self.env.get("SHELL", "/bin/sh")
        fields["command"], in_shell = shell_text(entry.command, entry.input, shell)
        if in_shell:
            fields["shell"] = True
        fields["cron"] = entry.when
        if self.timezone is not None:
            fields["timezone"] = self.timezone
        user = entry.user if self.options.system else self.options.user
        home = self.env.get("HOME", "")
        env = {name: value for name, value in self.env.items() if name not in _FOR_MAIL}
        if self.options.home_of is not None and user is not None:
            known = self.options.home_of(user)
            if known is None:
                raise DefinitionError(
                    f"there is no user '{user}' here, so cron itself runs nothing of it",
                    mend="take it out, or add the user",
                )
            home = home or known
            env = {"PATH": _PATH, **env}
        if home.startswith("/"):
            fields["cwd"] = home
        env |= {name: value for name, value in self.env.items() if name in entry.command}
        if env:
            fields["env"] = env
        tags = []
        if self.mailto is not None:
            tags += [f"mailto:{address}" for address in re.split(r"[,\s]+", self.mailto) if address]
        if user is not None:
            fields["user"] = user
        if tags:
            fields["tags"] = tags
        if len(about) > 1 or (about and "title" not in fields):
            fields["notes"] = "\n".join(about)
        # First whether it is a job at all: what is none shall take no name.
        Job.from_spec("x", {"timezone": self.options.timezone or "UTC", **fields})
        name = self.names.take(command_names(entry.command))
        origin = Origin(
            file=self.options.path,
            line=number,
            user=user,
            command=entry.command,
            by_chance="~" in entry.when,
        )
        self.parts.append(ImportedJob(name=name, fields=fields, origin=origin))

    def result(self) -> Imported:
        self.flush()
        if self.of_others:
            self.warnings.append(
                f"{self.options.path}: left out are {self.of_others} of other users than "
                f"'{self.options.user}'"
            )
        jobs = [part for part in self.parts if isinstance(part, ImportedJob)]
        shared = shared_env(jobs)
        return Imported(
            header=tuple(self.header()),
            defaults=self.defaults(shared),
            parts=tuple(
                without_env(part, shared) if isinstance(part, ImportedJob) else part
                for part in self.parts
            ),
            problems=tuple(self.problems),
            warnings=tuple(self.warnings),
            left_out=tuple(self.left_out),
        )

    def defaults(self, shared_env: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
        known = self.options.timezone
        why = "the zone that the crontab's times are in" if known else "not known: see above"
        found: dict[str, tuple[Any, str]] = {"timezone": (known or "UTC", why)}
        if self.options.roles:
            found["roles"] = (list(self.options.roles), "which hosts: any of these")
        found["overlap"] = ("allow", "as cron does it; skip: one run at a time")
        found["catch_up"] = ("none", "as cron does it; latest: run after all what was missed")
        if shared_env:
            found["env"] = (dict(shared_env), "")
        return found

    def header(self) -> list[str]:
        kind = "system crontab" if self.options.system else "crontab"
        lines = [
            f"The jobs of the {kind} {self.options.path}, as `jober import crontab` reads it.",
            *REVIEW,
            "",
        ]
        if self.options.timezone is None:
            lines += ZONE_UNKNOWN
            self.warnings.append(f"{self.options.path}: {ZONE_WARNING}")
        else:
            lines.append(f"- Times are in {self.options.timezone}, where no CRON_TZ was set.")
        if not self.options.roles:
            lines += NO_ROLES
        return [
            *lines,
            "- cron starts a command in its user's home with PATH=/usr/bin:/bin; jober in the",
            "  directory of the agent, with its environment. Where that matters, set cwd and env.",
            *([USER_NEEDS] if self.options.system or self.options.user else []),
            "- Output is kept with each run (jober logs); no mail is sent.",
        ]


def _about(remarks: list[str]) -> tuple[list[str], list[str]]:
    """Of the remarks above an entry: what is about it, and what is not.

    A heading of the columns, or an entry that is commented out, is not, nor is all above it.
    """
    cut = 0
    for place, remark in enumerate(remarks, 1):
        if _HEADING.match(remark) or _is_entry(remark) or not re.search(r"\w", remark):
            cut = place
    return remarks[cut:], [remark for remark in remarks[:cut] if any(remarks[:cut])]


def _is_entry(remark: str) -> bool:
    try:
        return bool(read_entry(remark, system=False).command)
    except DefinitionError:
        return False


def _title(about: list[str]) -> dict[str, str]:
    if len(about) == 1 and 0 < len(about[0].strip()) <= _TITLE_LENGTH and about[0].isprintable():
        return {"title": about[0].strip()}
    return {}
