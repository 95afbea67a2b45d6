"""Fires by hour or by minute, as a map of shades: rows of days or hours, a column each.

A shade is a character and a colour, so that it reads without colours too.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rich.console import Console
from rich.text import Text

from jober.schedule.zone import Zone

By = Literal["minute", "hour"]
ROWS_AT_MOST = 400
_SHADES = (
    ("·", "grey42"),
    ("░", "steel_blue"),
    ("▒", "deep_sky_blue3"),
    ("▓", "sky_blue2"),
    ("█", "light_cyan1"),
)
_MINUTE_MS = 60_000
_ROW_MS = {"minute": 3_600_000, "hour": 86_400_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """Rows by the text of their beginning, on the wall of a zone; each holds 60 minutes or 24
    hours. None is a cell outside of the time that was looked at."""

    by: By
    rows: Mapping[str, Sequence[int | None]]


def heat_map(minutes: Mapping[int, int], start_ms: int, end_ms: int, zone: Zone, by: By) -> HeatMap:
    """The map of counts by minute, from `start_ms` to before `end_ms`. An hour that the clock
    repeats is counted in the same cells; one that it skips is empty."""
    columns, layout = (60, "%Y-%m-%d %H:00") if by == "minute" else (24, "%a %Y-%m-%d")
    counts: Counter[tuple[str, int]] = Counter()
    known: dict[tuple[str, int], None] = {}
    rows: dict[str, list[int | None]] = {}

    def cell(moment_ms: int) -> tuple[str, int]:
        wall: datetime = zone.aware(moment_ms)
        return wall.strftime(layout), wall.minute if by == "minute" else wall.hour

    # Every cell holds the begin of some quarter of an hour, and some minute.
    step = _MINUTE_MS if by == "minute" else 15 * _MINUTE_MS
    for moment in range(start_ms - start_ms % step, end_ms, step):
        known[cell(max(moment, start_ms))] = None
    for moment, count in minutes.items():
        counts[cell(max(moment, start_ms))] += count
    for row, column in known:
        rows.setdefault(row, [None] * columns)[column] = counts[row, column]
    return HeatMap(by=by, rows=rows)


def rows_of(start_ms: int, end_ms: int, by: By) -> int:
    """About how many rows a map has."""
    return (end_ms - start_ms) // _ROW_MS[by] + 1


def print_heat_map(console: Console, found: HeatMap) -> None:
    """Print the map, under a line of columns and above a legend."""
    cells = [count for row in found.rows.values() for count in row if count]
    steps = _steps(max(cells, default=0))
    width = max(len(name) for name in found.rows)
    console.print(_titles(found.by, width), soft_wrap=True)
    for name, row in found.rows.items():
        line = Text()
        line.append(f"{name:>{width}}  ", "dim")
        for column, count in enumerate(row):
            if found.by == "hour":
                line.append(_shaded(count, steps) * 2, _style(count, steps))
                line.append(" ")
            else:
                gap = " " if column % 15 == 0 and column else ""
                line.append(gap + _shaded(count, steps), _style(count, steps))
        line.rstrip()
        console.print(line, soft_wrap=True)
    console.print(_legend(found.by, width, steps), soft_wrap=True)


def _titles(by: By, width: int) -> Text:
    if by == "hour":
        names = "".join(f"{hour:02d} " for hour in range(24))
    else:
        names = " ".join(f":{minute:02d}".ljust(15) for minute in (0, 15, 30, 45))
    return Text(f"{'':{width}}  {names}".rstrip(), style="bold dim")


def _legend(by: By, width: int, steps: Sequence[int]) -> Text:
    text = Text()
    text.append(f"{'':{width}}  fires each {by}:  ", "dim")
    text.append(f"{_SHADES[0][0]} 0", _SHADES[0][1])
    low = 1
    for (shade, style), high in zip(_SHADES[1:], steps, strict=False):
        told = f"{low:,}" if low == high else f"{low:,}–{high:,}"
        text.append(f"   {shade} {told}", style)
        low = high + 1
    return text


def _steps(most: int) -> list[int]:
    """The highest count of each shade: apart by about the same factor."""
    if most <= 0:
        return []
    shades = len(_SHADES) - 1
    return sorted({max(round(most ** (place / shades)), 1) for place in range(1, shades + 1)})


def _shade(count: int, steps: Sequence[int]) -> int:
    return 0 if not count else 1 + next(at for at, high in enumerate(steps) if count <= high)


def _shaded(count: int | None, steps: Sequence[int]) -> str:
    return " " if count is None else _SHADES[_shade(count, steps)][0]


def _style(count: int | None, steps: Sequence[int]) -> str:
    return "" if count is None else _SHADES[_shade(count, steps)][1]
