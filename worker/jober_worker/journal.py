"""The journal: what ended while Redis could not be told of it is kept on the host's disk.

Every outcome is noted here in memory, and forgotten when Redis has taken it. One that Redis has not
acknowledged within a moment is written to a file, with the end of its output, and the disk is
waited for; from then on, until Redis answers again, each outcome is written at once. Where all
goes well nothing is written at all. What the agent cannot report any more, since it was killed or
its host went down, the next agent of the host does: see the `replayer`.

A disk that is full or cannot be written costs no result as long as the agent lives: it is told
once, in the log and as an event, and tried again now and then.
"""

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from jober.failpoint import failpoint
from jober.run import Outcome, RunState
from jober.store.connection import shown
from jober.store.report import Finish, Report, report_of
from jober.value import quick
from jober_worker.journal_file import Entry, JournalFile
from jober_worker.leftovers import mark
from jober_worker.part import Part
from jober_worker.run_output import RunOutput, Unsent

log = logging.getLogger(__name__)

# An outcome that Redis has not acknowledged for so long is written; it is looked this often.
LATE_S = 0.5
LOOK_S = 0.25
# After a failure of the disk, it is tried again after so long.
AGAIN_S = 30.0
# The file may grow to so much; past the half of it, an outcome has less of its output with it.
BYTES_AT_MOST = 64 * 1024 * 1024
OUTPUT_BYTES = 64 * 1024
OUTPUT_BYTES_AT_LEAST = 4 * 1024
# So much is written between two waits for the disk.
BATCH = 200
# The output of what has written nothing.
SILENT = Unsent(begins_at=None, frames=())


@quick(frozen=True, slots=True)
class _Noted:
    finish: Finish
    output: RunOutput | None
    since_s: float


