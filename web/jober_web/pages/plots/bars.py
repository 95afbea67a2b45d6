"""Bars: one for each run, or for each span of time, the oldest at the left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from jober_web.pages.plots.scale import Scale, round_steps
from jober_web.pages.plots.svg import element, svg

_LEFT, _TOP, _BOTTOM = 64, 8, 20
# There is room for so many at least.
_FEW = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """`state` is its class, `title` what it says when it is pointed at, `href` where it leads."""

    value: float
    state: str
    title: str
    href: str | None = None


def sparkline(bars: Sequence[Bar], title: str, width: int = 96, height: int = 22) -> Markup:
    """Bars alone, for the cell of a table; where they are few, they stand at the right."""
    most = max((bar.value for bar in bars), default=0.0)
    tall = Scale(0, most, 2, height)
    step = max(2.0, min(6.0, width / max(1, len(bars))))
    first = width - step * len(bars)
    marks = [
        element(
            "rect",
            element("title", bar.title),
            class_=f"s-{bar.state}",
            x=first + place * step,
            y=height - tall(bar.value),
            width=max(1.0, step - 1),
            height=tall(bar.value),
        )
        for place, bar in enumerate(bars)
    ]
    return svg(width, height, title, *marks, class_="spark")


def bar_plot(
    bars: Sequence[Bar],
    title: str,
    told: Callable[[float], str],
    ends: tuple[str, str],
    size: tuple[int, int] = (720, 160),
    base: int = 10,
) -> Markup:
    """Bars with a scale at the left, told by `told` in round steps of powers of `base`, and below
    the first and the last what `ends` says. Where they are few, they stand at the right."""
    width, height = size
    steps = round_steps(max((bar.value for bar in bars), default=0.0), base=base)
    floor = height - _BOTTOM
    tall = Scale(0, steps[-1], floor, _TOP)
    lines = [_line(step, tall(step), width, told) for step in steps]
    room = (width - _LEFT) / max(_FEW, len(bars))
    first = width - room * len(bars)
    marks = [
        _bar(bar, first + place * room, room, tall, floor)
        for place, bar in enumerate(bars)
        if bar.value
    ]
    below = [
        element("text", ends[0], class_="tick", x=min(first, width - 120.0), y=height - 5),
        element("text", ends[1], class_="tick", x=width, y=height - 5, text_anchor="end"),
    ]
    leads = any(bar.href for bar in bars)
    return svg(width, height, title, *lines, *marks, *below, class_="bars", leads=leads)


def _line(step: float, y: float, width: float, told: Callable[[float], str]) -> Markup:
    return element(
        "g",
        element("line", class_="grid", x1=_LEFT, x2=width, y1=y, y2=y),
        element("text", told(step), class_="tick", x=_LEFT - 6, y=y + 4, text_anchor="end"),
    )


def _bar(bar: Bar, x: float, room: float, tall: Scale, floor: float) -> Markup:
    top = min(tall(bar.value), floor - 1.5)
    width = max(1.0, min(room - 1, 18.0))
    mark = element(
        "rect",
        element("title", bar.title),
        class_=f"s-{bar.state}",
        x=x + (room - width) / 2,
        y=top,
        width=width,
        height=floor - top,
    )
    return element("a", mark, href=bar.href, aria_label=bar.title) if bar.href else mark
