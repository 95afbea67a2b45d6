"""A hundred followers of one run: each sees every frame once, and how soon.

The run prints a line each 10 ms; four processes follow it with 25 threads each, as pages and
terminals would. `python -m benchmarks.followers URL RUN COUNT` is one of those processes.
"""

import json
import subprocess
import sys
import threading
from statistics import quantiles

from benchmarks.fleet import REPOSITORY, agent, private
from benchmarks.section import Section
from jober import Jober
from jober.output import Frame

FOLLOWERS = 100
PROCESSES = 4
LINES = 500
PRINT = "import time\nfor n in range({}): print(n, flush=True); time.sleep(0.01)"


def measure(rounds: int, part: float) -> list[Section]:
    lines, followers = max(20, round(LINES * part)), max(PROCESSES, round(FOLLOWERS * part))
    late, missed = [], 0
    for _ in range(max(1, rounds - 1)):
        found, lost = follow(lines, followers // PROCESSES)
        late += found
        missed += lost
    cuts = quantiles(late, n=100)
    figures = (cuts[49], cuts[89], cuts[98], max(late))
    return [
        Section(
            title="Followers of one run",
            how=f"{followers} followers in {PROCESSES} processes, a run of {lines} lines, one each "
            "10 ms; ms from when the agent read a frame to when a follower has it.",
            columns=("followers", "p50", "p90", "p99", "max", "followers that missed a byte"),
            rows=((str(followers), *(f"{figure:.0f}" for figure in figures), str(missed)),),
        )
    ]


def follow(lines: int, each: int) -> tuple[list[float], int]:
    """How late the frames were, in ms, and how many followers did not get all."""
    with private() as jober:
        jober.add_job("prints", command=[sys.executable, "-c", PRINT.format(lines)])
        run = jober.run("prints")
        followers = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.followers", jober.store.url, run.id, str(each)],
                cwd=REPOSITORY,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(PROCESSES)
        ]
        for follower in followers:
            assert follower.stdout is not None
            follower.stdout.readline()  # it is there
        with agent(jober):
            told = [json.loads(follower.communicate(timeout=120)[0]) for follower in followers]
    whole = "".join(f"{n}\n" for n in range(lines))
    late = [value for one in told for value in one["late"]]
    return late, sum(text != whole for one in told for text in one["texts"])


def _follow(url: str, id: str, count: int) -> None:
    late: list[float] = []
    texts: list[str] = []

    def one() -> None:
        text = b""
        for frame in jober.handle(id).output.frames(timeout=90):
            if isinstance(frame, Frame):
                text += frame.data
                late.append(clock.now_ms_exact() - frame.at_ms)
        texts.append(text.decode())

    with Jober(url) as jober:
        jober.store.observe_time()
        clock = jober.store.clock
        threads = [threading.Thread(target=one) for _ in range(count)]
        for thread in threads:
            thread.start()
        print("there", flush=True)
        for thread in threads:
            thread.join()
    print(json.dumps({"late": late, "texts": texts}))


if __name__ == "__main__":
    _follow(sys.argv[1], sys.argv[2], int(sys.argv[3]))
