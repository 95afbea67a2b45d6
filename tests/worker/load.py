"""A load: runs come at a steady rate for a while, over two agents, with followers of one long run.

`python -m tests.worker.load [SECONDS [RUNS_A_SECOND]]` prints a table and ends with 1 where
something was lost, doubled or left, or memory grew; a small share of it is among the tests.
"""

import os
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from jober.embedded import RedisServer
from jober.ids import manual_run_id
from jober.output import Frame
from jober.store import Store, keys
from jober.store.fields import moment_ms
from jober.store.runs import ManualRun
from tests.fleet import Fleet
from tests.waiting import wait_until

JOBS = tuple(f"load-{n}" for n in range(10))
CHATTY = "chatty"
TICK_S = 0.05
# One run in so many is looked at, once it has had this long to end.
SAMPLE, SAMPLE_AFTER_S = 20, 2.0
LINE_S = 0.05
# Memory is compared from so far into the load on.
WARM = 0.5
GROWTH_AT_MOST = 0.05


def work(path: str) -> None:
    """What the runs do: say that they were here."""
    from jober import current_run

    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(log, f"{current_run().id}\n".encode())
    os.close(log)


@dataclass(kw_only=True)
class Loaded:
    """What came of it: how many runs were made, ended well, and ran twice or not at all, by what
    they wrote themselves; ms from enqueued to started, and to ended, of a sample; bytes of
    memory over time by process; frames that followers saw, and those that they missed."""

    runs: int = 0
    ended: int = 0
    twice: int = 0
    never: int = 0
    started_ms: list[int] = field(default_factory=list)
    ended_ms: list[int] = field(default_factory=list)
    memory: dict[str, list[int]] = field(default_factory=dict)
    frames: int = 0
    gaps: int = 0
    left: dict[str, int] = field(default_factory=dict)
    behind_s: float = 0.0

    def growth(self, process: str) -> float:
        """By which share its memory grew in the second half of the load."""
        samples = self.memory[process][int(len(self.memory[process]) * WARM) :]
        third = max(1, len(samples) // 3)
        first, last = sum(samples[:third]), sum(samples[-third:])
        return last / first - 1


def load(fleet: Fleet, seconds: float, rate: int, followers: int, patience_s: float) -> Loaded:
    """Make `rate` runs a second for so long, and wait until all have ended."""
    log = fleet.folder / "load.log"
    log.touch()
    fleet.scheduler()
    guardians = [fleet.agent(f"host{n}", "load", slots=10) for n in range(2)]
    jober = fleet.jober
    for name in JOBS:
        jober.add_job(
            name,
            call="tests.worker.load:work",
            args=[str(log)],
            roles=["load"],
            overlap="allow",
            retries=3,
            retry_on=["lost"],
        )
    jober.add_job(
        CHATTY,
        command=[sys.executable, "-uc", f"import time\nwhile 1: print('x'); time.sleep({LINE_S})"],
        roles=["load"],
    )
    chatty = jober.run(CHATTY)
    done = Loaded()
    looked_at = {"redis": int(jober.store.connection.client.info("server")["process_id"])}
    for number, guardian in enumerate(guardians):
        looked_at[f"agent {number}"] = psutil.Process(guardian.pid).children()[0].pid
    looked_at["scheduler"] = fleet.leading().pid
    with _following(fleet, chatty.id, followers, done):
        _make(fleet, seconds, rate, done, looked_at)
        wait_until(lambda: not _going(fleet), within=patience_s, told="all have ended")
        chatty.cancel()
        chatty.wait(30)
    wait_until(lambda: not _left(fleet), within=30, told="nothing is held any more")
    done.left = _left(fleet)
    begun = Counter(log.read_text().split())
    done.ended = len(begun)
    done.never = done.runs - len(begun)
    done.twice = sum(times > 1 for times in begun.values())
    return done


def _make(fleet: Fleet, seconds: float, rate: int, done: Loaded, looked_at: dict[str, int]) -> None:
    """Make the runs, in time, and look at a share of them and at the memory meanwhile."""
    store = fleet.jober.store
    processes = {name: psutil.Process(pid) for name, pid in looked_at.items()}
    sampled: deque[tuple[float, str]] = deque()
    began = time.monotonic()
    ticks = int(seconds / TICK_S)
    for tick in range(ticks):
        now_ms = store.clock.now_ms()
        many = range(int((tick + 1) * TICK_S * rate) - done.runs)
        runs = [ManualRun(id=manual_run_id(JOBS[tick % len(JOBS)], now_ms)) for _ in many]
        store.runs.enqueue(JOBS[tick % len(JOBS)], runs)
        done.runs += len(runs)
        sampled.extend((time.monotonic(), run.id) for run in runs[::SAMPLE])
        _look_at(store, sampled, done, time.monotonic() - SAMPLE_AFTER_S)
        if tick % round(0.5 / TICK_S) == 0:
            for name, process in processes.items():
                done.memory.setdefault(name, []).append(process.memory_info().rss)
        ahead_s = began + (tick + 1) * TICK_S - time.monotonic()
        done.behind_s = max(done.behind_s, -ahead_s)
        time.sleep(max(0.0, ahead_s))
    time.sleep(SAMPLE_AFTER_S)
    _look_at(store, sampled, done, time.monotonic())


def _look_at(
    store: Store, sampled: "deque[tuple[float, str]]", done: Loaded, before: float
) -> None:
    due: list[str] = []
    while sampled and sampled[0][0] <= before:
        due.append(sampled.popleft()[1])
    pipeline = store.connection.client.pipeline(transaction=False)
    for run in due:
        pipeline.hmget(keys.rq_job(run), "enqueued_at", "started_at", "ended_at")
    for told in pipeline.execute():
        enqueued, started, ended = (moment_ms(value) for value in told)
        if enqueued is not None and started is not None and ended is not None:
            done.started_ms.append(started - enqueued)
            done.ended_ms.append(ended - enqueued)


@contextmanager
def _following(fleet: Fleet, run: str, followers: int, done: Loaded) -> Iterator[None]:
    lock = threading.Lock()

    def follow() -> None:
        store = Store(fleet.url)
        seen, last = 0, 0
        gaps = 0
        for told in store.outputs.follow(run):
            if isinstance(told, Frame):
                seen += 1
                gaps += told.seq != last + 1
                last = told.seq
        with lock:
            done.frames += seen
            done.gaps += gaps
        store.close()

    threads = [threading.Thread(target=follow, daemon=True) for _ in range(followers)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join(30)


def _going(fleet: Fleet) -> int:
    """How many runs are not over."""
    redis = fleet.jober.store.connection
    return sum(int(redis.command("SCARD", keys.active(name))) for name in JOBS)


def _left(fleet: Fleet) -> dict[str, int]:
    """What is held when all is over."""
    redis = fleet.jober.store.connection
    names = [keys.LEASES, "rq:wip:load", "rq:queue:load"]
    names += [keys.agent_runs(agent.id) for agent in fleet.jober.agents()]
    kinds = {"list": "LLEN", "zset": "ZCARD"}
    found = {name: redis.command("TYPE", name).decode() for name in names}
    return {
        name: int(redis.command(kinds[kind], name))
        for name, kind in found.items()
        if kind != "none"
    }


def main(seconds: float, rate: int) -> int:
    followers = 50
    with tempfile.TemporaryDirectory() as folder, RedisServer() as server:
        fleet = Fleet(server.url, Path(folder))
        try:
            done = load(fleet, seconds, rate, followers, patience_s=60 + seconds)
        finally:
            fleet.stop()
    rows: dict[str, object] = {
        f"runs, in {seconds:g} s": done.runs,
        "ended": done.ended,
        "never, twice": f"{done.never}, {done.twice}",
        "held when all is over": done.left or "nothing",
        "the maker of runs was behind by": f"{done.behind_s * 1000:.0f} ms",
        f"frames that {followers} followers saw": done.frames,
        "of which not the next": done.gaps,
    }
    for what, sample in (("started", done.started_ms), ("ended", done.ended_ms)):
        rows[f"enqueued to {what}, p50 p90 p99 max"] = " ".join(
            f"{_percentile(sample, share)}" for share in (0.5, 0.9, 0.99, 1.0)
        )
    for process, samples in done.memory.items():
        rows[f"memory of {process}"] = (
            f"{samples[-1] / 1024**2:.0f} MiB, {done.growth(process):+.1%} in the second half"
        )
    for name, figure in rows.items():
        sys.stdout.write(f"{name:<45} {figure!s:>40}\n")
    grown = [name for name in done.memory if done.growth(name) > GROWTH_AT_MOST]
    return 1 if done.never or done.twice or done.gaps or done.left or grown else 0


def _percentile(sample: list[int], share: float) -> int:
    return sorted(sample)[min(len(sample) - 1, int(len(sample) * share))] if sample else -1


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(float(given[0]) if given else 60, int(given[1]) if given[1:] else 2000))
