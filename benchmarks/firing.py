"""How late a burst is enqueued: many jobs due at the same moment, into full RQ records.

A private Redis and one scheduler as processes. An agent is registered that claims nothing, so what
is measured is the leader: due moment to `enqueued_at`, as Redis recorded it. The peers (see
`firing_peers`) take their turns in between. `python -m benchmarks.firing [JOBS]`.
"""

import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.firing_peers import PEERS, rate
from jober.agent_info import AgentInfo
from jober.clock import from_ms
from jober.embedded import RedisServer
from jober.job import Job
from jober.store import Store
from jober.store.jobs import Change

BIN = Path(sys.executable).parent


ROUNDS = 3
PEER_JOBS = 2_000


def main(jobs: int) -> None:
    bursts: list[list[int]] = []
    rates: dict[str, list[float]] = {name: [] for name in PEERS}
    for _ in range(ROUNDS):
        bursts.append(one_burst(jobs))
        for name, peer in PEERS.items():
            rates[name].append(rate(peer, PEER_JOBS))
    show_lateness(jobs, bursts)
    show_rates(jobs, statistics.median(map(_rate, bursts)), rates)


def one_burst(jobs: int) -> list[int]:
    with RedisServer() as server:
        environment = {**os.environ, "JOBER_REDIS_URL": server.url}
        scheduler = subprocess.Popen(
            [str(BIN / "jober-scheduler"), "--log-level", "warning"], env=environment
        )
        store = Store(server.url)
        try:
            while store.leader.current() is None:
                time.sleep(0.01)
            return burst(store, jobs)
        finally:
            scheduler.send_signal(signal.SIGTERM)
            scheduler.wait(30)
            store.close()


def keep_agent(store: Store) -> None:
    info = AgentInfo(
        id="bench-aaaaaa",
        host="bench",
        pid=1,
        roles=frozenset({"bench"}),
        slots=1,
        version="0",
    )
    store.agents.join(info, ["bench"])


def burst(store: Store, jobs: int) -> list[int]:
    """How late each of the jobs was enqueued, in ms."""
    store.observe_time()
    keep_agent(store)
    ahead_ms = 4_000 + jobs
    due = store.clock.now_ms() // 1000 * 1000 + ahead_ms // 1000 * 1000
    date = from_ms(due).isoformat()
    for start in range(0, jobs, 200):
        names = [f"burst-{n}" for n in range(start, min(start + 200, jobs))]
        store.jobs.apply(
            [
                Change(
                    op="put",
                    name=name,
                    job=Job.from_spec(
                        name, {"command": ["true"], "date": date, "roles": ["bench"]}
                    ),
                )
                for name in names
            ]
        )
    while store.clock.now_ms() < due - 1500:
        store.agents.renew("bench-aaaaaa", [], running=0, load=0, state="up")
        time.sleep(0.5)
    keep_agent(store)
    while store.connection.command("LLEN", "rq:queue:bench") < jobs:
        if store.clock.now_ms() > due + 30_000:
            print("only", store.connection.command("LLEN", "rq:queue:bench"), "were enqueued")
            break
        time.sleep(0.05)
    late = []
    for name in (f"burst-{n}" for n in range(jobs)):
        run = store.runs.page(name, limit=1)[0]
        assert run.enqueued_at_ms
        late.append(run.enqueued_at_ms - due)
    return late


def _rate(late: list[int]) -> float:
    return len(late) / max(0.001, (max(late) - min(late)) / 1000)


def show_lateness(jobs: int, bursts: list[list[int]]) -> None:
    table = Table(title=f"{jobs} jobs due at one moment; ms after due", min_width=60)
    for heading in ("p50", "p90", "p99", "last", "runs/s"):
        table.add_column(heading, justify="right")
    for late in bursts:
        cuts = statistics.quantiles(late, n=100)
        figures = (cuts[49], cuts[89], cuts[98], max(late), _rate(late))
        table.add_row(*(f"{value:.0f}" for value in figures))
    Console().print(table)


def show_rates(jobs: int, ours: float, rates: dict[str, list[float]]) -> None:
    table = Table(title=f"medians of {ROUNDS} rounds, in turn", min_width=60)
    table.add_column("what fires")
    for heading in ("at once", "a second", "jober is"):
        table.add_column(heading, justify="right")
    table.add_row("jober, the leader's FIRE", str(jobs), f"{ours:.0f}", "")
    for name, found in rates.items():
        theirs = statistics.median(found)
        ratio = f"{ours / theirs:.1f}x" if theirs else "-"
        table.add_row(name, str(PEER_JOBS), f"{theirs:.0f}", ratio)
    Console().print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
