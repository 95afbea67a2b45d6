"""How long from a `date` being due to the first frame of its output at a subscriber.

A private Redis, one scheduler and one agent as processes; on an idle machine, and while half of
the agent's slots are kept busy. The moments: due (as defined), enqueued and claimed (as Redis
recorded them, in whole milliseconds), first frame (when the subscriber has it).
`python -m benchmarks latency`.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from statistics import quantiles

import msgpack

from benchmarks.fleet import agent, private, scheduler
from benchmarks.section import Section
from jober import Jober
from jober.clock import from_ms
from jober.ids import manual_run_id
from jober.store.runs import ManualRun

RUNS = 200
APART_MS = 150
AHEAD_MS = 1_500
SLOTS = 10
# Half of the slots: so many runs of so long, each time that these are over.
LOAD_RUNS = SLOTS // 2
LOAD_S = 0.05


def measure(rounds: int, part: float) -> list[Section]:
    runs = max(10, round(RUNS * part))
    rows = []
    for name, loaded in (("idle", False), ("half of the slots busy", True)):
        stages: dict[str, list[float]] = {}
        for _ in range(max(1, rounds - 1)):
            for stage, found in lateness(runs, loaded).items():
                stages.setdefault(stage, []).extend(found)
        for stage, found in stages.items():
            cuts = quantiles(found, n=100)
            figures = (cuts[49], cuts[89], cuts[98], max(found))
            rows.append((f"{name}: {stage}", *(f"{figure:.1f}" for figure in figures)))
    return [
        Section(
            title="From due to the first frame",
            how=f"{runs} commands that print a word, one each {APART_MS} ms; ms after due. Busy is "
            f"{LOAD_RUNS / LOAD_S:.0f} runs of {1000 * LOAD_S:.0f} ms a second beside them.",
            columns=("stage", "p50", "p90", "p99", "max"),
            rows=tuple(rows),
        )
    ]


def lateness(runs: int, loaded: bool) -> dict[str, list[float]]:
    """How long after due each stage was reached, in ms."""
    with private() as jober, scheduler(jober), agent(jober, "--slots", str(SLOTS)):
        with busy(jober) if loaded else nullcontext():
            return _measured(jober, runs)


@contextmanager
def busy(jober: Jober) -> Iterator[None]:
    """Half of the slots are busy, until the end of the block."""
    over = threading.Event()
    jober.add_job("load", call="time:sleep", args=[LOAD_S], overlap="allow")

    def load() -> None:
        while not over.wait(LOAD_S):
            now_ms = jober.store.clock.now_ms()
            ids = [manual_run_id("load", now_ms) for _ in range(LOAD_RUNS)]
            jober.store.runs.enqueue("load", [ManualRun(id=id) for id in ids])

    loading = threading.Thread(target=load)
    loading.start()
    try:
        yield
    finally:
        over.set()
        loading.join()


def _measured(jober: Jober, runs: int) -> dict[str, list[float]]:
    clock = jober.store.clock
    first_frame: dict[str, float] = {}
    channel = jober.store.connection.client.pubsub(ignore_subscribe_messages=True)
    channel.psubscribe("jober:out:bench-*")
    done = threading.Event()

    def listen() -> None:
        while not done.is_set():
            message = channel.get_message(timeout=0.5)
            if message and message["type"] == "pmessage":
                arrived = clock.now_ms_exact()
                kind, *_ = msgpack.unpackb(message["data"], raw=True)
                if kind == b"frame":
                    run = message["channel"].decode().removeprefix("jober:out:")
                    first_frame.setdefault(run, arrived)

    listener = threading.Thread(target=listen)
    listener.start()
    due: dict[str, int] = {}
    start = clock.now_ms() + AHEAD_MS
    for n in range(runs):
        name = f"bench-{n}"
        due[name] = start + n * APART_MS
        # Definitions come in while others fire, as in life, but well before they are due.
        while clock.now_ms() < due[name] - AHEAD_MS:
            time.sleep(0.005)
        jober.add_job(name, command=["echo", "hello"], date=from_ms(due[name]).isoformat())
    deadline = time.monotonic() + 30
    while len(first_frame) < runs and time.monotonic() < deadline:
        time.sleep(0.05)
    done.set()
    listener.join()
    channel.close()
    stages: dict[str, list[float]] = {"enqueued": [], "claimed": [], "first frame": []}
    for name, due_ms in due.items():
        [run] = jober.runs(name, limit=1)
        assert run.enqueued_at_ms and run.started_at_ms
        stages["enqueued"].append(run.enqueued_at_ms - due_ms)
        stages["claimed"].append(run.started_at_ms - due_ms)
        stages["first frame"].append(first_frame[run.id] - due_ms)
    return stages
