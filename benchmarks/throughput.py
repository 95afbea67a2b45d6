"""How many tasks that do nothing are executed a second, by one agent and by others' workers.

A queue is filled while no worker runs; then one starts, and it is looked how many tasks have ended
each few milliseconds: the rate is that from the first ones seen to the last. So the start of a
worker does not count, and all is measured in the same way. `python -m benchmarks throughput`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from redis import Redis

from benchmarks.fleet import BIN, REPOSITORY
from benchmarks.peers import COUNTED, RAN, bullmq
from benchmarks.section import Bar, Section
from jober import Jober
from jober.embedded import RedisServer
from jober.ids import manual_run_id
from jober.store.runs import ManualRun

GIVE_UP_S = 120.0
LOOK_S = 0.005
PEERS = REPOSITORY / ".venv" / "peers" / "bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """One system: so many `tasks` are put in by `fill`, and executed by `work`, a command;
    `ended(redis, tasks)` tells how many have."""

    name: str
    tasks: int
    fill: Callable[[RedisServer, int], None]
    work: tuple[str, ...]
    ended: Callable[["Redis", int], int]
    results: bool = True
    ours: bool = False
    environment: dict[str, str] = field(default_factory=dict)


def measure(rounds: int, part: float) -> list[Section]:
    runners = [runner for runner in RUNNERS if _is_there(runner)]
    rates: dict[str, list[float]] = {runner.name: [] for runner in runners}
    for _ in range(rounds):
        for runner in runners:
            rates[runner.name].append(rate(runner, max(4 * COUNTED, round(runner.tasks * part))))
    return [section(runners, {name: median(found) for name, found in rates.items()})]


def rate(runner: Runner, tasks: int) -> float:
    """Tasks a second, on a private Redis."""
    with RedisServer() as server, Redis(unix_socket_path=str(server.socket)) as redis:
        runner.fill(server, tasks)
        with _working(runner, server):
            began, seen = _first(runner, redis, tasks)
            deadline = began + GIVE_UP_S
            while (ended := runner.ended(redis, tasks)) < tasks:
                if time.perf_counter() > deadline:
                    raise RuntimeError(f"{runner.name}: {ended} of {tasks} have ended")
                time.sleep(LOOK_S)
            took_s = time.perf_counter() - began
        ran = int(redis.get(RAN) or 0)
        if ran < COUNTED:
            raise RuntimeError(f"{runner.name}: of the last {COUNTED} tasks, {ran} have run")
    return (tasks - seen) / took_s


def _first(runner: Runner, redis: "Redis", tasks: int) -> tuple[float, int]:
    """When the first were seen to have ended, and how many."""
    deadline = time.perf_counter() + GIVE_UP_S
    while not (seen := runner.ended(redis, tasks)):
        if time.perf_counter() > deadline:
            raise RuntimeError(f"{runner.name} does nothing")
        time.sleep(LOOK_S)
    return time.perf_counter(), seen


@contextmanager
def _working(runner: Runner, server: RedisServer) -> Iterator[None]:
    worker = subprocess.Popen(
        runner.work,
        env=_environment(runner, server),
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        # Some leave children of theirs behind.
        worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(10)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(worker.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        worker.wait()


def _environment(runner: Runner, server: RedisServer) -> dict[str, str]:
    return {
        **os.environ,
        "JOBER_REDIS_URL": server.url,
        "RQ_REDIS_URL": server.url,
        "BENCH_SOCKET": str(server.socket),
        "NODE_PATH": str(bullmq.FOLDER / "node_modules"),
        **runner.environment,
    }


def section(runners: list[Runner], rates: dict[str, float]) -> Section:
    ours = max(rates[runner.name] for runner in runners if runner.ours)
    return Section(
        title="Throughput",
        how="Tasks that do nothing, 10 at a time where not said otherwise, on a queue that is full "
        "when the worker starts; from the first end to the last. Slow peers get fewer tasks.",
        columns=("what executes", "tasks", "results", "a second", "jober is"),
        rows=tuple(
            (
                runner.name,
                f"{runner.tasks:,}",
                "kept" if runner.results else "none",
                f"{rates[runner.name]:,.0f}",
                "" if runner.ours else f"{ours / rates[runner.name]:,.1f}×",
            )
            for runner in runners
        ),
        bars=tuple(
            Bar(label=runner.name, value=rates[runner.name], ours=runner.ours) for runner in runners
        ),
        unit="tasks a second",
    )


def _is_there(runner: Runner) -> bool:
    if runner.work[0] == "node":
        return bullmq.is_there()
    return os.path.exists(runner.work[0])


# How the queues are filled


def _jober_fill(server: RedisServer, tasks: int) -> None:
    with Jober(server.url) as jober:
        jober.store.observe_time()
        for name in ("nothing", "counted"):
            # All at once as far as the job is concerned: the slots of the agent are the limit. At
            # least once, as with those peers that keep what their workers had when they died.
            jober.add_job(
                name,
                call=f"benchmarks.peers.tasks:{name}",
                overlap="allow",
                retries=3,
                retry_on=["lost"],
            )
        for name, count in (("nothing", tasks - COUNTED), ("counted", COUNTED)):
            for first in range(0, count, 200):
                ids = [
                    manual_run_id(name, jober.store.clock.now_ms())
                    for _ in range(min(200, count - first))
                ]
                jober.store.runs.enqueue(name, [ManualRun(id=id) for id in ids])


def _by(module: str, python: str = sys.executable) -> Callable[[RedisServer, int], None]:
    def fill(server: RedisServer, tasks: int) -> None:
        subprocess.run(
            [python, "-m", f"benchmarks.peers.{module}", str(tasks)],
            env={**os.environ, "BENCH_SOCKET": str(server.socket)},
            cwd=REPOSITORY,
            check=True,
        )

    return fill


def _node_fill(server: RedisServer, tasks: int) -> None:
    environment = {
        **os.environ,
        "BENCH_SOCKET": str(server.socket),
        "NODE_PATH": str(bullmq.FOLDER / "node_modules"),
    }
    subprocess.run(
        ["node", str(bullmq.PROGRAM), "fill", str(tasks)],
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )


# How many have ended, by what each leaves in Redis


def _finished(redis: "Redis", _: int) -> int:
    return int(redis.zcard("rq:finished:default"))


def _keys(begin: str) -> Callable[["Redis", int], int]:
    """Where each result is a key: a count of all, and of those that begin so once it may be it."""

    def ended(redis: "Redis", tasks: int) -> int:
        found = int(redis.dbsize())
        if found < tasks:
            return max(0, found - _OTHERS)
        return sum(1 for _ in redis.scan_iter(f"{begin}*", 10_000))

    return ended


# Keys that a peer has beside its results, at the most.
_OTHERS = 25


def _huey_results(redis: "Redis", _: int) -> int:
    return int(redis.hlen("huey.results.bench"))


def _huey_taken(redis: "Redis", tasks: int) -> int:
    """Without results nothing tells of an end: those that it has taken, and the counted at last."""
    left = int(redis.llen("huey.redis.bench"))
    return tasks if not left and int(redis.get(RAN) or 0) >= COUNTED else tasks - max(1, left)


def _saq_ended(redis: "Redis", tasks: int) -> int:
    return tasks - int(redis.zcard("saq:bench:incomplete"))


def _bull_completed(redis: "Redis", _: int) -> int:
    return int(redis.zcard("bull:bench:completed"))


def _program(name: str) -> str:
    return str(BIN / name)


_CELERY = ("-A", "benchmarks.peers.celery_app", "worker", "--loglevel", "ERROR")
_QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")

RUNNERS = (
    Runner(
        name="jober, runs of jobs",
        tasks=20_000,
        fill=_jober_fill,
        work=(_program("jober-worker"), "--slots", "10", "--log-level", "warning"),
        ended=_finished,
        ours=True,
    ),
    Runner(
        name="jober, plain RQ jobs",
        tasks=20_000,
        fill=_by("rq_queue"),
        work=(_program("jober-worker"), "--slots", "10", "--accept-pickle"),
        ended=_finished,
        ours=True,
    ),
    Runner(
        name="rq worker",
        tasks=300,
        fill=_by("rq_queue"),
        work=(_program("rq"), "worker", "--quiet", "default"),
        ended=_finished,
    ),
    Runner(
        name="RQ SimpleWorker",
        tasks=2_000,
        fill=_by("rq_queue"),
        work=(_program("rq"), "worker", "--quiet", "-w", "rq.worker.SimpleWorker", "default"),
        ended=_finished,
    ),
    Runner(
        name="Celery, threads, acks_late",
        tasks=3_000,
        fill=_by("celery_app"),
        work=(_program("celery"), *_CELERY, "-P", "threads", "-c", "10", *_QUIET),
        ended=_keys("celery-task-meta-"),
    ),
    Runner(
        name="Dramatiq 2×5 threads",
        tasks=10_000,
        fill=_by("dramatiq_app"),
        work=(
            *(_program("dramatiq"), "benchmarks.peers.dramatiq_app"),
            *("--processes", "2", "--threads", "5"),
        ),
        ended=_keys("dramatiq-results:"),
    ),
    Runner(
        name="Huey, 10 threads",
        tasks=6_000,
        fill=_by("huey_app"),
        work=(_program("huey_consumer"), "benchmarks.peers.huey_app.huey", "-w", "10"),
        ended=_huey_results,
    ),
    Runner(
        name="Huey, 10 processes",
        tasks=10_000,
        fill=_by("huey_app"),
        work=(
            *(_program("huey_consumer"), "benchmarks.peers.huey_app.huey"),
            *("-w", "10", "-k", "process"),
        ),
        ended=_huey_taken,
        results=False,
        environment={"BENCH_RESULTS": "0"},
    ),
    Runner(
        name="Taskiq, stream, 2×5",
        tasks=10_000,
        fill=_by("taskiq_app"),
        work=(
            *(_program("taskiq"), "worker", "benchmarks.peers.taskiq_app:broker"),
            *("--workers", "2", "--max-async-tasks", "5", "--log-level", "ERROR"),
        ),
        ended=_keys("result:"),
    ),
    Runner(
        name="SAQ",
        tasks=5_000,
        fill=_by("saq_app", str(PEERS / "python")),
        work=(str(PEERS / "saq"), "--quiet", "benchmarks.peers.saq_app.settings"),
        ended=_saq_ended,
    ),
    Runner(
        name="arq",
        tasks=3_000,
        fill=_by("arq_app", str(PEERS / "python")),
        work=(str(PEERS / "arq"), "benchmarks.peers.arq_app.WorkerSettings"),
        ended=_keys("arq:result:"),
    ),
    Runner(
        name="BullMQ",
        tasks=20_000,
        fill=_node_fill,
        work=("node", str(bullmq.PROGRAM), "work", "10"),
        ended=_bull_completed,
    ),
    Runner(
        name="BullMQ, 100 at a time",
        tasks=20_000,
        fill=_node_fill,
        work=("node", str(bullmq.PROGRAM), "work", "100"),
        ended=_bull_completed,
    ),
)
