"""What a benchmark tells: sections, each a table, perhaps with a plot of one of its columns.

Shown on a terminal by `show`; `report` writes them as Markdown and SVG.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of a plot; `ours` are drawn in another colour than those of peers."""

    label: str
    value: float
    ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One table: the first column is text, the others are figures, ready to be shown. `how` says
    how it was measured, `notes` what it came to."""

    title: str
    how: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    unit: str = ""


def show(sections: Sequence[Section]) -> None:
    """Print them as a person reads them."""
    console = Console()
    for section in sections:
        table = Table(title=section.title, min_width=60)
        for place, column in enumerate(section.columns):
            table.add_column(column, justify="right" if place else "left")
        for row in section.rows:
            table.add_row(*row)
        console.print(table)
        for note in section.notes:
            console.print(note)
