"""What a fleet costs its Redis: simulated agents that are idle; runs put in one by one, a queue
that is new to all, and a backlog. `python -m benchmarks scale`.

The agents are of `benchmarks.simulated`, some hundreds a process. They share the machine with
Redis, so the rate of the backlog is that of the machine; what a run costs Redis is not, and says at
which rate one Redis is busy all the time.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

from benchmarks.fleet import REPOSITORY, private
from benchmarks.section import Section
from jober import Jober, __version__
from jober.agent_info import AgentInfo
from jober.ids import manual_run_id
from jober.store.changes import Change
from jober.store.runs import ManualRun

AGENTS = (100, 300, 1_000)
A_PROCESS = 250
SETTLE_S = 5.0
# As long as it takes until each has read the names of all queues once.
WATCH_S = 20.0
SINGLE_RUNS = 100
APART_S = 0.05
BACKLOG = 20_000
JOBS = 1_000
GIVE_UP_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What Redis has done between two looks, over `seconds`; sums, but for `woken` and those below,
    which the agents counted."""

    seconds: float
    cpu_s: float
    calls: int  # of agents, those of ASKED
    read: int  # bytes
    written: int
    woken: int
    claims: int
    runs: int
    empty: int


class Fleet:
    """So many simulated agents at one Redis."""

    def __init__(self, jober: Jober, processes: "Sequence[subprocess.Popen[str]]") -> None:
        self.jober = jober
        self._processes = processes
        self._before = self._look()

    def _look(self) -> dict[str, float]:
        info: Any = self.jober.store.connection.client.info("everything")
        calls = {name: told["calls"] for name, told in info.items() if name.startswith("cmdstat_")}
        found = {
            "seconds": time.monotonic(),
            "cpu_s": info["used_cpu_user"] + info["used_cpu_sys"],
            "calls": sum(calls.get(f"cmdstat_{name}", 0) for name in ASKED),
            "read": info["total_net_input_bytes"],
            "written": info["total_net_output_bytes"],
        }
        for process in self._processes:
            assert process.stdin and process.stdout
            print("tell", file=process.stdin, flush=True)
            for name, count in json.loads(process.stdout.readline()).items():
                found[name] = found.get(name, 0) + count
        return found

    def cost(self) -> Cost:
        """What has been done since it was asked last."""
        before, self._before = self._before, self._look()
        spent: dict[str, Any] = {name: now - before[name] for name, now in self._before.items()}
        return Cost(**spent)

    def put(self, job: str, number: int) -> None:
        """Runs by hand, 200 at a time."""
        now_ms = self.jober.store.clock.now_ms()
        for first in range(0, number, 200):
            ids = [manual_run_id(job, now_ms) for _ in range(min(200, number - first))]
            self.jober.store.runs.enqueue(job, [ManualRun(id=id) for id in ids])

    def until_finished(self, queue: str, number: int) -> None:
        deadline = time.monotonic() + GIVE_UP_S
        while self.jober.store.connection.command("ZCARD", f"rq:finished:{queue}") < number:
            if time.monotonic() > deadline:
                raise RuntimeError("the runs do not end")
            time.sleep(0.02)

    @property
    def memory(self) -> int:
        info: Any = self.jober.store.connection.client.info("memory")
        return int(info["used_memory"])


# What agents ask and scripts do not; beside these, each asks whether its queues are there once a
# second, and for the time every 2 s.
ASKED = ("evalsha", "blpop", "smembers", "scard", "publish")


@contextmanager
def fleet(jober: Jober, agents: int) -> Iterator[Fleet]:
    """Agents that have joined, until the end of the block."""
    processes = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "benchmarks.simulated", jober.store.url),
                *(str(first), str(min(A_PROCESS, agents - first))),
            ],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for first in range(0, agents, A_PROCESS)
    ]
    try:
        for process in processes:
            assert process.stdout
            process.stdout.readline()
        yield Fleet(jober, processes)
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def measure(_: int, part: float) -> list[Section]:
    idle, single, new, backlog = [], [], [], []
    for number in (max(2, round(agents * part)) for agents in AGENTS):
        with private() as jober:
            jober.add_job("run", command="true", overlap="allow")
            empty = jober.store.connection.client.info("memory")["used_memory"]
            with fleet(jober, number) as agents:
                time.sleep(max(1.0, SETTLE_S * part))
                label = f"{number:,} agents"
                memory = (agents.memory - empty) / number
                agents.cost()
                time.sleep(max(2.0, WATCH_S * part))
                rest = agents.cost()
                idle.append((label, *_idle(rest, number, memory)))
                single.append((label, *_single(agents, max(5, round(SINGLE_RUNS * part)), rest)))
                new.append((label, *_new_queue(agents, number, rest)))
                backlog.append((label, *_backlog(agents, max(200, round(BACKLOG * part)))))
    return [
        Section(
            title="Idle agents",
            how="Simulated ones, each with its own connections and the worker's own code that asks "
            "Redis; nothing runs. Calls are of scripts, bells and queues; beside them, each asks "
            "whether anything waits once a second, and for the time every 2 s.",
            columns=(
                *("fleet", "Redis, of one core", "µs an agent s", "calls an agent s"),
                *("sent, B an agent s", "memory, KB an agent"),
            ),
            rows=tuple(idle),
        ),
        Section(
            title="Runs put in one by one",
            how=f"One each {1000 * APART_S:.0f} ms. An agent that is rung for wakes up; beside "
            "that, each looks once a second. From put in to claimed, in ms.",
            columns=(
                *("fleet", "woken a run", "woken for nothing", "Redis, µs a run"),
                *("p50, ms", "p99, ms"),
            ),
            rows=tuple(single),
        ),
        Section(
            title="A queue that is new",
            how="One run in a queue that all agents serve, and none knows yet; beside what they "
            "cost idle.",
            columns=("fleet", "woken", "Redis, ms", "ms an agent"),
            rows=tuple(new),
        ),
        Section(
            title="A backlog",
            how="No-op runs, all put in while RQ is suspended, then let go; µs and bytes are of "
            "Redis, with all that the agents ask beside. They share the machine with it, so the "
            "rate is that of the machine.",
            columns=(
                *("fleet", "runs a second", "busy", "µs a run", "claims a run", "woken a run"),
                *("B a run", "kept, B a run", "put in, µs a run"),
            ),
            rows=tuple(backlog),
        ),
        _jobs_and_roster(max(100, round(JOBS * part))),
    ]


