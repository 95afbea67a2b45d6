"""What it costs to begin a run: a function in a fresh process, in a warm one, and a program.

Each is the whole way of one call through the agent's own code, from the request to the outcome,
without Redis. `python -m benchmarks.processes [CALLS]`; it fails where warm is not 20 times faster.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from jober.run import Outcome, RunState
from jober_worker.call import Function, Options
from jober_worker.cgroups import Groups
from jober_worker.function_process import FunctionRun
from jober_worker.leftovers import mark
from jober_worker.process import ProgramRun
from jober_worker.warm import WarmPool

GROUPS = Groups(mark())
AT_LEAST = 20


def function(pool: WarmPool, runs: int) -> Outcome:
    return FunctionRun(
        "bench",
        Function(name="operator.add", args=(1, 2), kwargs={}),
        Options(process=True, max_runs_per_process=runs),
        {"JOBER_RUN_ID": "bench"},
        lambda *_: None,
        GROUPS,
        pool,
    ).run()


def program(options: Options) -> Outcome:
    return ProgramRun(
        "bench", ["true"], options, {"JOBER_RUN_ID": "bench"}, lambda *_: None, GROUPS
    ).run()


def timed(call: Callable[[], Outcome], calls: int) -> list[float]:
    took = []
    for _ in range(calls):
        began = time.perf_counter()
        outcome = call()
        took.append((time.perf_counter() - began) * 1000)
        assert outcome.state is RunState.SUCCESS, outcome
    return took


def main(calls: int) -> int:
    pool = WarmPool(GROUPS, 1)
    try:
        measured = {
            "a function in a fresh process": timed(lambda: function(pool, 1), max(5, calls // 10)),
            "a function in a warm process": timed(lambda: function(pool, sys.maxsize), calls),
            "a program (true)": timed(lambda: program(Options()), calls),
            "a program with limits": timed(lambda: program(Options(nice=1, cpu_time=60)), calls),
        }
    finally:
        pool.close()
    table = Table(title=f"one call, {os.cpu_count()} cores; ms")
    for heading in ("what", "calls", "p50", "p90", "max"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for what, took in measured.items():
        cuts = statistics.quantiles(took, n=10)
        table.add_row(what, str(len(took)), f"{cuts[4]:.2f}", f"{cuts[8]:.2f}", f"{max(took):.2f}")
    fresh, warm, *_ = (statistics.median(took) for took in measured.values())
    console = Console()
    console.print(table)
    console.print(f"fresh / warm: {fresh / warm:.0f} times (wanted: {AT_LEAST} at the least)")
    return 0 if fresh / warm >= AT_LEAST else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
