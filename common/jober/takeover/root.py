"""The files of a host: of this one, or of one whose disk is mounted somewhere.

Paths are as that host has them. Links are followed within it: on a mounted disk, a link to
`/lib/x` leads to the `/lib/x` of the disk.
"""

import os
import pwd
from functools import cached_property
from pathlib import Path

from jober.errors import DefinitionError
from jober.schedule.zone import zone

_LINKS_AT_MOST = 40
BYTES_AT_MOST = 16 << 20


class Root:
    """A host by the directory that its root is."""

    def __init__(self, path: str = "/") -> None:
        self.path = os.path.realpath(path)
        if not os.path.isdir(self.path):
            raise DefinitionError("it is no directory", file=path, mend="name the root of a host")

    @property
    def is_this_host(self) -> bool:
        return self.path == "/"

    def real(self, path: str) -> str:
        """Where a path of the host is on this machine, all links followed."""
        if self.is_this_host:
            return os.path.realpath(path)
        return self._under(self.followed(path))

    def followed(self, path: str) -> str:
        """The same path as the host has it, all links followed."""
        found: list[str] = []
        rest = _parts(path)[::-1]
        links = 0
        while rest:
            part = rest.pop()
            if part == "..":
                del found[-1:]
                continue
            here = self._under("/" + "/".join([*found, part]))
            if os.path.islink(here) and links < _LINKS_AT_MOST:
                links += 1
                target = os.readlink(here)
                if target.startswith("/"):
                    found = []
                rest += _parts(target)[::-1]
            else:
                found.append(part)
        return "/" + "/".join(found)

    def names(self, folder: str) -> list[str]:
        """What is in a folder, in order; nothing where it is not there or may not be read."""
        try:
            return sorted(os.listdir(self.real(folder)))
        except OSError:
            return []

    def is_file(self, path: str) -> bool:
        return os.path.isfile(self.real(path))

    def is_folder(self, path: str) -> bool:
        return os.path.isdir(self.real(path))

    def may_run(self, path: str) -> bool:
        """Whether it is a program."""
        return self.is_file(path) and bool(os.stat(self.real(path)).st_mode & 0o111)

    def changed_ms(self, path: str) -> int | None:
        """When a file was changed last; None where it is not there."""
        try:
            return os.stat(self.real(path)).st_mtime_ns // 1_000_000
        except OSError:
            return None

    def text(self, path: str) -> str:
        """The text of a file. DefinitionError where there is none."""
        try:
            with open(self.real(path), "rb") as file:
                data = file.read(BYTES_AT_MOST + 1)
        except OSError as error:
            problem = (error.strerror or str(error)).lower()
            raise DefinitionError(
                f"it cannot be read: {problem}", file=path, mend="run this as root"
            ) from None
        return checked_text(data, path)

    @property
    def timezone(self) -> str | None:
        """The IANA name of the host's zone, as its files tell it; None where they do not.

        Not that of the environment: cron and systemd do not see it.
        """
        candidates = [self.followed("/etc/localtime").partition("/zoneinfo/")[2]]
        try:
            candidates.append(Path(self.real("/etc/timezone")).read_text("utf-8").strip())
        except (OSError, ValueError):
            pass
        for name in candidates:
            try:
                return zone(name.removeprefix("posix/")).name
            except DefinitionError:
                continue
        return None

    @property
    def hostname(self) -> str | None:
        """The name of the host, as an agent of it is called; None where nothing tells it."""
        if self.is_this_host:
            return os.uname().nodename
        try:
            lines = Path(self.real("/etc/hostname")).read_text("utf-8").split()
        except (OSError, ValueError):
            return None
        return lines[0] if lines else None

    def home_of(self, user: str) -> str | None:
        """The home of a user; None of one that the host does not have."""
        if self.is_this_host:
            try:
                return pwd.getpwnam(user).pw_dir
            except KeyError:
                return None
        return self._homes.get(user)

    @cached_property
    def _homes(self) -> dict[str, str]:
        rows = (line.split(":") for line in self.text("/etc/passwd").split("\n"))
        return {row[0]: row[5] for row in rows if len(row) == 7}

    def _under(self, path: str) -> str:
        return path if self.is_this_host else self.path + path


def checked_text(data: bytes, name: str) -> str:
    """The text of a file of that name. DefinitionError where it is too large, or no UTF-8."""
    if len(data) > BYTES_AT_MOST:
        raise DefinitionError("it is larger than 16 MiB", file=name, mend="split it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DefinitionError(
            f"byte 0x{data[error.start]:02x} is not UTF-8", file=f"{name}:{line}", mend="mend it"
        ) from None


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
