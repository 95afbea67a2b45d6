"""Tables: columns that fit the terminal, without lines or boxes; and facts, a line each.

Where the terminal is too narrow, columns go (those with the highest `drop` first), then what
may be cut is cut. What a person may want to copy, such as the id of a run, is never cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.text import Text

from jober.words import plain

_GAP = 2
_AT_LEAST = 8
_INDENT = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`drop`: 0 stays, the highest goes first. `cut`: its cells may be cut with an ellipsis."""

    title: str
    justify: Literal["left", "right"] = "left"
    drop: int = 0
    cut: bool = False


def print_heading(console: Console, text: str) -> None:
    """What a part of a page is about, after an empty line."""
    console.print()
    console.print(Text(text, style="bold"))


def print_facts(console: Console, facts: Sequence[tuple[str, str | Text]]) -> None:
    """A line for each fact, its name before it; long ones go on below."""
    for label, value in facts:
        text = value if isinstance(value, Text) else Text(plain(value))
        for place, line in enumerate(text.wrap(console, max(20, console.width - _INDENT))):
            begin = Text(f"  {'' if place else label}".ljust(_INDENT), style="dim")
            line.rstrip()
            console.print(begin + line, soft_wrap=True)


def print_table(
    console: Console, columns: Sequence[Column], rows: Sequence[Sequence[str | Text]]
) -> None:
    """Print a line of titles and a line for each row."""
    cells = [[Text(column.title, style="bold dim") for column in columns]]
    cells += [
        [cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row] for row in rows
    ]
    widths = [max(cell.cell_len for cell in column) for column in zip(*cells, strict=True)]
    filled = [any(cell.plain for cell in column[1:]) for column in zip(*cells, strict=True)]
    shown = _shown(columns, filled, widths, console.width)
    widths = _cut(columns, widths, shown, console.width)
    for row in cells:
        line = Text()
        for place in shown:
            cell = row[place].copy()
            if cell.cell_len > widths[place]:
                cell.truncate(widths[place], overflow="ellipsis")
            blank = " " * (widths[place] - cell.cell_len)
            if place != shown[0]:
                line.append(" " * _GAP)
            if columns[place].justify == "right":
                line.append(blank)
            line.append_text(cell)
            if columns[place].justify == "left":
                line.append(blank)
        line.rstrip()
        console.print(line, soft_wrap=True)


def _shown(
    columns: Sequence[Column], filled: Sequence[bool], widths: Sequence[int], width: int
) -> list[int]:
    """The places of the columns that are shown: those that hold anything, and have room."""
    shown = [place for place in range(len(columns)) if filled[place]]

    def needed() -> int:
        smallest = [
            min(widths[place], _AT_LEAST * 2) if columns[place].cut else widths[place]
            for place in shown
        ]
        return sum(smallest) + _GAP * (len(shown) - 1)

    while needed() > width:
        last = max(shown, key=lambda place: columns[place].drop)
        if not columns[last].drop:
            break
        shown.remove(last)
    return shown


def _cut(
    columns: Sequence[Column], widths: Sequence[int], shown: Sequence[int], width: int
) -> list[int]:
    """The widths, with the widest columns that may be cut made narrower until all fits."""
    result = list(widths)
    over = sum(result[place] for place in shown) + _GAP * (len(shown) - 1) - width
    may = [place for place in shown if columns[place].cut]
    while over > 0 and may:
        widest = max(may, key=lambda place: result[place])
        if result[widest] <= _AT_LEAST:
            break
        result[widest] -= 1
        over -= 1
    return result
