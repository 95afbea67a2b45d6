"""Commands a second: `sh -c true` with its output captured, by an agent with 10 slots, beside a
bare loop of posix_spawn, pipes and epoll that does nothing else. `python -m benchmarks commands`.
"""

import os
import select
import time
from statistics import median

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
    bares, agents, ratios = [], [], []
    for _ in range(rounds):
        bares.append(bare(commands))
        agents.append(by_agent(commands))
        ratios.append(agents[-1] / bares[-1])
    ours, theirs = median(agents), median(bares)
    return [
        Section(
            title="Commands",
            how=f"`sh -c true` with captured output, {AT_A_TIME} at a time, {commands:,} of them. "
            "The bare loop starts them by posix_spawn, reads their pipes by epoll, and keeps "
            "nothing; the agent claims runs of a job "
            "that is tried again where its agent dies, and records output, exit code and usage.",
            columns=("what starts them", "a second", "of the bare loop"),
            rows=(
                ("a bare loop", f"{theirs:,.0f}", ""),
                ("an agent", f"{ours:,.0f}", f"{100 * median(ratios):.0f} %"),
            ),
            bars=(
                Bar(label="a bare loop", value=theirs),
                Bar(label="an agent", value=ours, ours=True),
            ),
            unit="commands a second",
        )
    ]


def bare(commands: int) -> float:
    """Commands a second without anything around them."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    environment = dict(os.environ)
    running: dict[int, int] = {}
    started = ended = 0
    began = time.perf_counter()
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
    return commands / (time.perf_counter() - began)


def by_agent(commands: int) -> float:
    """Commands a second as runs of a job, from the first start to the last end."""
    with private() as jober:
        jober.add_job("true", command=ARGV, overlap="allow", retries=3, retry_on=["lost"])
        for first in range(0, commands, 200):
            ids = [manual_run_id("true", jober.store.clock.now_ms()) for _ in range(200)]
            ids = ids[: commands - first]
            jober.store.runs.enqueue("true", [ManualRun(id=id) for id in ids])
        with agent(jober, "--slots", str(AT_A_TIME)):
            deadline = time.monotonic() + GIVE_UP_S
            while jober.store.connection.command("ZCARD", "rq:finished:default") < commands:
                if time.monotonic() > deadline:
                    raise RuntimeError("the commands do not end")
                time.sleep(0.01)
        runs = jober.runs("true", limit=commands)
    began = min(run.started_at_ms or 0 for run in runs)
    return commands / (max(run.ended_at_ms or 0 for run in runs) - began) * 1000
