"""What a run by hand takes, by stage: as a function in a thread, in a process, and as a command.

One after another on an idle agent, from the call of `run` to the return of `wait`.
`python -m benchmarks stages`.
"""

import time
from statistics import median
from typing import Any

from benchmarks.fleet import agent, private
from benchmarks.section import Section
from jober import Jober

RUNS = 100
KINDS: dict[str, dict[str, Any]] = {
    "a function in a thread": {"call": "benchmarks.peers.tasks:nothing"},
    "a function in a process": {"call": "benchmarks.peers.tasks:nothing", "process": True},
    "a command (true)": {"command": ["true"]},
}
STAGES = ("made", "claimed", "ended", "told", "all")


def measure(rounds: int, part: float) -> list[Section]:
    runs = max(5, round(RUNS * part))
    took: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    with private() as jober, agent(jober):
        for number, fields in enumerate(KINDS.values()):
            jober.add_job(f"kind{number}", **fields)
            jober.run(f"kind{number}").wait(30)
        for _ in range(rounds):
            for number, kind in enumerate(KINDS):
                took[kind] += [one(jober, f"kind{number}") for _ in range(runs)]
    return [
        Section(
            title="One run, by stage",
            how=f"{runs} runs by hand of each kind, one after another; medians, ms. Made: the call "
            "until it is in its queue; claimed: until an agent has it; ended: until it is over; "
            "told: until who waits for it knows; all: from the call to then.",
            columns=("kind", *STAGES),
            rows=tuple(
                (kind, *(f"{median(one[stage] for one in found):.1f}" for stage in STAGES))
                for kind, found in took.items()
            ),
        )
    ]


def one(jober: Jober, name: str) -> dict[str, float]:
    """What each stage of one run took, in ms."""
    clock = jober.store.clock
    began_ms, began = clock.now_ms_exact(), time.perf_counter()
    run = jober.run(name).wait(30)
    all_ms = (time.perf_counter() - began) * 1000
    assert run.enqueued_at_ms and run.started_at_ms and run.ended_at_ms
    return {
        # Redis tells whole milliseconds.
        "made": max(0.0, run.enqueued_at_ms - began_ms),
        "claimed": float(run.started_at_ms - run.enqueued_at_ms),
        "ended": float(run.ended_at_ms - run.started_at_ms),
        "told": max(0.0, began_ms + all_ms - run.ended_at_ms),
        "all": all_ms,
    }
