"""Lines in the files of a folder, which all agents of a host read and write, one at a time.

Each sees what the others have written before it writes itself. Where a line cannot be written, that
is marked (a file is taken away, which a full disk allows), so that who opens the folder next knows
that lines are missing; until then the folder is of the agent that has failed, and of no other.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from jober.errors import JoberError

log = logging.getLogger(__name__)

# Another agent has its turn for some µs; one that was stopped in it is waited for no longer.
TURN_S = 1.0
LOOK_S = 0.001
_LOCK = "lock"
# It is there as long as nothing is missing.
_WHOLE = "whole"
# So many files are kept open.
_OPEN = 8


class NotKept(JoberError):
    """Lines can be neither read nor written, and that cannot be marked either."""


class SharedLog:
    """For one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = None
        self._files: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        # Nothing is written any more, and nobody else has a turn.
        self._is_alone = False
        self._is_new = False

    def enter(self) -> None:
        """Begin a turn. Raises NotKept."""
        if self._is_alone:
            return
        try:
            if self._lock is None:
                self._make()
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                self._lock = os.open(self._folder / _LOCK, flags, 0o600)
            self._wait(self._lock)
        except OSError as error:
            raise NotKept(f"{self._folder} cannot be used: {error.strerror}") from None

    def _make(self) -> None:
        with suppress(FileExistsError):
            self._folder.mkdir(mode=0o700, parents=True)
            self._is_new = True

    def is_whole(self) -> bool:
        """Whether nothing is missing of what was to be written: in a new folder nothing is."""
        return self._is_new or (self._folder / _WHOLE).exists()

    def _wait(self, lock: int) -> None:
        until = time.monotonic() + TURN_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise NotKept(f"another agent of this host has {self._folder}") from None
                time.sleep(LOOK_S)

    def leave(self) -> None:
        """End the turn."""
        if self._lock is not None and not self._is_alone:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def names(self) -> list[str]:
        """All files. Raises NotKept."""
        try:
            return sorted({*os.listdir(self._folder)} - {_LOCK, _WHOLE})
        except OSError as error:
            raise NotKept(f"{self._folder} cannot be read: {error.strerror}") from None

    def complete(self) -> None:
        """From now on nothing is missing, unless something could not be written. Raises NotKept."""
        if self._is_alone:
            return
        try:
            (self._folder / _WHOLE).touch(0o600)
        except OSError as error:
            self._fail(error)

    def news(self, name: str) -> list[str]:
        """What was written into the file since it was read. Raises NotKept."""
        if self._is_alone:
            return []
        try:
            told = os.fstat(self._file(name, 0))
            if not told.st_nlink:
                # Another has replaced it, by one that tells the same.
                self._close(name)
                self._ends.pop(name, None)
                told = os.fstat(self._file(name, 0))
            start = self._ends.get(name, 0)
            if told.st_size <= start:
                return []
            found = os.pread(self._file(name, 0), told.st_size - start, start)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise NotKept(f"{self._folder}/{name} cannot be read: {error.strerror}") from None
        self._ends[name] = start + len(found)
        return found.decode("ascii", "replace").splitlines()

    def append(self, name: str, line: str) -> None:
        """Raises NotKept."""
        if self._is_alone:
            return
        told = f"{line}\n".encode()
        try:
            if os.write(self._file(name, os.O_CREAT), told) < len(told):
                raise OSError(0, "the disk is full")
            self._ends[name] = self._ends.get(name, 0) + len(told)
        except OSError as error:
            self._fail(error)

    def replace(self, name: str, lines: Iterable[str]) -> None:
        """Have a shorter file in the place of one, of which all lines have been read: whoever reads
        it the next time reads it anew. Where there is no room for it, it stays as it is."""
        if self._is_alone:
            return
        new = self._folder / f"{name}.new"
        try:
            new.write_text("".join(f"{line}\n" for line in lines), "ascii")
            new.chmod(0o600)
            new.rename(self._folder / name)
        except OSError as error:
            log.warning("%s/%s cannot be made shorter: %s", self._folder, name, error)
            with suppress(OSError):
                new.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """A file that nobody reads any more. Raises NotKept."""
        self._close(name)
        self._ends.pop(name, None)
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            if not self._is_alone:
                self._fail(error)

    def _file(self, name: str, create: int) -> int:
        file = self._files.get(name)
        if file is None:
            if len(self._files) >= _OPEN:
                self._close(next(iter(self._files)))
            flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | create
            file = self._files[name] = os.open(self._folder / name, flags, 0o600)
        return file

    def _close(self, name: str) -> None:
        file = self._files.pop(name, None)
        if file is not None:
            with suppress(OSError):
                os.close(file)

    def _fail(self, error: OSError) -> None:
        """Mark that something is missing, and go on alone."""
        try:
            (self._folder / _WHOLE).unlink(missing_ok=True)
        except OSError:
            raise NotKept(f"{self._folder} cannot be written: {error.strerror}") from None
        log.warning("what was granted is not kept in %s: %s", self._folder, error)
        self._is_alone = True
