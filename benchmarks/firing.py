"""How late a burst is enqueued: many jobs due at the same moment, into full RQ records.

A private Redis and one scheduler as processes. An agent is registered that claims nothing, so what
is measured is the leader: due moment to `enqueued_at`, as Redis recorded it. The peers (see
`firing_peers`) take their turns in between. `python -m benchmarks firing`.
"""

import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.firing_peers import PEERS, rate
from benchmarks.section import Bar, Section
from jober.agent_info import AgentInfo
from jober.clock import from_ms
from jober.embedded import RedisServer
from jober.job import Job
from jober.store import Store
from jober.store.changes import Change

BIN = Path(sys.executable).parent


JOBS = 10_000
PEER_JOBS = 2_000


def measure(rounds: int, part: float) -> list[Section]:
    jobs, peer_jobs = max(200, round(JOBS * part)), max(100, round(PEER_JOBS * part))
    bursts: list[list[int]] = []
    rates: dict[str, list[float]] = {name: [] for name in PEERS}
    for _ in range(rounds):
        bursts.append(one_burst(jobs))
        for name, peer in PEERS.items():
            rates[name].append(rate(peer, peer_jobs))
    return [_lateness(jobs, bursts), _rates(jobs, peer_jobs, bursts, rates)]


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


def _lateness(jobs: int, bursts: list[list[int]]) -> Section:
    rows = []
    for number, late in enumerate(bursts, 1):
        cuts = statistics.quantiles(late, n=100)
        figures = (cuts[49], cuts[89], cuts[98], max(late), _rate(late))
        rows.append((str(number), *(f"{value:,.0f}" for value in figures)))
    return Section(
        title="A burst of fires",
        how=f"{jobs:,} jobs due at one moment, enqueued as full RQ records; ms after due.",
        columns=("round", "p50", "p90", "p99", "last", "runs a second"),
        rows=tuple(rows),
    )


def _rates(
    jobs: int, peer_jobs: int, bursts: list[list[int]], rates: dict[str, list[float]]
) -> Section:
    ours = statistics.median(map(_rate, bursts))
    rows = [("jober, the leader's FIRE", f"{jobs:,}", f"{ours:,.0f}", "")]
    bars = [Bar(label="jober", value=ours, ours=True)]
    for name, found in rates.items():
        theirs = statistics.median(found)
        rows.append((name, f"{peer_jobs:,}", f"{theirs:,.0f}", f"{ours / theirs:.1f}×"))
        bars.append(Bar(label=name, value=theirs))
    return Section(
        title="Fires a second",
        how="Jobs that are due at one moment, until all are in their queue.",
        columns=("what fires", "at once", "a second", "jober is"),
        rows=tuple(rows),
        bars=tuple(bars),
        unit="fires a second",
    )
