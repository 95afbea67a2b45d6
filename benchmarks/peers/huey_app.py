"""Huey: it takes a task off its queue before it runs it; results by BENCH_RESULTS, kept or not."""

import os
import sys

from huey import RedisHuey

from benchmarks.peers import COUNTED, socket, tasks

huey = RedisHuey(
    "bench", url=f"unix://{socket()}", results=os.environ.get("BENCH_RESULTS", "1") == "1"
)
nothing = huey.task()(tasks.nothing)
counted = huey.task()(tasks.counted)


def fill(count: int) -> None:
    for n in range(count):
        (nothing if n < count - COUNTED else counted)()


if __name__ == "__main__":
    fill(int(sys.argv[1]))