class Journal:
    """`expect` and `reported` are for any thread and never wait for the disk; `flush` does.

    `problem` is why it cannot be written, "" where it can.
    """

    def __init__(self, folder: Path, redis: str, agent: str) -> None:
        self.problem = ""
        self._folder = folder
        self._redis = shown(redis)
        self._agent = agent
        self._lock = threading.Lock()
        self._noted: dict[str, _Noted] = {}
        self._written: dict[str, _Noted] = {}
        self._is_behind = False
        self._disk = threading.Lock()
        self._file: JournalFile | None = None
        self._forgotten = 0  # records of the file that are reported by now
        self._again_at = 0.0
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self.part = Part("journal", self._run)

    def open(self) -> None:
        """Make the folder, and tell at once where it cannot be written."""
        with self._disk:
            self._try()

    def _try(self) -> None:
        try:
            self._folder.mkdir(0o700, parents=True, exist_ok=True)
            JournalFile.create(self._folder, mark()).remove()
        except OSError as error:
            self._fail(error)
        else:
            self._mended()

    def expect(self, finish: Finish, output: RunOutput | None) -> None:
        """An attempt has ended so; it will be reported, or is to be kept."""
        with self._lock:
            self._noted[finish.claim.lease] = _Noted(finish, output, time.monotonic())
            is_behind = self._is_behind
        if is_behind:
            self._wanted.set()

    def reported(self, leases: Iterable[str]) -> None:
        """Redis has taken them."""
        with self._lock:
            self._is_behind = False
            for lease in leases:
                self._noted.pop(lease, None)
                if self._written.pop(lease, None):
                    self._forgotten += 1

    def kept(self) -> int:
        """How many outcomes are on the disk alone."""
        with self._lock:
            return len(self._written)

    def flush(self) -> None:
        """Write all that is not reported, now: nobody of us may be there to report it."""
        with self._disk:
            self._write(self._due(now_s=None))

    def stop(self) -> None:
        self._stopping.set()
        self._wanted.set()
        self.part.join(5)
        self.flush()
        self._tidy()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wanted.wait(LOOK_S)
            self._wanted.clear()
            now_s = time.monotonic()
            if now_s >= self._again_at:
                with self._disk:
                    due = self._due(now_s)
                    self._write(due)
                    if self.problem and not due:
                        self._try()
            self._tidy()

    def _due(self, now_s: float | None) -> list[_Noted]:
        """What is to be written: what is late, or all that is not reported."""
        with self._lock:
            due = []
            for noted in self._noted.values():
                late = now_s is None or self._is_behind or now_s - noted.since_s >= LATE_S
                if not late:
                    break
                due.append(noted)
            return due

    def _write(self, due: list[_Noted]) -> None:
        for start in range(0, len(due), BATCH):
            batch = due[start : start + BATCH]
            try:
                failpoint("journal.before_write")
                self._append(batch)
                failpoint("journal.written")
            except OSError as error:
                self._fail(error)
                return
            with self._lock:
                self._is_behind = True
                for noted in batch:
                    lease = noted.finish.claim.lease
                    # It may have been reported while the disk was waited for.
                    if self._noted.pop(lease, None):
                        self._written[lease] = noted
                    else:
                        self._forgotten += 1
            self._mended()

    def _append(self, batch: list[_Noted]) -> None:
        old = self._file
        records = self._records(batch)
        if old and self._forgotten and old.size + _size(records) > BYTES_AT_MOST:
            # Begin anew with what is not reported, and only then let go of the old one.
            with self._lock:
                unreported = list(self._written.values())
            self._put(None, [*self._records(unreported), *records])
            self._forgotten = 0
            old.remove()
        else:
            self._put(old, records)

    def _put(self, file: JournalFile | None, records: list[bytes]) -> None:
        if (file.size if file else 0) + _size(records) > BYTES_AT_MOST:
            raise OSError(f"it would hold more than {BYTES_AT_MOST // 1024**2} MiB")
        if file is None:
            self._folder.mkdir(0o700, parents=True, exist_ok=True)
            file = JournalFile.create(self._folder, mark())
            try:
                file.append(records)
            except OSError:
                file.remove()
                raise
        else:
            file.append(records)
        self._file = file

    def _records(self, batch: Iterable[_Noted]) -> list[bytes]:
        size = self._file.size if self._file else 0
        records = []
        for noted in batch:
            is_roomy = size < BYTES_AT_MOST // 2
            records.append(self._record(noted, OUTPUT_BYTES if is_roomy else OUTPUT_BYTES_AT_LEAST))
            size += len(records[-1])
        return records

    def _record(self, noted: _Noted, output_bytes: int) -> bytes:
        finish = noted.finish
        output = noted.output.unsent(output_bytes) if noted.output else SILENT

        def record(report: Report) -> bytes:
            return Entry(
                redis=self._redis, agent=self._agent, report=report, output=output
            ).to_bytes()

        try:
            return record(report_of(finish))
        except Exception as error:
            return record(report_of(replace(finish, outcome=untellable(error))))

    def _tidy(self) -> None:
        """Remove the file where all of it is reported."""
        with self._disk:
            with self._lock:
                file = None if self._written else self._file
            if file is not None:
                self._file, self._forgotten = None, 0
                try:
                    file.remove()
                except OSError as error:
                    log.warning("the journal %s cannot be removed: %s", file.path, error)

    def _mended(self) -> None:
        if self.problem:
            self.problem = ""
            log.warning("the journal in %s can be written again", self._folder)

    def _fail(self, error: OSError) -> None:
        self._again_at = time.monotonic() + AGAIN_S
        problem = error.strerror or str(error)
        if not self.problem:
            log.critical(
                "the journal in %s cannot be written: %s. What ends while Redis is away is kept in "
                "memory alone, and is lost if this agent is killed before Redis is back (mend the "
                "disk, or give another folder: --journal-dir)",
                self._folder,
                problem,
            )
        self.problem = f"{self._folder}: {problem}"


def untellable(error: Exception) -> Outcome:
    """In place of an outcome that cannot be written: the run ends nevertheless, and says so."""
    return Outcome(
        state=RunState.FAILED,
        exit_code=1,
        reason=f"the agent could not tell how it ended: {type(error).__name__}",
    )


def _size(records: list[bytes]) -> int:
    return sum(len(record) for record in records)
