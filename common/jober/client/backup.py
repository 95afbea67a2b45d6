"""Backups: all that is kept, into a file; and out of one, checked whole before a word is written.

A restore never fires the past: a job fires from the moment on in which it is written, as its
intervals were counted before. What is there already is left as it is, unless it is replaced.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import IO

from jober import __version__
from jober.agent_info import HostOrders
from jober.backup import (
    BackupReader,
    BackupWriter,
    CalendarEntry,
    Entry,
    Header,
    HostEntry,
    JobEntry,
    LimitEntry,
    Line,
    RunEntry,
    Standing,
)
from jober.clock import iso
from jober.errors import BackupError, DefinitionError, JobExistError, LimitNotFound
from jober.job import Job, changes
from jober.job.problems import raise_any
from jober.schedule import Calendar
from jober.store import Store
from jober.store.backup import check_history, check_run
from jober.store.changes import Change, Restored
from jober.store.fields import moment_text
from jober.store.jobs import JobRecord

# So many lines, and so many bytes of them, go to Redis in one script.
BATCH = 100
BATCH_BYTES = 1024 * 1024
# Of so many broken definitions each is told.
PROBLEMS = 50
# A range of fires that are not caught up is counted up to this.
COUNT_AT_MOST = 10_000

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """What came into a backup, by kind, and how much of what did not."""

    at_ms: int
    counts: Mapping[str, int]
    left_out: Mapping[str, int]


def back_up(store: Store, stream: IO[bytes], *, history: bool, progress: Progress) -> BackedUp:
    """Write a backup of the fleet into an open file."""
    store.observe_time()
    header = Header(version=__version__, at_ms=store.clock.now_ms(), history=history)
    writer = BackupWriter(stream, header)
    left_out: Counter[str] = Counter()
    for written, entry in enumerate(_everything(store, history, left_out), 1):
        writer.write(entry)
        progress("written", written)
    writer.end(left_out)
    return BackedUp(at_ms=header.at_ms, counts=writer.counts, left_out=left_out)


def _everything(store: Store, history: bool, left_out: Counter[str]) -> Iterator[Entry]:
    for calendar in store.calendars.all().values():
        if calendar.known:
            yield CalendarEntry(calendar=calendar)
    for name, slots in store.limits.slots().items():
        yield LimitEntry(name=name, slots=slots)
    for host, orders in store.agents.orders().items():
        yield HostEntry(host=host, orders=orders)
    yield from store.backup.jobs(history)
    if history:
        yield from store.backup.runs(left_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """Something that is there and differs from the backup: what it is, and how it differs."""

    kind: str
    name: str
    differences: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Restore:
    """What a restore would do, or has done. Counts are by kind; `forgotten` are runs that would
    have expired by now, `kept_runs` those of jobs that are kept as they are."""

    at_ms: int
    version: str
    replace: bool
    added: Counter[str] = field(default_factory=Counter)
    same: Counter[str] = field(default_factory=Counter)
    differing: list[Differing] = field(default_factory=list)
    forgotten: int = 0
    kept_runs: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)


class Restoring:
    """One restore: `check` first, which writes nothing, then `carry_out` what it told."""

    def __init__(
        self,
        store: Store,
        backup: BackupReader,
        *,
        replace: bool,
        history: bool,
        progress: Progress,
    ) -> None:
        self._store = store
        self._backup = backup
        self._replace = replace
        self._history = history
        self._progress = progress
        store.observe_time()
        self._calendars = store.calendars.all()
        self._limits = store.limits.slots()
        self._orders = store.agents.orders()
        self._last_job = ""
        # For how long the runs of a job are kept, by the definition that counts afterwards.
        self._keep_for: dict[str, float] = {}
        # The names of the jobs that are there.
        self._same: set[str] = set()
        self._differing: set[str] = set()
        # Those that name others, which may come later.
        self._linked: list[Change] = []
        header = backup.header
        self._told = Restore(at_ms=header.at_ms, version=header.version, replace=replace)

    def check(self) -> Restore:
        """Read all of the backup, and compare it with what is there.

        Raises BackupError, DefinitionError (with all the definitions that are wrong) and
        LimitNotFound.
        """
        problems: list[DefinitionError] = []
        limits = dict(self._limits)
        for kind, batch in self._batches():
            for line in batch:
                match line.entry:
                    case CalendarEntry(calendar=calendar):
                        old = self._calendars.get(calendar.name)
                        self._compare(kind, calendar.name, old, calendar, "other days")
                    case LimitEntry(name=name, slots=slots):
                        limits[name] = slots
                        now = self._limits.get(name)
                        self._compare(kind, name, now, slots, f"{now} → {slots}")
                    case HostEntry(host=host, orders=orders):
                        ordered = self._orders.get(host)
                        self._compare(kind, host, ordered, orders, _other_orders(ordered, orders))
            if kind == "job":
                problems += self._check_jobs(batch, limits)
                raise_any(problems if len(problems) >= PROBLEMS else ())
            elif kind == "run":
                self._check_runs(batch)
            self._progress("checked", batch[-1].number)
        raise_any(problems)
        self._told.left_out = self._backup.left_out
        return self._told

    def carry_out(self) -> None:
        """Write what `check` told: calendars, limits and orders, then each batch of jobs with its
        history, then the runs. Broken off, it can be begun again."""
        for kind, batch in self._batches():
            entries = [line.entry for line in batch]
            if kind != "job":
                self._write_linked()
            if kind == "job":
                self._write_jobs([entry for entry in entries if isinstance(entry, JobEntry)])
            elif kind == "run":
                runs = [entry for entry in entries if isinstance(entry, RunEntry)]
                self._store.backup.write_runs([run for run in runs if self._is_restored(run)])
            else:
                self._write_others(entries)
            self._progress("restored", batch[-1].number)
        self._write_linked()

    # Checking

    def _check_jobs(self, lines: list[Line], limits: Mapping[str, int]) -> list[DefinitionError]:
        problems: list[DefinitionError] = []
        entries = [line.entry for line in lines if isinstance(line.entry, JobEntry)]
        there = self._store.jobs.those([entry.name for entry in entries])
        for line, entry in zip(lines, entries, strict=True):
            if entry.name <= self._last_job:
                raise self._wrong(BackupError(f"job {entry.name} is not in order"), line)
            self._last_job = entry.name
            try:
                job = entry.job()
                check_history(entry)
            except DefinitionError as error:
                problems.append(error.within(file=f"{self._backup.file}:{line.number}"))
                continue
            except BackupError as error:
                raise self._wrong(error, line) from None
            for limit in job.limits:
                if limit not in limits:
                    raise LimitNotFound(limit, entry.name, limits)
            current = there.get(entry.name)
            stays = current if current and not self._replace else None
            self._keep_for[entry.name] = stays.job.keep_for if stays else job.keep_for
            if current is None:
                self._told.added["job"] += 1
            elif found := _differences(current, job, entry.standing):
                self._differing.add(entry.name)
                self._told.differing.append(
                    Differing(kind="job", name=entry.name, differences=found)
                )
            else:
                self._told.same["job"] += 1
                self._same.add(entry.name)
        return problems

    def _check_runs(self, lines: list[Line]) -> None:
        fresh: list[RunEntry] = []
        for line in lines:
            entry = line.entry
            assert isinstance(entry, RunEntry), "a batch has lines of one kind"
            try:
                check_run(entry)
            except BackupError as error:
                raise self._wrong(error, line) from None
            if not self._is_restored(entry):
                self._told.kept_runs += 1
            elif self._store.backup.forgotten(entry, self._keep_for.get(entry.job)):
                self._told.forgotten += 1
            else:
                fresh.append(entry)
        if fresh:
            known = self._store.backup.known_runs(fresh)
            self._told.same["run"] += known
            self._told.added["run"] += len(fresh) - known

    def _compare(self, kind: str, name: str, old: object, new: object, how: str) -> None:
        if old is None:
            self._told.added[kind] += 1
        elif old == new:
            self._told.same[kind] += 1
        else:
            self._told.differing.append(Differing(kind=kind, name=name, differences=(how,)))

    def _wrong(self, error: BackupError, line: Line) -> BackupError:
        return error.within(self._backup.file, line.number)

    # Writing

    def _write_others(self, entries: list[Entry]) -> None:
        written: list[Change] = []
        for entry in entries:
            match entry:
                case CalendarEntry(calendar=calendar):
                    if self._wants(self._calendars.get(calendar.name), calendar):
                        self._calendars[calendar.name] = calendar
                        written.append(Change(op="calendar", name=calendar.name, calendar=calendar))
                case LimitEntry(name=name, slots=slots):
                    if self._wants(self._limits.get(name), slots):
                        written.append(Change(op="limit", name=name, slots=slots))
                case HostEntry(host=host, orders=orders):
                    if self._wants(self._orders.get(host), orders):
                        agents = self._store.agents
                        agents.order(host, "cordon" if orders.cordoned else "uncordon")
                        agents.order(host, "roles", orders.roles)
        if written:
            self._store.jobs.apply(written)

    def _wants(self, old: object, new: object) -> bool:
        return old is None or (self._replace and old != new)

    def _write_jobs(self, entries: list[JobEntry]) -> None:
        entries = [entry for entry in entries if self._is_wanted(entry.name)]
        if self._history:
            self._store.backup.write_history(entries)
        now_ms = self._store.clock.now_ms()
        changed = [self._change(entry, now_ms) for entry in entries if entry.name not in self._same]
        self._linked += [one for one in changed if one.job and one.job.links.named]
        self._apply([one for one in changed if not (one.job and one.job.links.named)])

    def _write_linked(self) -> None:
        """Jobs that name others, once all of them are there, in one step."""
        linked, self._linked = self._linked, []
        self._apply(linked)

    def _apply(self, changed: list[Change]) -> None:
        while changed:
            try:
                self._store.jobs.apply(changed)
                return
            except JobExistError:
                # Somebody has added one meanwhile, or the reply to this very call was lost.
                added = [change.name for change in changed if change.op == "add"]
                there = self._store.jobs.those(added)
                changed = [one for one in changed if one.op != "add" or one.name not in there]

    def _change(self, entry: JobEntry, now_ms: int) -> Change:
        job = entry.job()
        if entry.name in self._differing:
            restored = Restored(standing=entry.standing, missed={}, seals=entry.seals)
            return Change(op="put", name=entry.name, job=job, restored=restored)
        told = f"restored from a backup of {iso(self._told.at_ms)}: not caught up"
        missed = not_caught_up(job, entry.standing, self._calendars, now_ms, told)
        restored = Restored(standing=entry.standing, missed=missed, seals=entry.seals)
        return Change(op="add", name=entry.name, job=job, restored=restored)

    def _is_wanted(self, job: str) -> bool:
        return self._replace or job not in self._differing

    def _is_restored(self, run: RunEntry) -> bool:
        return self._is_wanted(run.job)

    def _batches(self) -> Iterator[tuple[str, list[Line]]]:
        """The lines in batches of one kind each. Runs are left out where no history is wanted."""
        lines = self._backup.lines()
        for kind, of_a_kind in groupby(lines, attrgetter("kind")):
            batch: list[Line] = []
            size = 0
            for line in of_a_kind:
                if kind == "run" and not self._history:
                    continue
                if batch and (len(batch) == BATCH or size + line.size > BATCH_BYTES):
                    yield kind, batch
                    batch, size = [], 0
                batch.append(line)
                size += line.size
            if batch:
                yield kind, batch


def _differences(current: JobRecord, job: Job, standing: Standing) -> tuple[str, ...]:
    """How a job that is there differs: its definition, and what of its state it fires by. (That
    it has fired since is no difference.)"""
    told = [str(change) for change in changes(current.job, job)]
    if current.paused != standing.paused:
        words = {True: "paused", False: "active"}
        told.append(f"state: {words[current.paused]} → {words[standing.paused]}")
    if '"every"' in json.dumps(job.spec()) and current.anchor_ms != standing.anchor_ms:
        before, after = iso(current.anchor_ms), iso(standing.anchor_ms)
        told.append(f"intervals count from: {before} → {after}")
    if job.max_fires is not None and current.fires < standing.fires:
        told.append(f"fires of max_fires: {current.fires} → {standing.fires}")
    return tuple(told)


def not_caught_up(
    job: Job, standing: Standing, calendars: Mapping[str, Calendar], now_ms: int, reason: str
) -> dict[str, str]:
    """What goes into the ledger of a job of the fires between its cursor and now: nothing where
    there are none."""
    used_up = job.max_fires is not None and standing.fires >= job.max_fires
    if job.schedule is None or standing.paused or used_up:
        return {}
    try:
        schedule = (job.with_calendars(calendars) if job.calendars else job).schedule
    except DefinitionError:
        return {}  # its calendars leave it no day: it has no fires
    after, anchor = standing.cursor_ms, standing.anchor_ms
    first = schedule.next_after_ms(after, anchor) if schedule else None
    if schedule is None or first is None or first > now_ms:
        return {}
    last = schedule.last_between_ms(after, now_ms, anchor) or first
    told = {"decision": "missed", "fire_at": moment_text(last), "reason": reason}
    if first < last:
        count = schedule.count_between_ms(after, last, anchor, COUNT_AT_MOST)
        told |= {"first_fire_at": moment_text(first), "count": str(count)}
    return told


def _other_orders(old: HostOrders | None, new: HostOrders) -> str:
    def words(orders: HostOrders) -> str:
        roles = "its own" if orders.roles is None else ",".join(sorted(orders.roles))
        return f"{'cordoned' if orders.cordoned else 'not cordoned'}, roles {roles}"

    return f"{words(old or HostOrders())} → {words(new)}"
