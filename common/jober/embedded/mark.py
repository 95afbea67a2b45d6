"""What stands for a process as long as the host is up, though its number be given again."""

from contextlib import suppress
from pathlib import Path

import psutil


def mark_of(pid: int) -> str | None:
    """`<pid>-<when it was started>`; None where there is no such process."""
    with suppress(OSError, ValueError, IndexError):
        # What stands after the name, which may hold anything: its start is the 20th of it.
        words = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return None if words[0] in "ZX" else f"{pid}-{int(words[19])}"
    with suppress(psutil.Error):
        return f"{pid}-{int(psutil.Process(pid).create_time())}"
    return None


def lives(member: str) -> bool:
    """Whether the process is there that a member's name begins with the mark of."""
    pid, _, rest = member.partition("-")
    mark = mark_of(int(pid)) if pid.isdecimal() else None
    return mark is not None and f"{pid}-{rest}".startswith(f"{mark}-")
