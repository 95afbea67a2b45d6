"""Reading a backup: every line is checked, and at the end the whole."""

import gzip
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

from jober.backup.entries import KINDS, Entry
from jober.backup.members import Members
from jober.backup.writer import FORMAT, LEFT_OUT, Header
from jober.errors import BackupError, DefinitionError

_GZIP = b"\x1f\x8b"
# A longer line is none of ours: a run's result and a ledger are bounded.
_LONGEST = 64 * 1024 * 1024
_CUT = "take another backup file, or copy this one again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entry and its kind, its line in the file (from 1), and how many bytes that has."""

    kind: str
    number: int
    size: int
    entry: Entry


class BackupReader:
    """A backup in an open file that can be read from its start more than once; `file` is its name
    in errors. Raises BackupError and DefinitionError, for the first thing that is wrong."""

    def __init__(self, stream: IO[bytes], file: str) -> None:
        self._raw = stream
        self.file = file
        self.left_out: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        _, told = next(self._objects(), (b"", None))
        self.header = self._header(told)

    def lines(self) -> Iterator[Line]:
        """Every entry, in order, from the start. What the last line tells is known at the end."""
        digest = hashlib.sha256()
        counts: Counter[str] = Counter()
        number = 0
        ended = False
        for raw, told in self._objects():
            number += 1
            if ended:
                raise self._wrong("there is more after its end", number)
            if number == 1:
                digest.update(raw)
                continue
            kind = next(iter(told), "")
            if kind == "end":
                self._check_end(told, number, digest.hexdigest(), counts)
                ended = True
                continue
            digest.update(raw)
            counts[kind] += 1
            entry = self._entry(kind, told, number)
            yield Line(kind=kind, number=number, size=len(raw), entry=entry)
        if not ended:
            raise self._wrong("it was cut: its last line is missing", number, _CUT)

    def _objects(self) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Each line, and the object that it is, from the start of the file."""
        self._raw.seek(0)
        start = self._raw.read(2)
        self._raw.seek(0)
        packed = start == _GZIP
        stream = cast(IO[bytes], gzip.GzipFile(fileobj=self._raw)) if packed else self._raw
        number = 0
        while True:
            number += 1
            try:
                raw = stream.readline(_LONGEST + 1)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise self._wrong(f"it was cut or changed ({error})", number, _CUT) from None
            if not raw:
                return
            if not raw.endswith(b"\n"):
                raise self._wrong("it was cut, or is no backup of jober's", number, _CUT)
            try:
                told = json.loads(raw.decode(), parse_constant=_refuse_constant)
            except (ValueError, RecursionError):
                raise self._wrong("this is not JSON", number, _CUT) from None
            if not isinstance(told, dict):
                raise self._wrong("this is not an object", number, _CUT)
            yield raw, told

    def _header(self, told: dict[str, Any] | None) -> Header:
        if told is None or told.get("backup") != "jober":
            raise self._wrong("it is no backup of jober's", 1, "give a file of `jober backup`")
        header = Members(told, "header")
        try:
            format, version = header.whole("format"), header.text("version")
            if format > FORMAT:
                raise self._wrong(
                    f"it has format {format}, of jober {version[:50]}; this one knows formats up "
                    f"to {FORMAT}",
                    1,
                    "install that version or a later one, and restore with it",
                )
            return Header(
                version=version, at_ms=header.moment("at_ms"), history=header.flag("history")
            )
        except BackupError as error:
            raise error.within(self.file, 1) from None

    def _entry(self, kind: str, told: dict[str, Any], number: int) -> Entry:
        if kind not in KINDS:
            raise self._wrong(f"'{kind[:100]}' is no kind of line", number, _CUT)
        members = Members(told, kind)
        try:
            entry = KINDS[kind].read(members)
            members.end()
        except BackupError as error:
            raise error.within(self.file, number) from None
        except DefinitionError as error:
            raise error.within(file=f"{self.file}:{number}") from None
        return entry

    def _check_end(
        self, told: dict[str, Any], number: int, digest: str, counts: Counter[str]
    ) -> None:
        try:
            end = Members(Members(told, "end").table("end"), "end")
            lines, sha256 = end.whole("lines"), end.text("sha256")
            left_out = Members(end.table("left_out"), "left_out")
            self.left_out = {name: left_out.whole(name) for name in LEFT_OUT}
            left_out.end()
        except BackupError as error:
            raise error.within(self.file, number) from None
        if lines != number - 1:
            raise self._wrong(f"it has {number - 1} lines, and had {lines}", number, _CUT)
        if sha256 != digest:
            raise self._wrong("it was changed: its SHA-256 is another", number, _CUT)
        self.counts = dict(counts)

    def _wrong(self, problem: str, line: int, mend: str | None = None) -> BackupError:
        return BackupError(problem, file=self.file, line=line, mend=mend)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
