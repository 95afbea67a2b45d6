"""How late runs start where many are due at once: 1,000 functions each second for a minute, and 300
commands at one moment. `python -m benchmarks bursts`.
"""

import time
from statistics import quantiles

from benchmarks.fleet import agent, private, scheduler
from benchmarks.section import Section
from jober import Jober
from jober.clock import from_ms
from jober.job import Job
from jober.store.changes import Change

JOBS = 1_000
SECONDS = 60
# The first seconds are those of the plan of a table that is new.
SETTLE = 3
COMMANDS = 300
AHEAD_MS = 4_000
GIVE_UP_S = 60.0


def measure(rounds: int, part: float) -> list[Section]:
    jobs, commands = max(20, round(JOBS * part)), max(20, round(COMMANDS * part))
    seconds = max(2, round(SECONDS * min(1.0, part * 2)))
    late = _cuts(each_second(jobs, seconds))
    ended = [at_once(commands) for _ in range(max(1, rounds))]
    rows = [(f"{jobs:,} functions each second, for {seconds} s: due to started", *late)]
    for stage in ("started", "ended"):
        rows.append(
            (
                f"{commands} commands at one moment: due to {stage}",
                *_cuts([value for one in ended for value in one[stage]]),
            )
        )
    return [
        Section(
            title="Bursts",
            how="One agent with 10 slots; ms after due, as Redis recorded them.",
            columns=("what", "p50", "p90", "p99", "max"),
            rows=tuple(rows),
        )
    ]


def each_second(jobs: int, seconds: int) -> list[float]:
    """How late the runs of so many jobs, due each second, were started, in ms."""
    with private() as jober, scheduler(jober), agent(jober):
        _define(
            jober,
            {
                f"tick-{n}": {
                    "call": "benchmarks.peers.tasks:nothing",
                    "cron": "* * * * * *",
                    "overlap": "allow",
                }
                for n in range(jobs)
            },
        )
        time.sleep(SETTLE + seconds + 1)
        late = []
        for n in range(jobs):
            for run in jober.runs(f"tick-{n}", limit=seconds):
                if run.started_at_ms and run.fire_at_ms:
                    late.append(float(run.started_at_ms - run.fire_at_ms))
        if len(late) < jobs * (seconds - 1):
            raise RuntimeError(f"only {len(late)} of {jobs * seconds} runs were started")
        return late


def at_once(commands: int) -> dict[str, list[float]]:
    """How long after due each of so many commands was started, and had ended, in ms."""
    with private() as jober, scheduler(jober), agent(jober):
        due_ms = (jober.store.clock.now_ms() + AHEAD_MS) // 1000 * 1000
        date = from_ms(due_ms).isoformat()
        _define(jober, {f"at-{n}": {"command": ["true"], "date": date} for n in range(commands)})
        deadline = time.monotonic() + GIVE_UP_S
        while jober.store.connection.command("ZCARD", "rq:finished:default") < commands:
            if time.monotonic() > deadline:
                raise RuntimeError("the commands do not end")
            time.sleep(0.05)
        runs = [jober.runs(f"at-{n}", limit=1)[0] for n in range(commands)]
    return {
        "started": [float((run.started_at_ms or 0) - due_ms) for run in runs],
        "ended": [float((run.ended_at_ms or 0) - due_ms) for run in runs],
    }


def _define(jober: Jober, specs: dict[str, dict[str, object]]) -> None:
    changes = [
        Change(op="put", name=name, job=Job.from_spec(name, spec)) for name, spec in specs.items()
    ]
    for first in range(0, len(changes), 500):
        jober.store.jobs.apply(changes[first : first + 500])


def _cuts(found: list[float]) -> tuple[str, ...]:
    cuts = quantiles(found, n=100)
    return tuple(f"{value:.0f}" for value in (cuts[49], cuts[89], cuts[98], max(found)))
