"""Commands a second: `sh -c true` with its output captured, by an agent with 10 slots, beside a
bare loop of posix_spawn, pipes and epoll that does nothing else. `python -m benchmarks commands`.
"""

import os
import select
import time
from dataclasses import dataclass
from statistics import median

import psutil

from benchmarks.fleet import agent, private
from benchmarks.section import Bar, Section
from jober.ids import manual_run_id
from jober.store.runs import ManualRun

COMMANDS = 2_000
AT_A_TIME = 10
ARGV = ["sh", "-c", "true"]
GIVE_UP_S = 120.0


def measure(rounds: int, part: float) -> list[Section]:
    commands = max(20, round(COMMANDS * part))
    bares, agents = [], []
    for _ in range(rounds):
        bares.append(bare(commands))
        agents.append(by_agent(commands))
    theirs, ours = (median(one.rate for one in found) for found in (bares, agents))
    cost, least = (median(one.cpu_ms for one in found) for found in (agents, bares))
    ratio = median(one.rate / other.rate for one, other in zip(agents, bares, strict=True))
    return [
        Section(
            title="Commands",
            how=f"`sh -c true` with captured output, {AT_A_TIME} at a time, {commands:,} of them. "
            "The bare loop starts them by posix_spawn, reads their pipes by epoll, and keeps "
            "nothing; the agent claims runs of a job "
            "that is tried again where its agent dies, and records output, exit code and usage. "
            "The loop waits for each start alone, the agent for ten at a time, so it makes more of "
            "several cores. CPU is of whoever starts them, and of the commands.",
            columns=("what starts them", "a second", "of the bare loop", "CPU a command, ms"),
            rows=(
                ("a bare loop", f"{theirs:,.0f}", "", f"{least:.2f}"),
                ("an agent", f"{ours:,.0f}", f"{100 * ratio:.0f} %", f"{cost:.2f}"),
            ),
            bars=(
                Bar(label="a bare loop", value=theirs),
                Bar(label="an agent", value=ours, ours=True),
            ),
            unit="commands a second",
        )
    ]


@dataclass(frozen=True, slots=True)
class Speed:
    """Commands a second, and what each of them took of the CPU."""

    rate: float
    cpu_ms: float


def bare(commands: int) -> Speed:
    """Without anything around them."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    environment = dict(os.environ)
    running: dict[int, int] = {}
    started = ended = 0
    began, spent = time.perf_counter(), sum(os.times()[:4])
    with select.epoll() as ready:
        while ended < commands:
            while started < commands and len(running) < AT_A_TIME:
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
    rate = commands / (time.perf_counter() - began)
    return Speed(rate, 1000 * (sum(os.times()[:4]) - spent) / commands)


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
