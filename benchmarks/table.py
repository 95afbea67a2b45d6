"""A large table of jobs: how soon a leader fires, what it costs, and how late it is.

N jobs with cron schedules in mixed zones (most are due once a year; 100 are due each second), a
private Redis, one scheduler as a process, which is then restarted. An agent is registered that
claims nothing. `python -m benchmarks table`.
"""

import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.firing import keep_agent
from benchmarks.section import Section
from jober.embedded import RedisServer
from jober.job import Job
from jober.store import Store
from jober.store.changes import job_fields
from jober.store.fields import packed
from jober.store.jobs import APPLY_KEYS

BIN = Path(sys.executable).parent
ZONES = ("UTC", "Europe/Warsaw", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
JOBS = 100_000
EACH_SECOND = 100
SECONDS = 20


def measure(_: int, part: float) -> list[Section]:
    jobs = max(1_000, round(JOBS * part))
    with RedisServer() as server:
        store = Store(server.url)
        store.observe_time()
        started = time.monotonic()
        define(store, jobs)
        defined = time.monotonic() - started
        scheduler = start(server.url)
        try:
            while store.jobs.due(0, 1)[1]:
                time.sleep(0.1)
            planned = time.monotonic() - started - defined
            stop(scheduler)
            tick(store)
            started = time.monotonic()
            scheduler = start(server.url)
            while not store.connection.command("ZCARD", "jober:runs"):
                time.sleep(0.002)
            first = time.monotonic() - started
            late = lateness(store)
            memory = psutil.Process(scheduler.pid).memory_info().rss / 2**20
            redis_memory = store.connection.client.info("memory")["used_memory"] / 2**20
            cpu = sum(psutil.Process(scheduler.pid).cpu_times()[:2])
            alive = time.monotonic() - started
        finally:
            stop(scheduler)
            store.close()
    cuts = statistics.quantiles(late, n=100)
    rows = (
        ("definitions written, s", f"{defined:.1f}"),
        ("all planned by a first leader, s", f"{planned:.1f}"),
        ("a new leader's start to its first fire, s", f"{first:.2f}"),
        ("lateness p50, ms", f"{cuts[49]:.1f}"),
        ("lateness p99, ms", f"{cuts[98]:.1f}"),
        ("memory of the leader, MiB", f"{memory:.0f}"),
        ("processor time of the leader, % of one core", f"{100 * cpu / alive:.1f}"),
        ("memory of Redis, MiB", f"{redis_memory:.0f}"),
    )
    return [
        Section(
            title="A large table of jobs",
            how=f"{jobs:,} jobs, {EACH_SECOND} of them due each second; a leader that plans all, "
            "and another that takes over.",
            columns=("what", "figure"),
            rows=rows,
        )
    ]


def start(url: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [str(BIN / "jober-scheduler"), "--log-level", "warning"],
        env={**os.environ, "JOBER_REDIS_URL": url},
    )


def stop(scheduler: "subprocess.Popen[bytes]") -> None:
    if scheduler.poll() is None:
        scheduler.send_signal(signal.SIGTERM)
        scheduler.wait(60)


def define(store: Store, jobs: int) -> None:
    """Write N jobs of a thousand different schedules, in the way that an apply does."""
    kinds = [
        job_fields(
            Job.from_spec(
                "x",
                {
                    "command": ["true"],
                    "cron": f"{n % 60} {n % 24} {n % 28 + 1} {n % 12 + 1} *",
                    "timezone": ZONES[n % len(ZONES)],
                    "roles": ["bench"],
                },
            )
        )
        for n in range(1000)
    ]
    batch = [
        {"op": "put", "name": f"job-{n}", "fields": kinds[n % len(kinds)]} for n in range(jobs)
    ]
    for first in range(0, jobs, 500):
        write(store, batch[first : first + 500])


def write(store: Store, batch: list[dict[str, Any]]) -> None:
    """Run APPLY with fields that are made once: a million definitions need not be checked."""
    store.connection.run("apply", APPLY_KEYS, [packed(batch), 1000, 1000, ""])


def tick(store: Store) -> None:
    """Add those that are due each second."""
    keep_agent(store)
    fields = job_fields(
        Job.from_spec(
            "x",
            {
                "command": ["true"],
                "cron": "* * * * * *",
                "roles": ["bench"],
                "overlap": "allow",
                "timezone": "Europe/Warsaw",
            },
        )
    )
    batch = [{"op": "put", "name": f"tick-{n}", "fields": fields} for n in range(EACH_SECOND)]
    write(store, batch)


def lateness(store: Store) -> list[float]:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        store.agents.renew("bench-aaaaaa", [], running=0, load=0, state="up")
        time.sleep(1)
    late = []
    for n in range(EACH_SECOND):
        # The first seconds belong to the start.
        for run in store.runs.page(f"tick-{n}", limit=SECONDS)[: SECONDS - 4]:
            assert run.enqueued_at_ms and run.fire_at_ms
            late.append(float(run.enqueued_at_ms - run.fire_at_ms))
    return late
