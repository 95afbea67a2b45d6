"""Hosts for the tests of a takeover: a folder that is the root of one."""

import os
from pathlib import Path

PASSWD = "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/home/nobody:/bin/sh\n"
LONG_AGO_S = 1_600_000_000


def write(root: Path, path: str, text: str, mode: int = 0o644) -> Path:
    """A file of the host, changed last long ago."""
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    os.utime(file, (LONG_AGO_S, LONG_AGO_S))
    return file


def debian(root: Path, zone: str = "Europe/Warsaw") -> Path:
    """A host of Debian in a zone, that runs nothing yet."""
    write(root, "/etc/hostname", "web1\n")
    write(root, "/etc/debian_version", "12.5\n")
    write(root, "/etc/passwd", PASSWD)
    (root / "etc" / "localtime").symlink_to(f"/usr/share/zoneinfo/{zone}")
    for folder in ("etc/cron.d", "var/spool/cron/crontabs", "var/log", "etc/systemd/system"):
        (root / folder).mkdir(parents=True)
    return root


def enable(root: Path, timer: str, text: str, service: str) -> None:
    """A timer of the host, enabled, and its service."""
    write(root, f"/etc/systemd/system/{timer}.timer", text)
    write(root, f"/etc/systemd/system/{timer}.service", service)
    wants = root / "etc/systemd/system/timers.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / f"{timer}.timer").symlink_to(f"/etc/systemd/system/{timer}.timer")
