"""How long the next fire takes, beside cronsim and croniter in the same run.

    python benchmarks/schedule.py

Medians of batches, in microseconds; ratios above 1 say how many times faster jober is. "Read"
is reading the expression and finding one fire: for the first time (nothing remembered), and
again, as for the thousandth job of the same expression.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import mean, median
from time import perf_counter
from zoneinfo import ZoneInfo

import pytz
from croniter import croniter
from cronsim import CronSim
from rich.console import Console
from rich.table import Table

from jober.schedule import cron, cron_fields, parse

EXPRESSIONS = (
    "* * * * *",
    "*/5 * * * *",
    "0 * * * *",
    "30 2 * * *",
    "0 3 * * 1-5",
    "*/15 9-17 * * MON-FRI",
    "15 14 1 * *",
    "0 0 L * *",
    "0 0 29 2 *",
)
ZONE = "Europe/Warsaw"
START = datetime(2026, 1, 1, 3, 0, 13, tzinfo=UTC)
MOMENTS = [START + timedelta(hours=7 * n, seconds=n) for n in range(200)]
IN_ZONEINFO = START.astimezone(ZoneInfo(ZONE))
IN_PYTZ = START.astimezone(pytz.timezone(ZONE))
BATCHES = 15


def microseconds(work: Callable[[], object], calls: int) -> float:
    """The median time of one of the `calls` that `work` makes."""
    taken = []
    for _ in range(BATCHES):
        begin = perf_counter()
        work()
        taken.append((perf_counter() - begin) / calls * 1e6)
    return median(taken)


def repeated(work: Callable[[], object], times: int = 40) -> float:
    def batch() -> None:
        for _ in range(times):
            work()

    return microseconds(batch, times)


def measure(text: str) -> tuple[float, float, float, float, float, float]:
    schedule = parse({"cron": text}, ZONE)
    moments_ms = [round(moment.timestamp() * 1000) for moment in MOMENTS]

    def next_after() -> None:
        for moment in MOMENTS:
            schedule.next_after(moment)

    def next_after_ms() -> None:
        for moment_ms in moments_ms:
            schedule.next_after_ms(moment_ms)

    def read_again() -> None:
        parse({"cron": text}, ZONE).next_after(START)

    def read_first() -> None:
        cron._read.cache_clear()
        cron_fields._values.cache_clear()
        cron_fields.jumps.cache_clear()
        read_again()

    return (
        microseconds(next_after, len(MOMENTS)),
        microseconds(next_after_ms, len(MOMENTS)),
        repeated(read_first),
        repeated(read_again),
        repeated(lambda: next(CronSim(text, IN_ZONEINFO))),
        repeated(lambda: croniter(text, IN_PYTZ).get_next(datetime)),
    )


def main() -> None:
    table = Table(title=f"next fire in {ZONE}, µs")
    table.add_column("expression", no_wrap=True)
    for column in ("next", "next ms", "read 1st", "again", "cronsim", "croniter"):
        table.add_column(column, justify="right", no_wrap=True)
    rows = [measure(text) for text in EXPRESSIONS]
    for text, row in zip(EXPRESSIONS, rows, strict=True):
        table.add_row(text, *(f"{figure:.1f}" for figure in row))
    columns = list(zip(*rows, strict=True))
    table.add_section()
    table.add_row("mean", *(f"{mean(column):.1f}" for column in columns))
    middle = [median(column) for column in columns]
    table.add_row("median", *(f"{figure:.1f}" for figure in middle))
    console = Console()
    console.print(table)
    _, _, first, again, sim, iter_ = middle
    console.print(
        f"read + next, ratios of medians: cronsim {sim / first:.1f} (again {sim / again:.1f}), "
        f"croniter {iter_ / first:.1f} (again {iter_ / again:.1f})"
    )
    goal = mean(columns[0])
    console.print(f"next_after, mean: {goal:.2f} µs (goal: 5), {'met' if goal <= 5 else 'MISSED'}")


if __name__ == "__main__":
    main()
