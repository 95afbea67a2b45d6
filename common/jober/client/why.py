"""Why a fire ran, was skipped or missed, or is none: from the ledger and the definition. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jober.client.mends import Fleet, mends
from jober.client.waiting import no_host, wait_of
from jober.clock import from_ms, iso
from jober.ledger import Decision, LedgerEntry
from jober.run import Run, RunState
from jober.schedule import Schedule
from jober.store.jobs import JobRecord

# A fire may be told by its minute or second: this far after the moment asked for it is meant.
NEAR_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The answer for one moment. `hosts` are the live hosts that match now."""

    job: str
    at_ms: int
    answer: str
    hosts: tuple[str, ...]
    entries: tuple[LedgerEntry, ...] = ()
    notes: tuple[str, ...] = ()
    mends: tuple[str, ...] = ()  # what may be done about it, with the command

    def to_dict(self) -> dict[str, Any]:
        return {
            "job": self.job,
            "at": iso(self.at_ms),
            "answer": self.answer,
            "hosts": list(self.hosts),
            "notes": list(self.notes),
            "mends": list(self.mends),
            "decisions": [entry.to_dict() for entry in self.entries],
        }


def why(
    record: JobRecord,
    ledger: Sequence[LedgerEntry],
    at_ms: int,
    now_ms: int,
    fleet: Fleet,
    runs: Mapping[str, Run],
) -> Why:
    """What became of the fire of the job at a moment, or of the first within a minute after it.
    `runs` are those of `covering_runs` that are still known."""
    hosts = fleet.hosts_for(record)
    entries = tuple(_covering(ledger, at_ms))
    if entries:
        at_ms = min(entry.fire_at_ms for entry in entries) if entries[0].count == 1 else at_ms
        never = {entry.run for entry in entries if entry.decision is Decision.MISSED and entry.run}
        answer = " ".join(
            _decided(entry, runs.get(entry.run or ""), fleet, record, now_ms)
            for entry in entries
            if not (entry.decision is Decision.FIRED and entry.run in never)
        )
    else:
        answer = _undecided(record, ledger, at_ms, now_ms, fleet)
    schedule = record.job.schedule
    return Why(
        job=record.name,
        at_ms=at_ms,
        answer=answer,
        hosts=hosts,
        entries=entries,
        notes=tuple(schedule.notes(from_ms(at_ms), from_ms(record.anchor_ms))) if schedule else (),
        mends=tuple(mends(record, entries, list(runs.values()), fleet)),
    )


def why_run(record: JobRecord, run: Run, now_ms: int, fleet: Fleet) -> Why:
    """What became of a run that no fire made."""
    return Why(
        job=record.name,
        at_ms=run.enqueued_at_ms or now_ms,
        answer=_became(run, f"It is {run.id} ({run.trigger})", "", fleet, record, now_ms),
        hosts=fleet.hosts_for(record),
        mends=tuple(mends(record, (), [run], fleet)),
    )


def covering_runs(ledger: Sequence[LedgerEntry], at_ms: int) -> list[str]:
    """The runs that the fire at a moment made."""
    return [entry.run for entry in _covering(ledger, at_ms) if entry.run]


def _covering(ledger: Sequence[LedgerEntry], at_ms: int) -> list[LedgerEntry]:
    """All decisions about one fire, oldest first: a fire may be missed, and caught up later."""
    exact = [entry for entry in ledger if entry.first_fire_at_ms <= at_ms <= entry.fire_at_ms]
    if not exact:
        near = [e.fire_at_ms for e in ledger if at_ms < e.fire_at_ms < at_ms + NEAR_MS]
        exact = [entry for entry in ledger if near and entry.fire_at_ms == min(near)]
    return sorted(exact, key=lambda entry: entry.at_ms)


def _fired(
    entry: LedgerEntry, run: Run | None, fleet: Fleet, record: JobRecord, now_ms: int
) -> str:
    """What became of the run that a fire made; of one that is no longer known, that it was."""
    late_s = (entry.at_ms - entry.fire_at_ms) / 1000
    late = f", {late_s:.1f} s after it was due" if late_s >= 1 else ""
    made = f"It made the run {entry.run}{late}"
    return _became(run, made, late, fleet, record, now_ms) if run else f"{made}."


