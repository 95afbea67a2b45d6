"""A soak: many runs under one shared limit, over three agents of which two are killed on the way.

`python -m tests.worker.soak [RUNS]` prints a table; a small share of it is among the tests.
"""

import os
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from jober.embedded import RedisServer
from jober.ids import manual_run_id
from jober.store import keys
from jober.store.runs import ManualRun
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker.agents import agent_of

LIMIT = 3
JOBS = ("soak-a", "soak-b", "soak-c")
BATCH = 200
# The slots are looked at so often while it goes on.
LOOK_S = 0.02


def work(path: str) -> None:
    """What the runs do: say that they begin, work a little, say that they end."""
    from jober import current_run

    _note(path, "+", current_run().id)
    time.sleep(0.001)
    _note(path, "-", current_run().id)


def _note(path: str, what: str, run: str) -> None:
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(log, f"{what} {run}\n".encode())
    os.close(log)


@dataclass(frozen=True, kw_only=True)
class Soaked:
    """What came of it, by what the runs wrote themselves: how many ended and were cut off with
    their agents, before or after they began, how many ran `twice`, and `most_at_once`.
    `most_used` is the most slots that were seen in use; `left` is what is still held when all is
    over, by key."""

    runs: int
    ended: int
    cut_off: int
    twice: int
    most_used: int
    most_at_once: int
    left: dict[str, int]
    took_s: float


def soak(fleet: Fleet, runs: int, patience_s: float) -> Soaked:
    """Run them all, kill two agents on the way, and look at what is left."""
    log = fleet.folder / "work.log"
    log.touch()
    fleet.scheduler()
    guardians = [fleet.agent(f"host{n}", "soak", slots=8) for n in range(3)]
    jober = fleet.jober
    jober.set_limit("soak", LIMIT)
    for name in JOBS:
        jober.add_job(
            name,
            call="tests.worker.soak:work",
            args=[str(log)],
            roles=["soak"],
            limits=["soak"],
            overlap="allow",
        )
    started = time.monotonic()
    _enqueue(fleet, runs)
    most_used, kills = 0, [2 * runs // 3, runs // 3]
    deadline = time.monotonic() + patience_s
    while going := _going(fleet):
        assert time.monotonic() < deadline, f"{going} of {runs} have not ended"
        (limit,) = jober.limits()
        most_used = max(most_used, limit.used)
        if kills and going <= kills[0]:
            kills.pop(0)
            os.kill(agent_of(guardians[len(kills)]), signal.SIGKILL)
        time.sleep(LOOK_S)
    took_s = time.monotonic() - started
    wait_until(lambda: not _left(fleet), told="nothing is held any more")
    begun, ended, most_at_once = read_log(log.read_text().splitlines())
    return Soaked(
        runs=runs,
        ended=len(ended),
        cut_off=runs - len(ended),
        twice=sum(times > 1 for times in begun.values()),
        most_used=most_used,
        most_at_once=most_at_once,
        left=_left(fleet),
        took_s=took_s,
    )


def _enqueue(fleet: Fleet, runs: int) -> None:
    store = fleet.jober.store
    for first in range(0, runs, BATCH):
        now_ms = store.clock.now_ms()
        name = JOBS[first // BATCH % len(JOBS)]
        many = range(min(BATCH, runs - first))
        store.runs.enqueue(name, [ManualRun(id=manual_run_id(name, now_ms)) for _ in many])


def _going(fleet: Fleet) -> int:
    """How many runs are not over."""
    redis = fleet.jober.store.connection
    return sum(int(redis.command("SCARD", keys.active(name))) for name in JOBS)


def _left(fleet: Fleet) -> dict[str, int]:
    """What runs hold, or wait in, as long as they go on."""
    redis = fleet.jober.store.connection
    names = [keys.LEASES, keys.limit("soak"), keys.limit_parked("soak"), "rq:wip:soak"]
    names += [f"jober:agent:{agent.id}:runs" for agent in fleet.jober.agents()]
    counts = {name: int(redis.command("ZCARD", name)) for name in names}
    counts |= {name: int(redis.command("SCARD", keys.active(name))) for name in JOBS}
    counts[keys.PARKED] = int(redis.command("HLEN", keys.PARKED))
    return {name: count for name, count in counts.items() if count}


def read_log(lines: list[str]) -> tuple[Counter[str], set[str], int]:
    """How often each run began, which ended, and how many ran at once at the most. Those whose
    agent was killed have not said when they ended, and do not count among the last."""
    begun = Counter(line[2:] for line in lines if line[0] == "+")
    ended = {line[2:] for line in lines if line[0] == "-"}
    running, most = 0, 0
    for line in lines:
        if line[2:] in ended:
            running += 1 if line[0] == "+" else -1
            most = max(most, running)
    return begun, ended, most


def main(runs: int) -> int:
    with tempfile.TemporaryDirectory() as folder, RedisServer() as server:
        fleet = Fleet(server.url, Path(folder))
        try:
            done = soak(fleet, runs, patience_s=60 + runs / 20)
        finally:
            fleet.stop()
    rows = {
        "runs": done.runs,
        "ended": done.ended,
        "cut off with their agents": done.cut_off,
        "ran twice": done.twice,
        f"most slots in use (limit {LIMIT})": done.most_used,
        "most at once, as they say themselves": done.most_at_once,
        "held when all is over": done.left or "nothing",
        "runs a second": f"{done.runs / done.took_s:.0f}",
    }
    for what, figure in rows.items():
        sys.stdout.write(f"{what:<40} {figure:>10}\n")
    whole = done.cut_off <= 2 * LIMIT and not done.twice
    return 0 if whole and not done.left and done.most_at_once <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
