"""Reports what agents of this host that are gone have left in their journals.

It looks when the agent starts, and now and then. A run that was given up as lost meanwhile gets
its true end; one whose end had arrived, or that has been tried again, or that nobody knows any
more, stays as it is. A file is removed when Redis has answered for all of it; one of another
fleet is left to that.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from jober.clock import SystemClock
from jober.errors import RedisRefused, RedisUnavailable
from jober.failpoint import failpoint
from jober.output import Frame, LogFile
from jober.store import Store
from jober.store.connection import shown
from jober.store.leases import KEEP_S
from jober.store.outputs import Piece
from jober_worker.journal_file import (
    NAME,
    Entry,
    EntryOfLater,
    EntryUnreadable,
    JournalFile,
    JournalHeld,
    read_entry,
    read_records,
)
from jober_worker.leftovers import mark
from jober_worker.part import Part

log = logging.getLogger(__name__)

LOOK_S = 30.0
AWAY_S = 1.0
BATCH = 50


class Replayer:
    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._clock = SystemClock()
        self._told: set[Path] = set()
        self._stopping = threading.Event()
        self.part = Part("replayer", self._run)

    def stop(self) -> None:
        self._stopping.set()
        self.part.join(5)

    def _run(self) -> None:
        wait_s = 0.0
        while not self._stopping.wait(wait_s):
            try:
                self.replay()
                wait_s = LOOK_S
            except RedisUnavailable:
                wait_s = AWAY_S

    def replay(self) -> None:
        """Report all that is left, once. Raises RedisUnavailable; what is left then is kept."""
        for path in self._paths():
            try:
                file = JournalFile.take_over(path)
            except (OSError, JournalHeld):
                continue
            is_done = False
            try:
                is_done = self._replay(file)
            except OSError as error:
                log.warning("the journal %s cannot be read: %s", path, error)
            finally:
                if not is_done:
                    file.close()
            if is_done:
                failpoint("replayer.reported")
                self._remove(file)

    def _paths(self) -> list[Path]:
        try:
            names = [path.name for path in self._folder.iterdir()]
        except OSError:
            return []
        # Ours is not to be taken over: a process does not lock out itself.
        ours = f"jober-{mark()}-"
        return [
            self._folder / name
            for name in sorted(names)
            if NAME.fullmatch(name) and not name.startswith(ours)
        ]

    def _remove(self, file: JournalFile) -> None:
        try:
            file.remove()
        except OSError as error:
            log.warning("the journal %s cannot be removed: %s", file.path, error)

    def _replay(self, file: JournalFile) -> bool:
        """Whether the file is not needed any more."""
        records, torn = read_records(file.read())
        entries, later = [], 0
        for record in records:
            try:
                entries.append(read_entry(record))
            except EntryOfLater as error:
                later += 1
                if file.path not in self._told:
                    self._told.add(file.path)
                    log.warning("the journal %s is left to a later agent: %s", file.path, error)
            except EntryUnreadable as error:
                log.warning("an entry of the journal %s is unreadable: %s", file.path, error)
        ours = [entry for entry in entries if entry.redis == shown(self._store.url)]
        if len(ours) < len(entries):
            if file.path not in self._told:
                self._told.add(file.path)
                told = ", ".join(sorted({entry.redis for entry in entries}))
                log.warning("the journal %s is left to the agents at %s", file.path, told)
            return self._is_old(file.path, len(entries))
        if torn:
            log.warning("the last %d bytes of the journal %s are torn", torn, file.path)
        taken = left = 0
        for start in range(0, len(ours), BATCH):
            done, refused = self._report(ours[start : start + BATCH])
            taken += done
            left += refused
        if ours:
            log.warning(
                "reported %d results of agents that are gone, from the journal %s; %d were known, "
                "or are not wanted any more",
                taken,
                file.path,
                len(ours) - taken - left,
            )
        left += later
        return not left or self._is_old(file.path, left)

    def _is_old(self, path: Path, entries: int) -> bool:
        """Whether nobody can want it any more: Redis keeps runs no longer."""
        if self._clock.now_ms() / 1000 - path.stat().st_mtime < KEEP_S:
            return False
        log.warning("the journal %s, of %d results, is given up: it is too old", path, entries)
        return True

    def _report(self, entries: Sequence[Entry]) -> tuple[int, int]:
        """Report entries; how many were taken, and how many refused. Raises RedisUnavailable."""
        try:
            return sum(self._tell(entries)), 0
        except RedisRefused as error:
            if len(entries) > 1:
                told = [self._report([entry]) for entry in entries]
                return sum(done for done, _ in told), sum(left for _, left in told)
            log.warning("a result of %s is refused: %s", entries[0].report["id"], error)
            return 0, 1

    def _tell(self, entries: Sequence[Entry]) -> list[bool]:
        """The output first, since followers go when they hear of the end."""
        told = []
        for entry in entries:
            last_seq = self._tell_output(entry)
            outcome = {**entry.report["outcome"], "last_seq": last_seq}
            told.append((entry.agent, {**entry.report, "outcome": outcome}))
        answers: list[bool] = []
        for agent in sorted({agent for agent, _ in told}):
            reports = [report for whose, report in told if whose == agent]
            answers += self._store.leases.report(agent, reports)
        return answers

    def _tell_output(self, entry: Entry) -> int:
        """Add what Redis has not got of the end of an output; the last seq of it."""
        run, attempt = entry.report["id"], entry.report["attempt"]
        newest = next(self._store.outputs.read_back(run), None)
        frames, begins_at = rest_of(entry, newest)
        file = entry.output.file
        if frames or file:
            piece = Piece(run=run, attempt=attempt, frames=frames)
            if file:
                number, host, path = file
                where = LogFile(attempt=number, offset=begins_at, host=host, path=path)
                piece = replace(piece, file=where)
            return self._store.outputs.add([piece])[0]
        return newest.seq if newest else 0


def rest_of(entry: Entry, newest: Frame | None) -> tuple[tuple[Frame, ...], int]:
    """The frames of an entry that follow the newest that Redis has, and at which offset of its run
    the attempt begins. Pure."""
    unsent = entry.output
    seq, end = (newest.seq, newest.end) if newest else (0, 0)
    is_placed = unsent.begins_at is not None
    if newest and unsent.frames and not is_placed and newest.at_ms >= unsent.frames[-1].at_ms:
        return (), end  # they are there, by a replay whose end nobody has heard of
    base = 0 if is_placed else end
    found = []
    for frame in unsent.frames:
        known = max(0, end - (base + frame.offset))
        if known < len(frame.data):
            seq += 1
            found.append(
                replace(frame, seq=seq, offset=base + frame.offset + known, data=frame.data[known:])
            )
    return tuple(found), end if unsent.begins_at is None else unsent.begins_at
