"""The format of the journal: a file of records, each of its length, its CRC-32 and its bytes.

    JOBERJ1\\n  <length, 4 bytes> <crc32, 4 bytes> <msgpack>  <length> <crc32> <msgpack>  …

All numbers are little-endian. What a crash has torn is at the end, and ends the reading. A record
is one ended attempt: whose it was, its report as FINISH takes it, and the end of its output.
"""

import fcntl
import os
import re
import struct
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgpack

from jober.errors import JoberError, NewerSchema
from jober.output import Frame, Stream
from jober.schema import SCHEMA, check_schema
from jober.store.report import Report, checked_report
from jober_worker.run_output import Unsent

MAGIC = b"JOBERJ1\n"
NAME = re.compile(r"jober-[0-9]+-[0-9]+-[0-9]+\.journal")
_HEAD = struct.Struct("<II")


class EntryUnreadable(JoberError):
    """A record is whole, and yet no entry of a journal."""


class EntryOfLater(JoberError):
    """An entry of a later schema, which an agent of a later version reports."""


class JournalHeld(JoberError):
    """An agent that lives has the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An ended attempt of `agent`, in the fleet of the Redis at `redis` (without its password)."""

    redis: str
    agent: str
    report: Report
    output: Unsent

    def to_bytes(self) -> bytes:
        """Raises what msgpack raises for what it cannot tell."""
        output = self.output
        told = {
            "schema": SCHEMA,
            "redis": self.redis,
            "agent": self.agent,
            "report": self.report,
            "begins_at": output.begins_at,
            "file": output.file,
            "frames": [[str(f.stream), f.at_ms, f.offset, f.data] for f in output.frames],
        }
        message: bytes = msgpack.packb(told)
        return message


def read_entry(message: bytes) -> Entry:
    """What `to_bytes` wrote. Raises EntryOfLater, and EntryUnreadable for anything else."""
    try:
        told = msgpack.unpackb(message)
        check_schema("an entry", told.get("schema"))
        file, begins_at = told["file"], told["begins_at"]
        return Entry(
            redis=_text(told["redis"]),
            agent=_text(told["agent"]),
            report=checked_report(told["report"]),
            output=Unsent(
                begins_at=None if begins_at is None else _count(begins_at),
                frames=tuple(_frame(*frame) for frame in told["frames"]),
                file=None if file is None else (_count(file[0]), _text(file[1]), _text(file[2])),
            ),
        )
    except NewerSchema as error:
        raise EntryOfLater(str(error)) from None
    except (
        *(LookupError, TypeError, ValueError, ArithmeticError, AttributeError),
        msgpack.UnpackException,
    ) as error:
        raise EntryUnreadable(f"{type(error).__name__}: {error}") from None


def _frame(stream: Any, at_ms: Any, offset: Any, data: Any) -> Frame:
    if not isinstance(data, bytes):
        raise ValueError("the data of a frame is no bytes")
    return Frame(
        seq=0, stream=Stream(stream), at_ms=_count(at_ms), offset=_count(offset), data=data
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r:.50} is no text")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise ValueError(f"{value!r:.50} is no count")
    return value


def read_records(data: bytes) -> tuple[list[bytes], int]:
    """The records, and how many bytes at the end are none."""
    if not data.startswith(MAGIC):
        return [], len(data)
    found = []
    at = len(MAGIC)
    while at + _HEAD.size <= len(data):
        length, crc = _HEAD.unpack_from(data, at)
        record = data[at + _HEAD.size : at + _HEAD.size + length]
        if len(record) < length or zlib.crc32(record) != crc:
            break
        found.append(record)
        at += _HEAD.size + length
    return found, len(data) - at


class JournalFile:
    """A file that is held by this process alone, as long as that lives. All may raise OSError.

    The lock is the kernel's for this process: what a run inherits does not hold it.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.size = 0
        self._descriptor = descriptor

    @classmethod
    def create(cls, folder: Path, stem: str) -> "JournalFile":
        """A new file, which is there after a crash too."""
        number = 0
        while True:
            path = folder / f"jober-{stem}-{number}.journal"
            number += 1
            try:
                descriptor = os.open(
                    path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600
                )
            except FileExistsError:
                continue
            file = cls(path, descriptor)
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                file._write(MAGIC)
                _sync_folder(folder)
                if os.fstat(descriptor).st_nlink:
                    return file
            except BlockingIOError:
                pass  # somebody who looks for what dead agents have left was quicker
            except OSError:
                file.remove()
                raise
            file.close()

    @classmethod
    def take_over(cls, path: Path) -> "JournalFile":
        """The file of an agent that is gone. Raises JournalHeld where it is not."""
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        file = cls(path, descriptor)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise JournalHeld(f"{path} is held") from None
        file.size = os.fstat(descriptor).st_size
        return file

    def append(self, records: Sequence[bytes]) -> None:
        """Write the records, and wait until the disk has them: all, or none."""
        try:
            self._write(b"".join(_HEAD.pack(len(r), zlib.crc32(r)) + r for r in records))
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.size)
            raise

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        at = self.size
        while view:
            written = os.pwrite(self._descriptor, view, at)
            at += written
            view = view[written:]
        os.fsync(self._descriptor)
        self.size = at

    def read(self) -> bytes:
        parts = []
        at = 0
        while part := os.pread(self._descriptor, 1024 * 1024, at):
            parts.append(part)
            at += len(part)
        return b"".join(parts)

    def remove(self) -> None:
        """It is not needed any more."""
        try:
            self.path.unlink(missing_ok=True)
        finally:
            self.close()

    def close(self) -> None:
        os.close(self._descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
