"""The log of a host, as files of a syslog or as systemd's journal, read on as it grows."""

import bz2
import gzip
import json
import lzma
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from jober.errors import DefinitionError, JoberError
from jober.schedule.zone import Zone
from jober.takeover.evidence import Evidence, read_lines
from jober.takeover.log_line import read_message
from jober.takeover.root import Root

_FOLDER = "/var/log"
_NAMES = ("syslog", "cron", "cron.log", "messages")
_ROTATED = re.compile(r"([.-]\d+)*(\.(gz|bz2|xz))?")
_JOURNALS = ("/var/log/journal", "/run/log/journal")
_FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_PID,SYSLOG_PID,_COMM,UNIT"
_OF_CRON = ("cron", "CRON", "crond", "CROND")


class JournalUnread(JoberError):
    """journalctl could not read the journal, for the reason that it gave."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"journalctl: {reason} (run it as root, or name files with --log)")


@dataclass(frozen=True, slots=True)
class _Place:
    """How far a file was read, and the moment of its last line."""

    offset: int
    last_ms: int


class LogReader:
    """Reads what there is from `since_ms` on; `read` again, and it goes on where it was.

    `files` are read as they are; without them those of the host are, and where it has none,
    its journal. `sources` tells which.
    """

    def __init__(self, root: Root, zone: Zone, since_ms: int, files: Iterable[str] = ()) -> None:
        self._root = root
        self._zone = zone
        self._since_ms = since_ms
        self._files = [_checked(file) for file in files]
        self._places: dict[int, _Place] = {}
        self._cursor: str | None = None
        self.evidence = Evidence(since_ms)
        self.reaches_back = False
        self.sources: list[str] = []
        if not self._files and not list(self._of_host()) and not self._has_journal():
            raise DefinitionError(
                "there is no log: no syslog, cron, cron.log or messages in /var/log, no journal",
                file=root.path,
                mend="run it as root, or name the files with --log",
            )

    def read(self) -> None:
        """Put what is new into `evidence`. JournalUnread."""
        files = self._files or list(self._of_host())
        for file in sorted(files, key=os.path.getmtime):
            self._read_file(file)
        if not files:
            self._read_journal()

    def _of_host(self) -> Iterator[str]:
        for entry in self._root.names(_FOLDER):
            for name in _NAMES:
                path = f"{_FOLDER}/{entry}"
                rest = entry.removeprefix(name)
                if entry.startswith(name) and _ROTATED.fullmatch(rest):
                    if self._root.is_file(path):
                        yield self._root.real(path)

    def _read_file(self, path: str) -> None:
        state = os.stat(path)
        if state.st_mtime * 1000 < self._since_ms:
            self.reaches_back = True
            return
        packed = path.endswith((".gz", ".bz2", ".xz"))
        # Under another name where it was rotated since.
        place = self._places.get(state.st_ino)
        begin = _Place(0, 0) if place is None or packed else place
        if (packed and place) or (not packed and begin.offset >= state.st_size):
            return
        if path not in self.sources:
            self.sources.append(path)
        with _Counted(path, begin.offset) as lines:
            last_ms = read_lines(
                lines,
                round(state.st_mtime * 1000),
                self._zone,
                self.evidence,
                before_ms=begin.last_ms,
            )
            self._places[state.st_ino] = _Place(lines.offset, last_ms)

    def _has_journal(self) -> bool:
        return shutil.which("journalctl") is not None and any(
            self._root.names(folder) for folder in _JOURNALS
        )

    def _read_journal(self) -> None:
        for entry in self._journal():
            message = entry.get("MESSAGE")
            at = str(entry.get("__REALTIME_TIMESTAMP", ""))
            cursor = entry.get("__CURSOR")
            if isinstance(cursor, str):
                self._cursor = cursor
            if not isinstance(message, str) or not at.isdecimal():
                continue
            program = str(entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM") or "")
            pid = str(entry.get("SYSLOG_PID") or entry.get("_PID") or "")
            self.evidence.add(int(at) // 1000, read_message(program, pid, message))

    def _journal(self) -> Iterator[dict[str, object]]:
        where = [] if self._root.is_this_host else [f"--root={self._root.path}"]
        begin = (
            f"--since=@{self._since_ms // 1000}"
            if self._cursor is None
            else f"--after-cursor={self._cursor}"
        )
        matches = [f"SYSLOG_IDENTIFIER={name}" for name in _OF_CRON]
        call = [
            *("journalctl", *where, "--no-pager", "--quiet", "--output=json", begin),
            f"--output-fields={_FIELDS}",
            *(word for match in matches for word in (match, "+")),
            "_PID=1",
        ]
        if "journal" not in self.sources:
            self.sources.append("journal")
        with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            assert program.stdout is not None and program.stderr is not None
            for line in program.stdout:
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                if isinstance(entry, dict):
                    yield entry
            told = program.stderr.read().decode(errors="replace").strip()
        if program.returncode:
            raise JournalUnread(told.splitlines()[-1] if told else f"exit {program.returncode}")


class _Counted:
    """The whole lines of a file from an offset on; `offset` is after the last of them."""

    def __init__(self, path: str, offset: int) -> None:
        self.offset = offset
        self._file = _open(path)

    def __enter__(self) -> "_Counted":
        self._file.seek(self.offset)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[str]:
        try:
            for line in self._file:
                if not line.endswith(b"\n"):
                    return  # it is still being written
                self.offset += len(line)
                yield line.decode("utf-8", "replace")
        except (OSError, EOFError, lzma.LZMAError):
            return  # a packed file that was cut: what came before it counts


def _open(path: str) -> IO[bytes]:
    if path.endswith(".gz"):
        return gzip.open(path)  # type: ignore[return-value]
    if path.endswith(".bz2"):
        return bz2.open(path)
    return lzma.open(path) if path.endswith(".xz") else open(path, "rb")


def _checked(path: str) -> str:
    try:
        with open(path, "rb"):
            return path
    except OSError as error:
        problem = (error.strerror or str(error)).lower()
        raise DefinitionError(
            f"it cannot be read: {problem}", file=path, mend="name a file that is there"
        ) from None
