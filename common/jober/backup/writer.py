"""Writing a backup, line by line."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from jober.backup.entries import Entry
from jober.clock import iso

# The version of the format: what a reader has to know.
FORMAT = 1
# What is counted and not kept: runs that wait or go on, and plain RQ jobs.
LEFT_OUT = ("runs_going_on", "rq_jobs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line: by which jober the backup was made, when by Redis's clock, and whether with
    the history."""

    version: str
    at_ms: int
    history: bool

    def to_dict(self) -> dict[str, Any]:
        return {
            "backup": "jober",
            "format": FORMAT,
            "version": self.version,
            "at": iso(self.at_ms),
            "at_ms": self.at_ms,
            "history": self.history,
        }


class BackupWriter:
    """Writes to an open file, which stays open. `counts` are of the entries, by kind."""

    def __init__(self, stream: IO[bytes], header: Header) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self._lines = 0
        self.counts: Counter[str] = Counter()
        self._write(header.to_dict())

    def write(self, entry: Entry) -> None:
        told = entry.to_dict()
        self.counts[next(iter(told))] += 1
        self._write(told)

    def end(self, left_out: Mapping[str, int]) -> None:
        """Write the last line; `left_out` counts what is not in the backup."""
        self._stream.write(
            encoded(
                {
                    "end": {
                        "lines": self._lines,
                        "sha256": self._digest.hexdigest(),
                        "counts": dict(self.counts),
                        "left_out": {name: left_out.get(name, 0) for name in LEFT_OUT},
                    }
                }
            )
        )

    def _write(self, told: Mapping[str, Any]) -> None:
        line = encoded(told)
        self._stream.write(line)
        self._digest.update(line)
        self._lines += 1


def encoded(told: Mapping[str, Any]) -> bytes:
    """One line. Letters stand as they are, but where something in it is not UTF-8."""
    try:
        return (json.dumps(told, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError:
        return (json.dumps(told) + "\n").encode()
