"""All about one job."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from jober.client import JobRecord
from jober.clock import from_ms
from jober.ledger import LedgerEntry
from jober.run import GOOD, RunBrief
from jober.schedule import Schedule
from jober.service import Service
from jober.words import count, duration
from jober_web.pages.amounts import size
from jober_web.pages.plots.bars import Bar, bar_plot
from jober_web.pages.views.diff import DiffLine, definition_lines, diff
from jober_web.pages.views.fires import FireLine, fire_lines
from jober_web.pages.views.jobs import brief_words, next_words
from jober_web.pages.wall import Wall

# So many runs are plotted, and counted for the rate of success.
PLOTTED = 100
_EXCLUDED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """What was decided of a fire, or of several."""

    decision: str
    fire_ms: int
    run: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A definition at a revision, and what differs from the one before it that is chosen."""

    revision: int
    against: int | None
    revisions: tuple[int, ...]
    lines: tuple[DiffLine, ...]
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlots:
    """What the newest runs tell."""

    runs: int
    rate: str
    typical: str
    durations: Markup | None
    memory: Markup | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    name: str
    title: str
    state: str
    is_service: bool
    facts: tuple[tuple[str, str], ...]
    tags: tuple[str, ...]
    hosts: tuple[str, ...]
    places: tuple[str, ...]
    next: str
    fires: tuple[FireLine, ...]
    excluded: tuple[str, ...]
    notes: str
    args: str
    kwargs: str


def job_view(
    record: JobRecord,
    fires_ms: Sequence[int],
    hosts: Sequence[str],
    service: Service | None,
    wall: Wall,
) -> JobView:
    """`fires_ms` are its next fires, `hosts` the live ones that match."""
    job = record.job
    schedule = job.schedule
    lines = fire_lines(schedule, fires_ms, record.anchor_ms, wall) if schedule else ()
    return JobView(
        name=record.name,
        title=job.title or "",
        state="paused" if record.paused else "active",
        is_service=service is not None,
        facts=_facts(record, wall),
        tags=tuple(job.tags),
        hosts=tuple(hosts),
        places=tuple(f"{place.word}{place.details(wall.now_ms)}" for place in service.places)
        if service
        else (),
        next=next_words(record, wall),
        fires=lines,
        excluded=_excluded(schedule, record, fires_ms, wall) if schedule else (),
        notes=job.notes or "",
        args=definition_value(job.args),
        kwargs=definition_value(job.kwargs),
    )


def definition_value(value: Any) -> str:
    """A value as JSON, as it is written into a field."""
    return json.dumps(value, ensure_ascii=False)


def _facts(record: JobRecord, wall: Wall) -> tuple[tuple[str, str], ...]:
    job = record.job
    at_once = []
    if job.fleet_limit is not None:
        at_once.append(f"{count(job.fleet_limit, 'run')} at once")
    if job.host_limit is not None:
        at_once.append(f"{job.host_limit} on each host")
    at_once += [f"limit {name}" for name in job.limits]
    facts = [
        ("Runs", str(job.command) if job.shell else job.description),
        ("When", job.schedule_text),
        ("Where", job.where_text),
        ("At once", ", ".join(at_once) or "as many as there are slots"),
    ]
    if job.timeout:
        facts.append(("Timeout", duration(job.timeout)))
    if job.retries:
        facts.append(("Retries", f"{job.retries}, on {', '.join(map(str, job.retry_on))}"))
    if record.fires:
        facts.append(("Fired", f"{count(record.fires, 'time')}"))
    if record.updated_at_ms is not None:
        facts.append(("Defined", f"{wall.short(record.updated_at_ms)}, revision {record.revision}"))
    return tuple(facts)


def _excluded(
    schedule: Schedule, record: JobRecord, fires_ms: Sequence[int], wall: Wall
) -> tuple[str, ...]:
    """The fires among those to come that are taken out, or moved."""
    if not fires_ms:
        return ()
    found = schedule.excluded_between(
        from_ms(wall.now_ms), from_ms(fires_ms[-1]), from_ms(record.anchor_ms), _EXCLUDED
    )
    return tuple(f"{fire.at:%a %Y-%m-%d %H:%M} {fire}" for fire in found)


def plots(runs: Sequence[RunBrief], links: Mapping[str, str], wall: Wall) -> JobPlots:
    """`runs` oldest first, `links` where each of them is shown."""
    ended = [run for run in runs if run.state.is_final]
    good = sum(run.state in GOOD for run in ended)
    took = sorted(run.duration_s for run in ended if run.duration_s is not None)
    used = [run for run in runs if run.peak_memory_bytes is not None]
    ends = _ends(runs, wall)
    return JobPlots(
        runs=len(ended),
        rate=f"{100 * good / len(ended):.0f} %" if ended else "",
        typical=f"{duration(took[len(took) // 2])} typically, {duration(took[-1])} at most"
        if took
        else "",
        durations=bar_plot(
            [
                Bar(
                    value=run.duration_s or 0.0,
                    state=str(run.state),
                    title=_told(run, wall),
                    href=links.get(run.id),
                )
                for run in runs
            ],
            f"Durations of the last {count(len(runs), 'run')}",
            lambda value: duration(value) if value else "0",
            ends,
        )
        if runs
        else None,
        memory=bar_plot(
            [
                Bar(
                    value=float(run.peak_memory_bytes or 0),
                    state="count",
                    title=f"{size(run.peak_memory_bytes or 0)}: {_told(run, wall)}",
                    href=links.get(run.id),
                )
                for run in used
            ],
            f"Peak memory of the last {count(len(used), 'run')}",
            size,
            _ends(used, wall),
            size=(720, 120),
            base=1024,
        )
        if used
        else None,
    )


def _ends(runs: Sequence[RunBrief], wall: Wall) -> tuple[str, str]:
    told = [wall.short(run.started_at_ms) for run in runs if run.started_at_ms is not None]
    return (told[0], told[-1]) if len(told) > 1 else ("", told[0] if told else "")


def _told(run: RunBrief, wall: Wall) -> str:
    at = f"{wall.full(run.started_at_ms)}: " if run.started_at_ms is not None else ""
    return f"{at}{brief_words(run)}"


def ledger_lines(entries: Sequence[LedgerEntry], wall: Wall) -> tuple[LedgerLine, ...]:
    return tuple(
        LedgerLine(
            decision=str(entry.decision),
            fire_ms=entry.fire_at_ms,
            run=entry.run,
            text=_decided(entry, wall),
        )
        for entry in entries
    )


def _decided(entry: LedgerEntry, wall: Wall) -> str:
    told = entry.reason or ""
    if entry.count > 1:
        told = f"{count(entry.count, 'fire')} since {wall.short(entry.first_fire_at_ms)}: {told}"
    elif entry.host and not entry.run:
        told = f"{told} ({entry.host})"
    return told


def definition_view(
    specs: Mapping[int, Mapping[str, Any]], revision: int | None, against: int | None
) -> Definition | None:
    """`specs` by revision, the newest first; None where there are none. What is not among them is
    the newest, or the one before."""
    revisions = tuple(specs)
    if not revisions:
        return None
    shown = revision if revision in specs else revisions[0]
    assert shown is not None
    before = next((one for one in revisions if one < shown), None)
    other = against if against in specs and against != shown else before
    new = definition_lines(specs[shown])
    lines = diff(definition_lines(specs[other]) if other is not None else new, new)
    return Definition(
        revision=shown,
        against=other,
        revisions=revisions,
        lines=tuple(lines),
        changed=sum(line.kind == "add" for line in lines),
    )
