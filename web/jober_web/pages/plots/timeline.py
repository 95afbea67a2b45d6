"""A timeline: a row for each job or host, past runs as spans, coming fires as marks."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from jober_web.pages.plots.scale import Scale, time_step_ms
from jober_web.pages.plots.svg import element, svg

_ROW, _TOP, _LEFT, _WIDTH = 26, 34, 168, 1120
# A letter of a row's name is about so wide.
_LETTER = 7.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A run, from its start to its end, or to now."""

    start_ms: int
    end_ms: int
    state: str
    title: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A fire to come: a `fire` whose row is certain, or one that is `open`."""

    at_ms: int
    kind: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Fires that come so often that single marks would run into one another."""

    start_ms: int
    end_ms: int
    title: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: str
    href: str
    spans: tuple[Span, ...] = ()
    marks: tuple[Mark, ...] = ()
    band: Band | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line across all rows: `now`, a change of the clock (`dst`), or an hour (`tick`)."""

    at_ms: int
    kind: str
    text: str


def ticks_ms(start_ms: int, end_ms: int, offset_s: int) -> list[int]:
    """Round moments of the wall in a span; `offset_s` is that of the zone at its start."""
    step = time_step_ms(end_ms - start_ms)
    first = (start_ms + offset_s * 1000) // step * step + step - offset_s * 1000
    return list(range(first, end_ms, step))


def timeline(
    rows: Sequence[Row], lines: Sequence[Line], start_ms: int, end_ms: int, title: str
) -> Markup:
    """The picture. What overlaps in a row stands in lanes of it, four at the most."""
    along = Scale(start_ms, end_ms, _LEFT, _WIDTH)
    height = _TOP + max(1, len(rows)) * _ROW + 4
    drawn = [_line(line, along(line.at_ms), height) for line in lines]
    drawn += [
        _row(row, _TOP + place * _ROW, along, start_ms, end_ms) for place, row in enumerate(rows)
    ]
    return svg(_WIDTH, height, title, *drawn, class_="timeline", leads=True)


def _line(line: Line, x: float, height: float) -> Markup:
    y = 12 if line.kind == "tick" else 26
    anchor = "end" if x > _WIDTH - 60 else "middle" if line.kind == "tick" else "start"
    return element(
        "g",
        element("line", class_=f"line {line.kind}", x1=x, x2=x, y1=y + 4, y2=height),
        element("text", line.text, class_=f"tick {line.kind}", x=x, y=y, text_anchor=anchor),
    )


def _row(row: Row, y: float, along: Scale, start_ms: int, end_ms: int) -> Markup:
    most = int((_LEFT - 12) / _LETTER)
    name = row.name if len(row.name) <= most else f"{row.name[: most - 1]}…"
    label = element("text", name, element("title", row.name), x=4, y=y + 17)
    spans = [
        _span(span, y, along, lane, lanes)
        for span, lane, lanes in _laned(row.spans)
        if span.end_ms >= start_ms and span.start_ms <= end_ms
    ]
    marks = [
        element(
            "path",
            element("title", mark.title),
            class_=f"mark m-{mark.kind}",
            d=f"M{along(mark.at_ms):.1f} {y + 8:g} l5 5 l-5 5 l-5 -5 z",
        )
        for mark in row.marks
        if start_ms <= mark.at_ms <= end_ms
    ]
    if row.band is not None:
        marks.append(_band(row.band, y, along))
    rule = element("line", class_="rule", x1=0, x2=_WIDTH, y1=y + _ROW, y2=y + _ROW)
    return element(
        "g", rule, element("a", label, href=row.href, aria_label=row.name), *spans, *marks
    )


def _band(band: Band, y: float, along: Scale) -> Markup:
    x, end = along(band.start_ms), along(band.end_ms)
    return element(
        "rect",
        element("title", band.title),
        class_=f"band m-{band.kind}",
        x=x,
        y=y + 9,
        width=max(3.0, end - x),
        height=8,
        rx=4,
    )


def _span(span: Span, y: float, along: Scale, lane: int, lanes: int) -> Markup:
    room = (_ROW - 6) / lanes
    x, end = along(span.start_ms), along(span.end_ms)
    mark = element(
        "rect",
        element("title", span.title),
        class_=f"s-{span.state}",
        x=x,
        y=y + 3 + lane * room,
        width=max(3.0, end - x),
        height=max(2.0, room - 1),
        rx=2,
    )
    return element("a", mark, href=span.href, aria_label=span.title)


def _laned(spans: Sequence[Span]) -> list[tuple[Span, int, int]]:
    """Each span with its lane, and how many there are."""
    ends: list[int] = []
    placed: list[tuple[Span, int]] = []
    for span in sorted(spans, key=lambda one: one.start_ms):
        lane = next((at for at, end in enumerate(ends) if end <= span.start_ms), None)
        if lane is None and len(ends) < 4:
            ends.append(0)
            lane = len(ends) - 1
        lane = ends.index(min(ends)) if lane is None else lane
        ends[lane] = max(ends[lane], span.end_ms)
        placed.append((span, lane))
    return [(span, lane, len(ends)) for span, lane in placed]
