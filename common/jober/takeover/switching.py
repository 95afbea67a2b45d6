"""How to switch from what a host does by itself to its jobs: commands, to be run by people."""

import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence

from jober.importing import Origin
from jober.takeover.root import Root
from jober.takeover.timers import is_of_host

_SPOOL = "/var/spool/cron"


def disabling(origins: Sequence[Origin], root: Root) -> Iterator[str]:
    """Commands, for the host itself, after which it no longer does these things by itself."""
    lines: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    timers = []
    for origin in origins:
        if origin.timer is not None:
            timers.append(origin.timer)
        elif origin.line is not None:
            of_user = origin.user if origin.file.startswith(_SPOOL) else None
            lines[origin.file, of_user].append(origin.line)
    for (file, user), numbers in lines.items():
        edit = "s/^/#/;".join(map(str, numbers)) + "s/^/#/"
        if user is None:
            yield f"sed -i '{edit}' {shlex.quote(file)}"
        else:
            # Debian's crontab(1) writes three lines at the top, and would write them once more.
            top = "1{/^# DO NOT EDIT/{N;N;d}}"
            name = shlex.quote(user)
            yield f"sed -e '{top}' -e '{edit}' {shlex.quote(file)} | crontab -u {name} -"
    for timer in timers:
        word = "disable" if is_of_host(root, timer) else "mask"
        yield f"systemctl {word} --now {shlex.quote(timer)}"
