"""How long commands of the command line take, and what daemons cost that have nothing to do.

Commands are started as an installed `jober` is, with compiled modules; the daemons are watched for
half a minute. `python -m benchmarks starts`.
"""

import compileall
import os
import subprocess
import time
from statistics import median

import psutil

from benchmarks.fleet import BIN, REPOSITORY, agent, private, scheduler
from benchmarks.section import Section
from jober import Jober

CALLS = (("--help",), ("jobs",), ("jobs", "--json"), ("runs",), ("agents",), ("show", "job-0"))
TIMES = 10
JOBS = 20
SETTLE_S = 5.0
WATCH_S = 30.0


def measure(rounds: int, part: float) -> list[Section]:
    with private() as jober:
        for n in range(JOBS):
            jober.add_job(f"job-{n}", command="true", cron=f"{n} 3 1 1 *", timezone="Europe/Warsaw")
        return [_calls(jober, rounds, part), _idle(jober, part)]


def _calls(jober: Jober, rounds: int, part: float) -> Section:
    for folder in ("common", "scheduler", "worker"):
        compileall.compile_dir(REPOSITORY / folder, quiet=2)
    took: dict[tuple[str, ...], list[float]] = {call: [] for call in CALLS}
    environment = {**os.environ, "JOBER_REDIS_URL": jober.store.url}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for _ in range(max(1, round(rounds * TIMES * part))):
        for call in CALLS:
            began = time.perf_counter()
            subprocess.run(
                [str(BIN / "jober"), *call], env=environment, capture_output=True, check=True
            )
            took[call].append((time.perf_counter() - began) * 1000)
    return Section(
        title="Commands of the command line",
        how=f"From the start of `jober` to its end, with {JOBS} jobs; in turn.",
        columns=("command", "median, ms", "least, ms"),
        rows=tuple(
            (f"jober {' '.join(call)}", f"{median(times):.0f}", f"{min(times):.0f}")
            for call, times in took.items()
        ),
    )


def _idle(jober: Jober, part: float) -> Section:
    with scheduler(jober) as leader, agent(jober) as worker:
        time.sleep(SETTLE_S * part)
        guardian = psutil.Process(worker.pid)
        [child] = guardian.children()
        daemons = {
            "agent": child,
            "its guardian": guardian,
            "scheduler, leading": psutil.Process(leader.pid),
        }
        before = {name: sum(one.cpu_times()[:2]) for name, one in daemons.items()}
        began = time.monotonic()
        time.sleep(max(1.0, WATCH_S * part))
        watched_s = time.monotonic() - began
        rows = []
        for name, one in daemons.items():
            memory = one.memory_full_info()
            cpu = (sum(one.cpu_times()[:2]) - before[name]) / watched_s
            rows.append(
                (
                    name,
                    f"{100 * cpu:.2f} %",
                    f"{memory.rss / 1e6:.0f} MB",
                    f"{memory.uss / 1e6:.0f} MB",
                )
            )
    return Section(
        title="Idle daemons",
        how=f"Nothing to do for {watched_s:.0f} s: no run, {JOBS} jobs that are not due.",
        columns=("daemon", "of one core", "memory (RSS)", "of its own (USS)"),
        rows=tuple(rows),
    )
