"""Past runs and coming fires along a line of time, by job or by host."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from jober.client.finding import Coming
from jober.run import Run
from jober.schedule.zone import Zone
from jober.words import count
from jober_web.pages.plots.timeline import Line, Row, Span, ticks_ms, timeline
from jober_web.pages.views.coming import Place, marks_of
from jober_web.pages.views.run_line import took
from jober_web.pages.views.window import HOUR_MS, Window
from jober_web.pages.wall import Wall

ROWS = 60

Link = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    picture: Markup
    window: Window
    by: str
    runs: int
    fires: int
    notes: tuple[str, ...]
    is_now: bool


def timeline_view(
    runs: Sequence[Run],
    coming: Sequence[Coming],
    places: Mapping[Place, Sequence[Coming]],
    window: Window,
    wall: Wall,
    *,
    by: str,
    job_link: Link,
    run_link: Link,
    host_link: Link,
    queue_link: Link,
    is_all: bool,
    is_now: bool,
) -> Timeline:
    """`runs` are the newest of the window, perhaps not all. By host, `places` are the rows of the
    fires that are to come."""
    rows = (
        _by_host(runs, places, window, wall, run_link, host_link, queue_link)
        if by == "host"
        else _by_job(runs, coming, window, wall, job_link, run_link)
    )
    fires = sum(len(one.fires_ms) for one in coming)
    notes = []
    if not is_all:
        notes.append(f"the newest {len(runs)} runs of this time; zoom in to see all")
    if len(rows) > ROWS:
        notes.append(f"{ROWS} of {len(rows)} rows, those with most to show")
        busiest = sorted(rows, key=lambda row: -(len(row.spans) + len(row.marks)))[:ROWS]
        names = {row.name for row in busiest}
        rows = [row for row in rows if row.name in names]
    title = f"{count(len(runs), 'run')} and {count(fires, 'coming fire')}"
    return Timeline(
        picture=timeline(
            rows,
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
    rows = []
    for name in sorted({**spans, **fires}):
        marks, band = marks_of([fires[name]] if name in fires else [], window, wall)
        rows.append(
            Row(
                name=name or "without a definition",
                href=job_link(name),
                spans=spans.get(name, ()),
                marks=marks,
                band=band,
            )
        )
    return rows


def _by_host(
    runs: Sequence[Run],
    places: Mapping[Place, Sequence[Coming]],
    window: Window,
    wall: Wall,
    run_link: Link,
    host_link: Link,
    queue_link: Link,
) -> list[Row]:
    spans = _spans([run for run in runs if run.host], lambda run: run.host or "", wall, run_link)
    known = {*(Place(name=host) for host in spans), *places}
    rows = []
    # The hosts, and then what may be on any of several.
    for place in sorted(known, key=lambda one: (one.queue is not None, one.name)):
        marks, band = marks_of(places.get(place, ()), window, wall, place)
        is_host = place.queue is None
        rows.append(
            Row(
                name=place.name,
                href=host_link(place.name) if place.queue is None else queue_link(place.queue),
                spans=spans.get(place.name, ()) if is_host else (),
                marks=marks,
                band=band,
            )
        )
    return rows


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
