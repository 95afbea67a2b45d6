"""Past runs and coming fires along a line of time, by job or by host."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from jober.client.finding import Coming
from jober.run import Run
from jober.schedule.zone import Zone
from jober.words import count, duration
from jober_web.pages.plots.timeline import Band, Line, Mark, Row, Span, ticks_ms, timeline
from jober_web.pages.views.run_line import took
from jober_web.pages.wall import Wall

HOUR_MS = 3_600_000
# What a step of the zoom shows: from the finest to the widest.
SPANS = {
    "1h": HOUR_MS,
    "6h": 6 * HOUR_MS,
    "24h": 24 * HOUR_MS,
    "3d": 72 * HOUR_MS,
    "7d": 168 * HOUR_MS,
}
# Of what is shown, so much is to come.
_AHEAD = 0.3
# So many marks have room beside one another.
_MARKS = 90
ROWS = 60

Link = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time that is shown."""

    start_ms: int
    end_ms: int
    span: str

    def moved(self, share: float) -> int:
        """The middle of a window that is moved by a share of its length."""
        middle = (self.start_ms + self.end_ms) // 2
        return middle + round((self.end_ms - self.start_ms) * share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    picture: Markup
    window: Window
    by: str
    runs: int
    fires: int
    notes: tuple[str, ...]
    finer: str | None
    wider: str | None
    is_now: bool


def window_of(span: str, at_ms: int | None, now_ms: int) -> Window:
    """The window of a zoom, around a moment, or with now where most of it is past."""
    length = SPANS.get(span, SPANS["6h"])
    span = span if span in SPANS else "6h"
    if at_ms is None:
        start = now_ms - round(length * (1 - _AHEAD))
    else:
        start = max(0, at_ms - length // 2)
    return Window(start_ms=start, end_ms=start + length, span=span)


def timeline_view(
    runs: Sequence[Run],
    coming: Sequence[Coming],
    window: Window,
    wall: Wall,
    *,
    by: str,
    job_link: Link,
    run_link: Link,
    host_link: Link,
    is_all: bool,
    is_now: bool,
) -> Timeline:
    """`runs` are the newest of the window, perhaps not all. By host, fires have no place yet."""
    rows = (
        _by_host(runs, wall, run_link, host_link)
        if by == "host"
        else _by_job(runs, coming, window, wall, job_link, run_link)
    )
    fires = sum(len(one.fires_ms) for one in coming)
    notes = []
    if not is_all:
        notes.append(f"the newest {len(runs)} runs of this time; zoom in to see all")
    if len(rows) > ROWS:
        notes.append(f"{ROWS} of {len(rows)} rows, those with most runs")
        rows = sorted(rows, key=lambda row: -len(row.spans))[:ROWS]
    names = list(SPANS)
    at = names.index(window.span)
    title = f"{count(len(runs), 'run')} and {count(fires, 'coming fire')}"
    return Timeline(
        picture=timeline(
            sorted(rows, key=lambda row: row.name),
            _lines(window, wall),
            window.start_ms,
            window.end_ms,
            title,
        ),
        window=window,
        by=by,
        runs=len(runs),
        fires=fires,
        notes=tuple(notes),
        finer=names[at - 1] if at else None,
        wider=names[at + 1] if at + 1 < len(names) else None,
        is_now=is_now,
    )


def _by_job(
    runs: Sequence[Run],
    coming: Sequence[Coming],
    window: Window,
    wall: Wall,
    job_link: Link,
    run_link: Link,
) -> list[Row]:
    fires = {one.job: one for one in coming}
    spans = _spans(runs, lambda run: run.job or "", wall, run_link)
    return [
        Row(
            name=name or "without a definition",
            href=job_link(name),
            spans=spans.get(name, ()),
            **_coming(fires.get(name), window, wall),
        )
        for name in {**spans, **fires}
    ]


def _coming(coming: Coming | None, window: Window, wall: Wall) -> dict[str, Any]:
    """The fires of a job: marks, or a band where there are too many for marks."""
    if coming is None:
        return {}
    first, last = coming.fires_ms[0], coming.fires_ms[-1]
    number = len(coming.fires_ms)
    room = (window.end_ms - window.start_ms) / _MARKS
    if number > 2 and (last - first) / (number - 1) < room:
        end = window.end_ms if coming.is_cut else last
        gap = duration((last - first) / (number - 1) / 1000)
        title = f"{coming.job} fires every {gap} or so, from {wall.full(first)}"
        return {"band": Band(start_ms=first, end_ms=end, title=title)}
    return {
        "marks": tuple(
            Mark(at_ms=fire, kind="fire", title=f"{coming.job} fires at {wall.full(fire)}")
            for fire in coming.fires_ms
        )
    }


def _by_host(runs: Sequence[Run], wall: Wall, run_link: Link, host_link: Link) -> list[Row]:
    spans = _spans([run for run in runs if run.host], lambda run: run.host or "", wall, run_link)
    return [Row(name=name, href=host_link(name), spans=spans[name]) for name in spans]


def _spans(
    runs: Iterable[Run], key: Callable[[Run], str], wall: Wall, link: Link
) -> Mapping[str, tuple[Span, ...]]:
    found: dict[str, list[Span]] = {}
    for run in runs:
        start = run.started_at_ms or run.enqueued_at_ms or run.fire_at_ms
        if start is None:
            continue
        end = run.ended_at_ms or (start if run.state.is_final else wall.now_ms)
        told = f"{run.id}: {run.state} {took(run, wall.now_ms)}".rstrip()
        where = f" on {run.host}" if run.host else ""
        span = Span(
            start_ms=start,
            end_ms=max(start, end),
            state=str(run.state),
            title=f"{told}{where}, {wall.full(start)}",
            href=link(run.id),
        )
        found.setdefault(key(run), []).append(span)
    return {name: tuple(spans) for name, spans in found.items()}


def _lines(window: Window, wall: Wall) -> list[Line]:
    offset = wall.zone.wall(window.start_ms // 1000) - window.start_ms // 1000
    day = window.end_ms - window.start_ms > 30 * HOUR_MS
    lines = [
        Line(
            at_ms=at,
            kind="tick",
            text=f"{wall.zone.aware(at):%a %H:%M}" if day else f"{wall.zone.aware(at):%H:%M}",
        )
        for at in ticks_ms(window.start_ms, window.end_ms, offset)
    ]
    lines += [
        Line(at_ms=at, kind="dst", text=text)
        for at, text in clock_changes(wall.zone, window.start_ms, window.end_ms)
    ]
    if window.start_ms <= wall.now_ms <= window.end_ms:
        lines.append(Line(at_ms=wall.now_ms, kind="now", text="now"))
    return lines


def clock_changes(zone: Zone, start_ms: int, end_ms: int) -> list[tuple[int, str]]:
    """When the clocks of a zone are set within a time, and by how much."""
    table = zone.reach(end_ms // 1000)
    found = []
    for before, after, at in zip(table.offsets, table.offsets[1:], table.starts[1:], strict=False):
        if start_ms <= at * 1000 <= end_ms and before != after:
            hours = (after - before) / 3600
            way = "forward" if hours > 0 else "back"
            found.append((at * 1000, f"clocks go {way} {abs(hours):g} h"))
    return found