def _idle(cost: Cost, number: int, memory: float) -> tuple[str, ...]:
    per = number * cost.seconds
    return (
        f"{100 * cost.cpu_s / cost.seconds:.1f} %",
        f"{1e6 * cost.cpu_s / per:.0f}",
        f"{cost.calls / per:.2f}",
        f"{cost.written / per:.0f}",
        f"{memory / 1e3:.0f}",
    )


def _single(agents: Fleet, runs: int, idle: Cost) -> tuple[str, ...]:
    agents.cost()
    for _ in range(runs):
        agents.put("run", 1)
        time.sleep(APART_S)
    agents.until_finished("default", runs)
    cost = agents.cost()
    waited = [
        float(run.started_at_ms - run.enqueued_at_ms)
        for run in agents.jober.runs("run", limit=runs)
        if run.started_at_ms is not None and run.enqueued_at_ms is not None
    ]
    cuts = quantiles(waited, n=100)
    return (
        f"{cost.woken / runs:.2f}",
        f"{cost.empty / runs:.2f}",
        f"{1e6 * _beside(idle, cost) / runs:.0f}",
        f"{cuts[49]:.0f}",
        f"{cuts[98]:.0f}",
    )


def _new_queue(agents: Fleet, number: int, idle: Cost) -> tuple[str, ...]:
    agents.cost()
    agents.jober.add_job("wait", command="true", overlap="allow", roles=["default", "other"])
    agents.put("wait", 1)
    agents.until_finished("default|other", 1)
    # A process of so many agents takes a while to tell them all.
    time.sleep(1.0 + number / 100)
    cost = agents.cost()
    spent_s = _beside(idle, cost)
    return f"{cost.woken:,}", f"{1000 * spent_s:.0f}", f"{1000 * spent_s / number:.2f}"


def _beside(idle: Cost, cost: Cost) -> float:
    """What Redis spent beside what it spends on agents that are idle, in s."""
    return cost.cpu_s - idle.cpu_s * cost.seconds / idle.seconds


def _backlog(agents: Fleet, runs: int) -> tuple[str, ...]:
    jober = agents.jober
    before = int(jober.store.connection.command("ZCARD", "rq:finished:default"))
    jober.store.connection.command("SET", "rq:suspended", 1)
    agents.cost()
    memory = agents.memory
    agents.put("run", runs)
    put = agents.cost()
    jober.store.connection.command("DEL", "rq:suspended")
    agents.until_finished("default", before + runs)
    cost = agents.cost()
    return (
        f"{runs / cost.seconds:,.0f}",
        f"{100 * cost.cpu_s / cost.seconds:.0f} %",
        f"{1e6 * cost.cpu_s / runs:.0f}",
        f"{cost.claims / runs:.2f}",
        f"{cost.woken / runs:.2f}",
        f"{(cost.read + cost.written) / runs:,.0f}",
        f"{(agents.memory - memory) / runs:,.0f}",
        f"{1e6 * put.cpu_s / runs:.0f}",
    )


def _jobs_and_roster(number: int) -> Section:
    with private() as jober:
        client = jober.store.connection.client
        before = client.info("memory")["used_memory"]
        definition = jober.add_job("job", command="backup --all", cron="0 3 * * *").job
        changes = [Change(op="put", name=f"job-{n}", job=definition) for n in range(number)]
        for first in range(0, number, 500):
            jober.store.jobs.apply(changes[first : first + 500])
        each = (client.info("memory")["used_memory"] - before) / number
        for n in range(number):
            info = AgentInfo(
                id=f"host-{n}-aaaaaa",
                host=f"host-{n}",
                pid=1,
                roles=frozenset({"db"}),
                slots=10,
                version=__version__,
                state="up",
            )
            jober.store.agents.join(info, [f"@host-{n}", "db"])
        cpu = client.info("cpu")
        took = []
        for _ in range(10):
            began = time.thread_time()
            jober.store.agents.live()
            took.append(1000 * (time.thread_time() - began))
        spent = client.info("cpu")
    redis_s = sum(spent[name] - cpu[name] for name in ("used_cpu_user", "used_cpu_sys"))
    return Section(
        title="Jobs, and the roster",
        how=f"{number:,} definitions of a line of cron, none of them due; {number:,} agents, as a "
        "leader reads them once a second.",
        columns=("what", "figure"),
        rows=(
            ("memory of Redis, B a job", f"{each:,.0f}"),
            ("to read the roster: the leader, ms", f"{median(took):.0f}"),
            ("to read the roster: Redis, ms", f"{100 * redis_s:.0f}"),
        ),
    )
