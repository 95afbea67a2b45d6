"""How long from a `date` being due to the first frame of its output at a subscriber.

A private Redis, one scheduler and one agent as processes, an idle machine. The moments:
due (as defined), enqueued and started (as Redis recorded them, in whole milliseconds), first frame
(when the subscriber has it). `python benchmarks/latency.py [RUNS]`.
"""

import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgpack
from rich.console import Console
from rich.table import Table

from jober import Jober
from jober.clock import from_ms
from jober.embedded import RedisServer

BIN = Path(sys.executable).parent
APART_MS = 150
AHEAD_MS = 1_500


def main(runs: int) -> None:
    with RedisServer() as server:
        environment = {**os.environ, "JOBER_REDIS_URL": server.url}
        fleet = [
            subprocess.Popen(
                [str(BIN / program), *arguments, "--log-level", "warning"], env=environment
            )
            for program, *arguments in (
                ("jober-scheduler",),
                ("jober-worker", "--host", "bench", "--roles", "bench"),
            )
        ]
        jober = Jober(server.url)
        try:
            while not (jober.agents() and jober.leader()):
                time.sleep(0.01)
            measure(jober, runs)
        finally:
            for process in fleet:
                process.send_signal(signal.SIGTERM)
            for process in fleet:
                process.wait(30)
            jober.close()


def measure(jober: Jober, runs: int) -> None:
    clock = jober.store.clock
    jober.store.observe_time()
    first_frame: dict[str, float] = {}
    channel = jober.store.connection.client.pubsub(ignore_subscribe_messages=True)
    channel.psubscribe("jober:out:*")
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
        jober.add_job(
            name, command=["echo", "hello"], date=from_ms(due[name]).isoformat(), roles=["bench"]
        )
    deadline = time.monotonic() + 30
    while len(first_frame) < runs and time.monotonic() < deadline:
        time.sleep(0.05)
    done.set()
    listener.join()
    channel.close()

    stages: dict[str, list[float]] = {"enqueued": [], "started": [], "first frame": []}
    for run in jober.runs(limit=runs):
        assert run.job and run.enqueued_at_ms and run.started_at_ms
        stages["enqueued"].append(run.enqueued_at_ms - due[run.job])
        stages["started"].append(run.started_at_ms - due[run.job])
        stages["first frame"].append(first_frame[run.id] - due[run.job])
    table = Table(
        title=f"due to first frame, {runs} commands, one each {APART_MS} ms; ms after due"
    )
    for heading in ("stage", "p50", "p90", "p99", "max"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for stage, values in stages.items():
        cuts = statistics.quantiles(values, n=100)
        table.add_row(stage, *(f"{v:.2f}" for v in (cuts[49], cuts[89], cuts[98], max(values))))
    Console().print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
