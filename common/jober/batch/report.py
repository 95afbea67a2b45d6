"""What came of each command of a batch."""

from dataclasses import dataclass
from typing import Any

from jober.clock import iso

COLUMNS = ("id", "state", "retried", "exit_code", "start", "finish", "elapsed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One command. What did not run has a state and a reason alone; moments are milliseconds since
    the epoch."""

    id: str
    state: str
    run: str | None = None
    retried: int | None = None
    exit_code: int | None = None
    start_ms: int | None = None
    finish_ms: int | None = None
    reason: str | None = None
    log: str | None = None

    @property
    def elapsed_s(self) -> float | None:
        """From its first start to its end, with what was waited between attempts."""
        if self.start_ms is None or self.finish_ms is None:
            return None
        return (self.finish_ms - self.start_ms) / 1000

    def to_dict(self) -> dict[str, Any]:
        """The stable names that scripts rely on."""
        return {
            "id": self.id,
            "state": self.state,
            "retried": self.retried,
            "exit_code": self.exit_code,
            "start": iso(self.start_ms),
            "finish": iso(self.finish_ms),
            "elapsed": self.elapsed_s,
            "reason": self.reason,
            "run": self.run,
            "log": self.log,
        }


def table(rows: list[Row]) -> str:
    """The rows as text: a line of titles, and a line for each."""
    told = [row.to_dict() for row in rows]
    cells = [list(COLUMNS)] + [
        ["-" if row[name] is None else str(row[name]) for name in COLUMNS] for row in told
    ]
    widths = [max(len(line[place]) for line in cells) for place in range(len(COLUMNS))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in cells
    )
