"""What one message of a host's log tells: that something was started, or happened to the clock.

Debian's cron, cronie and busybox's crond each say in their own words that a command begins, and
systemd that a service does.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

_CRON = frozenset({"cron", "crond", "/usr/sbin/cron", "/usr/sbin/crond"})
_CMD = re.compile(r"\((\S+)\) CMD \((.*?)\)?")
_BUSYBOX = re.compile(r"USER (\S+) pid +(\d+) cmd (.*)")
_CRON_BEGINS = re.compile(
    r"\(CRON\) (STARTUP|INFO \(pidfile|INFO \(Running @reboot)|crond .* started"
)
_UNIT = re.compile(r"(Starting|Started|Finished) (?:(\S+\.service) - )?(.*?)(?:\.\.\.|\.)?")
_BOOT = re.compile(r"Linux version |systemd \d+.* running in system mode|Booting Linux")
_CLOCK = re.compile(
    r"Time has been changed|System clock was stepped|clock was stepped|time reset|step time server"
)


class MarkKind(StrEnum):
    """What else a log tells: the host booted, cron began, somebody set the clock."""

    BOOT = "boot"
    CRON = "cron"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class CommandStart:
    """cron has started a command for a user, by a process of that number."""

    user: str
    command: str
    pid: str


@dataclass(frozen=True, slots=True)
class UnitWord:
    """systemd has said `Starting`, `Started` or `Finished` of a service, by its name (None in
    old versions) and its description."""

    word: str
    unit: str | None
    description: str


def read_message(program: str, pid: str, text: str) -> CommandStart | UnitWord | MarkKind | None:
    """What a message of a program tells; None where it is nothing of ours.

    >>> read_message("CRON", "17", "(ann) CMD (df -h)")
    CommandStart(user='ann', command='df -h', pid='17')
    """
    if program.lower() in _CRON:
        found = _CMD.fullmatch(text)
        if found:
            return CommandStart(found[1], found[2], pid)
        found = _BUSYBOX.fullmatch(text)
        if found:
            return CommandStart(found[1], found[3], found[2])
        return MarkKind.CRON if _CRON_BEGINS.match(text) else None
    if program == "systemd" and pid == "1":
        found = _UNIT.fullmatch(text)
        if found:
            return UnitWord(found[1], found[2], found[3])
    if _CLOCK.search(text):
        return MarkKind.CLOCK
    return MarkKind.BOOT if program in ("kernel", "systemd") and _BOOT.match(text) else None


def shown_command(command: str) -> str:
    r"""A command as cron writes it into its log: control characters are made visible.

    >>> shown_command("a\tb")
    'a^Ib'
    """
    return "".join(_shown(letter) for letter in command)


def alike(logged: str, command: str) -> bool:
    """Whether a command of the log is that of a crontab: blanks at its ends do not count, other
    letters than ASCII may be octal, and a syslog may cut what is long."""
    logged, shown = _spelled(logged), _spelled(shown_command(command))
    return logged == shown or (len(logged) >= _CUT_AT_LEAST and shown.startswith(logged))


_CUT_AT_LEAST = 500
_OCTAL = re.compile(r"(?:\\[2-3][0-7][0-7])+")
# rsyslog writes control characters so.
_RSYSLOG = re.compile(r"#0([0-3][0-7])")


def _shown(letter: str) -> str:
    if letter == "\x7f":
        return "^?"
    return f"^{chr(ord(letter) + 64)}" if letter < " " else letter


def _spelled(text: str) -> str:
    text = _RSYSLOG.sub(lambda found: f"^{chr(int(found[1], 8) + 64)}", text)
    text = _OCTAL.sub(
        lambda found: bytes(int(part, 8) for part in found[0].split("\\")[1:]).decode(
            "utf-8", "replace"
        ),
        text,
    )
    return text.strip()
