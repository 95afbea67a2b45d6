"""How long the next fire takes, beside cronsim and croniter in the same run.

    python -m benchmarks schedule

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

from benchmarks.section import Section
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


def _measured(text: str) -> tuple[float, float, float, float, float, float]:
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


def measure(_: int, part: float) -> list[Section]:
    expressions = EXPRESSIONS[: max(2, round(len(EXPRESSIONS) * part))]
    rows = [_measured(text) for text in expressions]
    columns = list(zip(*rows, strict=True))
    middle = [median(column) for column in columns]
    told = [(f"`{text}`", row) for text, row in zip(expressions, rows, strict=True)]
    told += [("mean", tuple(mean(column) for column in columns)), ("median", tuple(middle))]
    _, _, first, again, sim, iter_ = middle
    return [
        Section(
            title="The next fire of a cron expression",
            how=f"In {ZONE}, µs; medians of batches. Read is reading the expression and finding "
            "one fire: for the first time, and again, as for the next job of the same expression.",
            columns=("expression", "next", "next ms", "read", "again", "cronsim", "croniter"),
            rows=tuple((text, *(f"{figure:.1f}" for figure in row)) for text, row in told),
            notes=(
                f"Read and next, ratios of medians: cronsim {sim / first:.1f} (again "
                f"{sim / again:.1f}), croniter {iter_ / first:.1f} (again {iter_ / again:.1f}).",
            ),
        )
    ]
