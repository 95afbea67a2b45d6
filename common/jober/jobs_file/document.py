"""A text of tables, whatever it was written in, and the lines its parts stand at."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jober.errors import DefinitionError

# Table ("jobs", "defaults" or another), key in it, key in that; what is not meant is left out.
Place = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """`tables` as parsed. `lines()` tells the lines, counted from 1, of the places it knows."""

    tables: dict[Any, Any]
    lines: Callable[[], dict[Place, int]]

    def line_of(self, *place: str) -> int | None:
        """The line of a place, or of the nearest one around it that is known."""
        lines = self.lines()
        for length in range(len(place), 0, -1):
            if line := lines.get(place[:length]):
                return line
        return None


class SyntaxProblem(DefinitionError):
    """The text itself is wrong, at `line` where that is known."""

    def __init__(self, problem: str, *, line: int | None = None, mend: str | None = None) -> None:
        self.line = line
        super().__init__(problem, mend=mend)
