"""What it costs to begin a run: a function in a fresh process, in a warm one, and a program.

Each is the whole way of one call through the agent's own code, from the request to the outcome,
without Redis. `python -m benchmarks processes`.
"""

import statistics
import sys
import time
from collections.abc import Callable

from benchmarks.section import Section
from jober.run import Outcome, RunState
from jober_worker.call import Function, Options
from jober_worker.cgroups import Groups
from jober_worker.function_process import FunctionRun
from jober_worker.leftovers import mark
from jober_worker.process import ProgramRun
from jober_worker.warm import WarmPool

GROUPS = Groups(mark())
CALLS = 100


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


def measure(rounds: int, part: float) -> list[Section]:
    calls = max(10, round(CALLS * rounds * part))
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
    rows = []
    for what, took in measured.items():
        cuts = statistics.quantiles(took, n=10)
        rows.append((what, str(len(took)), f"{cuts[4]:.2f}", f"{cuts[8]:.2f}", f"{max(took):.2f}"))
    fresh, warm, *_ = (statistics.median(took) for took in measured.values())
    return [
        Section(
            title="To begin and end one call",
            how="Through the agent's own code, from the request to the outcome, without Redis; ms.",
            columns=("what", "calls", "p50", "p90", "max"),
            rows=tuple(rows),
            notes=(f"A warm process is {fresh / warm:.0f} times faster than a fresh one.",),
        )
    ]
