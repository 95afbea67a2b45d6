"""Commands a second: `sh -c true` with its output captured, by an agent with 10 slots, beside
bare loops of posix_spawn, pipes and epoll that do nothing else. `python -m benchmarks commands`.
"""

import os
import select
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import median

import psutil

from benchmarks.fleet import agent, private
from benchmarks.section import Bar, Section
from jober.ids import manual_run_id
from jober.store.runs import ManualRun

COMMANDS = 2_000
AT_A_TIME = 10
LOOPS = os.cpu_count() or 1
ARGV = ["sh", "-c", "true"]
GIVE_UP_S = 120.0


def measure(rounds: int, part: float) -> list[Section]:
    commands = max(20, round(COMMANDS * part))
    ones, bests, agents = [], [], []
    for _ in range(rounds):
        ones.append(bare(commands, 1))
        bests.append(bare(commands, LOOPS))
        agents.append(by_agent(commands))
    rows, bars = [], []
    for name, found in (
        ("one bare loop", ones),
        (f"a bare loop for each core ({LOOPS})", bests),
        ("an agent", agents),
    ):
        rate = median(one.rate for one in found)
        of_one, of_all = (
            median(it.rate / other.rate for it, other in zip(found, others, strict=True))
            for others in (ones, bests)
        )
        cpu_ms = median(one.cpu_ms for one in found)
        of_cpu = median(best.cpu_ms / one.cpu_ms for one, best in zip(found, bests, strict=True))
        ratios = (f"{100 * of_one:.0f} %", f"{100 * of_all:.0f} %")
        rows.append((name, f"{rate:,.0f}", *ratios, f"{cpu_ms:.2f}", f"{100 * of_cpu:.0f} %"))
        bars.append(Bar(label=name, value=rate, ours=found is agents))
    return [
        Section(
            title="Commands",
            how=f"`sh -c true` with captured output, {AT_A_TIME} at a time, {commands:,} of them. "
            "A bare loop starts them by posix_spawn, reads their pipes by epoll and keeps nothing. "
            "It waits for each start, so one alone leaves cores idle: the best that the machine "
            "can do is one for each core. The agent claims runs of a job that is tried again where "
            "its agent dies, and records output, exit code and usage. CPU is of whoever starts "
            "them, and of the commands; Redis has its own.",
            columns=(
                "what starts them",
                "a second",
                "of one loop",
                "of one for each core",
                "CPU a command, ms",
                "of it by bare loops",
            ),
            rows=tuple(rows),
            bars=tuple(bars),
            unit="commands a second",
        )
    ]


@dataclass(frozen=True, slots=True)
class Speed:
    """Commands a second, and what each of them took of the CPU."""

    rate: float
    cpu_ms: float


def bare(commands: int, loops: int) -> Speed:
    """Without anything around them, by so many processes side by side."""
    each, at_a_time = commands // loops, AT_A_TIME // loops
    with ProcessPoolExecutor(loops, get_context("fork")) as pool:
        told = list(pool.map(_loop, [each] * loops, [at_a_time] * loops))
    took_s = max(ended for _, ended, _ in told) - min(began for began, _, _ in told)
    spent_s = sum(spent for _, _, spent in told)
    return Speed(each * loops / took_s, 1000 * spent_s / (each * loops))


def _loop(commands: int, at_a_time: int) -> tuple[float, float, float]:
    """When the first was started and the last had ended, and what all of it took of the CPU."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    environment = dict(os.environ)
    running: dict[int, int] = {}
    started = ended = 0
    began, spent = time.monotonic(), sum(os.times()[:4])
    with select.epoll() as ready:
        while ended < commands:
            while started < commands and len(running) < at_a_time:
                reading, writing = os.pipe()
                running[reading] = os.posix_spawn(
                    "/bin/sh",
                    ARGV,
                    environment,
                    file_actions=[
                        (os.POSIX_SPAWN_DUP2, nowhere, 0),
                        (os.POSIX_SPAWN_DUP2, writing, 1),
                        (os.POSIX_SPAWN_DUP2, writing, 2),
                    ],
                    setsid=True,
                )
                os.close(writing)
                ready.register(reading, select.EPOLLIN)
                started += 1
            for reading, _ in ready.poll():
                if not os.read(reading, 65536):
                    ready.unregister(reading)
                    os.close(reading)
                    os.waitpid(running.pop(reading), 0)
                    ended += 1
    os.close(nowhere)
    return began, time.monotonic(), sum(os.times()[:4]) - spent


def by_agent(commands: int) -> Speed:
    """As runs of a job, from the first start to the last end."""
    with private() as jober:
        jober.add_job("true", command=ARGV, overlap="allow", retries=3, retry_on=["lost"])
        for first in range(0, commands, 200):
            ids = [manual_run_id("true", jober.store.clock.now_ms()) for _ in range(200)]
            ids = ids[: commands - first]
            jober.store.runs.enqueue("true", [ManualRun(id=id) for id in ids])
        jober.store.connection.command("SET", "rq:suspended", 1)
        with agent(jober, "--slots", str(AT_A_TIME)) as guardian:
            [process] = psutil.Process(guardian.pid).children()
            spent = sum(process.cpu_times()[:4])
            jober.store.connection.command("DEL", "rq:suspended")
            deadline = time.monotonic() + GIVE_UP_S
            while jober.store.connection.command("ZCARD", "rq:finished:default") < commands:
                if time.monotonic() > deadline:
                    raise RuntimeError("the commands do not end")
                time.sleep(0.01)
            spent = sum(process.cpu_times()[:4]) - spent
        runs = jober.runs("true", limit=commands)
    began = min(run.started_at_ms or 0 for run in runs)
    rate = commands / (max(run.ended_at_ms or 0 for run in runs) - began) * 1000
    return Speed(rate, 1000 * spent / commands)
