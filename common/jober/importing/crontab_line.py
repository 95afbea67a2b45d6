"""One line of a crontab: a variable, or an entry. The grammar is that of Debian's cron and cronie.

Where the two differ, or a cron reads something that it should refuse, the line is refused here:
what runs and when must not hang on which cron it was.
"""

import re
import shlex
from dataclasses import dataclass

from jober.errors import DefinitionError, did_you_mean
from jober.schedule.cron import ALIASES

_ALIASES = {**{alias: alias for alias in ALIASES}, "@every_minute": "* * * * *"}
REBOOT = "@reboot"
_FIELDS = ("minute", "hour", "day of month", "month", "day of week")
_ITEM = re.compile(
    r"""
    \* (/\d+)?                                 # all, or each n-th
    | (\d+ | [a-z]{3}) (- (\d+ | [a-z]{3}) (/\d+)?)?  # one, or a range, or each n-th of it
    | \d* ~ \d* (/\d+)?                        # one of a range by chance
    """,
    re.VERBOSE | re.IGNORECASE,
)
_STEP_OF_ONE = re.compile(r"(\d+|[a-z]{3})/\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line that runs a command: `when` is five fields, an alias, or @reboot.

    `command` is what the shell is given, `input` what stands on its standard input (nothing,
    or lines that each end).
    """

    when: str
    user: str | None
    command: str
    input: str


def read_variable(line: str) -> tuple[str, str] | None:
    """Name and value, if the line sets a variable; else None.

    As `load_env` of Vixie's cron has it: blanks around `=` do not count, name and value may
    stand in quotes of either kind, and nothing is substituted.
    """
    rest = line.lstrip(" \t")
    if rest[:1] in ("'", '"'):
        name, closed, rest = rest[1:].partition(rest[0])
        if not closed or "=" in name:
            return None
    else:
        found = re.match(r"[^\s=]*", rest)
        assert found is not None
        name, rest = found[0], rest[found.end() :]
    rest = rest.lstrip(" \t")
    if not name or not rest.startswith("="):
        return None
    value = rest[1:].strip(" \t")
    if value[:1] in ("'", '"'):
        value, closed, after = value[1:].partition(value[0])
        if not closed or after.strip():
            return None
    return name, value


def read_entry(line: str, system: bool) -> Entry:
    """The entry of a line; `system` has a user before the command. DefinitionError."""
    line = line.strip(" \t")
    if line.startswith("-"):  # do not log it: cron's syslog is not ours
        line = line[1:].lstrip(" \t")
    if line.startswith("@"):
        alias, _, rest = line.partition(" ") if " " in line else line.partition("\t")
        alias, tab, more = alias.partition("\t")
        rest = f"{more} {rest}" if tab else rest
        when = _alias(alias)
    else:
        fields = line.split(None, 5)
        if len(fields) < 6:
            raise DefinitionError(
                f"it has {len(fields)} {'field' if len(fields) == 1 else 'fields'}, and neither "
                "runs a command nor sets a variable",
                mend="write five fields and a command, or NAME=value, or # before a remark",
            )
        for name, text in zip(_FIELDS, fields, strict=False):
            _check_field(name, text)
        when, rest = " ".join(fields[:5]), fields[5]
    rest = rest.lstrip(" \t")
    user = None
    if system:
        user, _, rest = (
            rest.partition(" ") if not re.match(r"\S+\t", rest) else rest.partition("\t")
        )
        rest = rest.lstrip(" \t")
        user = user or None
    if not rest:
        raise DefinitionError(
            "it names no command",
            mend="write user and command after the time" if system else "write one after the time",
        )
    if rest.startswith("-"):
        raise DefinitionError(
            f"'{rest.split()[0]}' is a flag that only BSD's cron knows",
            mend="take it out; jober has `overlap` for -s, and keeps all output",
        )
    if rest.startswith("*"):
        raise DefinitionError(
            "it has too many time fields", mend="five fields, then the command; cron has no seconds"
        )
    command, input = split_percent(rest)
    if not command.strip():
        raise DefinitionError("nothing stands before the first %", mend="write a command there")
    return Entry(when=when, user=user, command=command, input=input)


def split_percent(text: str) -> tuple[str, str]:
    r"""What the shell is given, and what stands on its standard input.

    The first bare % ends the command, further ones end lines of the input, and `\%` is a %.

    >>> split_percent(r"date +\%F; mail ops%Hello%%Bye")
    ('date +%F; mail ops', 'Hello\n\nBye\n')
    """
    place = _first_percent(text)
    command = (text if place is None else text[:place]).replace("\\%", "%")
    lines = "" if place is None else text[place + 1 :]
    if not lines:
        return command, ""
    input = re.sub(r"\\%|%", lambda found: "%" if found[0] == "\\%" else "\n", lines)
    return command, input if input.endswith("\n") else input + "\n"


def shell_text(command: str, input: str, shell: str) -> tuple[str | list[str], bool]:
    """`command` of a job, and its `shell`: the shell of the crontab runs the very same text.

    Input stands in a here-document that becomes the standard input of the whole text; a pipe
    would bind to a part of it alone, and change what a variable or an `exit` in it does.
    """
    plain = shell == "/bin/sh"
    if not input:
        return (command, True) if plain else ([shell, "-c", command], False)
    end = "END"
    while end in input.split("\n"):
        end += "_"
    if not plain:
        command = f"exec {shlex.join([shell, '-c', command])}"
    return f"exec <<'{end}'\n{input}{end}\n{command}", True


def _first_percent(text: str) -> int | None:
    """The place of the first % that no backslash stands before."""
    for found in re.finditer(r"(\\*)%", text):
        if len(found[1]) > 1:
            raise DefinitionError(
                f"crons differ in what '{found[0]}' is",
                mend="put what needs backslashes into a script, and run that",
            )
        if not found[1]:
            return found.start()
    return None


def _alias(alias: str) -> str:
    if alias == REBOOT:
        return REBOOT
    if alias not in _ALIASES:
        near = did_you_mean(alias, [*_ALIASES, REBOOT])
        raise DefinitionError(
            f"'{alias}' is no alias{near}", mend=f"one of {', '.join(ALIASES)}, or five fields"
        )
    return _ALIASES[alias]


def _check_field(name: str, text: str) -> None:
    """That cron itself reads the field so; the values are checked with the schedule."""
    for item in text.split(","):
        if _ITEM.fullmatch(item):
            continue
        if _STEP_OF_ONE.fullmatch(item):
            first = item.partition("/")[0]
            raise DefinitionError(
                f"{name} '{item}': Debian's cron refuses a step of a single value, others drop it",
                mend=f"write a range, as {first}-59{item[len(first) :]}, or {first} alone",
            )
        raise DefinitionError(
            f"{name} '{item}' is nothing that cron reads" if item else f"{name} has an empty place",
            mend="a number, a name of three letters, a range 1-5, a step */5, or a list of these",
        )
