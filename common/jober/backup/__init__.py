"""The file that `jober backup` writes and `jober restore` reads: its lines, and their checks.

Pure: it writes to and reads from an open file, and knows nothing of Redis. The file is text, one
JSON object a line, perhaps compressed by gzip:

    {"backup": "jober", "format": 1, "version": "0.1.0", "at": "2026-11-21T03:00:00.000Z", …}
    {"calendar": "holidays", "spec": {"dates": ["2026-12-25"]}}
    {"limit": "database", "slots": 3}
    {"host": "db1", "cordoned": true, "roles": ["db", "web"]}
    {"job": "nightly", "definition": {…}, "state": {…}, "former": {"1": {…}}, "ledger": […]}
    {"run": "nightly-20261121T020000Z", "made_at_ms": 1795226400000, "record": {…}, "attempts": […]}
    {"end": {"lines": 6, "sha256": "…", "counts": {…}, "left_out": {…}}}

The last line tells how many stand before it, and their SHA-256, so that a file that was cut or
changed is refused. (It is no signature: whoever can write the file can write that line too.)
"""

from jober.backup.entries import (
    CalendarEntry,
    Entry,
    HostEntry,
    JobEntry,
    LimitEntry,
    RunEntry,
    Standing,
)
from jober.backup.reader import BackupReader, Line
from jober.backup.writer import FORMAT, BackupWriter, Header

__all__ = [
    "FORMAT",
    "BackupReader",
    "BackupWriter",
    "CalendarEntry",
    "Entry",
    "Header",
    "HostEntry",
    "JobEntry",
    "Line",
    "LimitEntry",
    "RunEntry",
    "Standing",
]