def _became(run: Run, made: str, late: str, fleet: Fleet, record: JobRecord, now_ms: int) -> str:
    where = f" on {run.host}" if run.host else ""
    because = f": {run.reason}" if run.reason else ""
    if run.state is RunState.RUNNING:
        return f"It runs{where}, as {run.id}{late}."
    if not run.state.is_final:
        if run.waits_for:
            return f"{made}, which is {run.state} for {run.waits_for}."
        waits = wait_of(run, record.job.queue, fleet.agents, now_ms)
        return f"{made}, which is {run.state}{f', and {waits}' if waits else ''}."
    if run.attempt == 0:
        return f"{made}, which was {run.state} before it started{because}."
    return f"It ran{where}, as {run.id}{late}, and ended as {run.state}{because}."


def _decided(
    entry: LedgerEntry, run: Run | None, fleet: Fleet, record: JobRecord, now_ms: int
) -> str:
    match entry.decision:
        case Decision.FIRED:
            return _fired(entry, run, fleet, record, now_ms)
        case Decision.SKIPPED:
            where = f" on {entry.host}" if entry.host else ""
            return f"It was skipped{where}: {entry.reason}."
        case Decision.SHORT:
            return f"It made runs {entry.reason}."
        case Decision.MISSED if entry.run:
            return f"{entry.run} was made for it, and missed: {entry.reason}."
        case Decision.MISSED:
            among = f", among {entry.count} fires" if entry.count > 1 else ""
            return f"It was missed{among}: {entry.reason}."


def _undecided(
    record: JobRecord,
    ledger: Sequence[LedgerEntry],
    at_ms: int,
    now_ms: int,
    fleet: Fleet,
) -> str:
    schedule = record.job.schedule
    hosts = fleet.hosts_for(record)
    if record.job.service:
        return f"{record.name} is a service: it has no fires, and is kept alive."
    if schedule is None:
        return f"{record.name} has no schedule: it runs by hand only."
    fire = schedule.next_after_ms(at_ms - 1, record.anchor_ms)
    if fire is None or fire >= at_ms + NEAR_MS:
        excluded = schedule.excluded_between(
            from_ms(at_ms - 1), from_ms(at_ms + NEAR_MS - 1), from_ms(record.anchor_ms), 1
        )
        if excluded:
            return f"The fire of {excluded[0].at:%Y-%m-%d %H:%M} is excluded, {excluded[0]}."
        return _no_fire(schedule, record, at_ms, fire)
    if fire > now_ms:
        if record.paused:
            return "It is to come, but the job is paused: it will not fire until it is resumed."
        if not hosts:
            return f"It is to come, but {no_host(record.job.queue, fleet.agents)}."
        return f"It is to come, on {' or '.join(hosts)}."
    if record.created_at_ms is not None and fire < record.created_at_ms:
        return f"The job was added after it, at {iso(record.created_at_ms)}."
    if fire <= record.floor_ms:
        return f"The schedule was changed after it, at {iso(record.floor_ms)}."
    if fire > record.cursor_ms:
        if record.paused:
            return "The job is paused. When it is resumed, its catch_up says what becomes of it."
        return (
            "Nothing has decided on it yet: is a scheduler running (jober leader), and is a host "
            "with the role live (jober agents)?"
        )
    if ledger and fire < min(entry.fire_at_ms for entry in ledger):
        return "It is older than the ledger, which keeps the newest 1,000 decisions or so."
    return "It fell under an older definition of the job: that schedule had no such fire."


def _no_fire(schedule: Schedule, record: JobRecord, at_ms: int, fire: int | None) -> str:
    before = schedule.last_between_ms(at_ms - 366 * 86_400_000, at_ms - 1, record.anchor_ms)
    around = [
        f"the {word} is at {schedule.zone.aware(moment).isoformat(sep=' ')}"
        for word, moment in (("last before", before), ("next", fire))
        if moment is not None
    ]
    told = f": {', '.join(around)}" if around else ""
    return f"The schedule ({schedule.describe()}) has no fire then{told}."
