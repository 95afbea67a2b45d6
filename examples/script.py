"""No server at hand: `python examples/script.py` runs a few things on this machine, and shows them.

The Redis, the scheduler and the agent are started for it, in a temporary folder, and end with it.
With `Jober("./state")` they are in that folder, which other programs may share, and what has run
is still there the next time.
"""

import time

from jober import Jober, current_run


def count(to: int) -> int:
    """Runs in a thread of this program: nobody else could import it from here."""
    for n in range(1, to + 1):
        current_run().progress(n, to)
        time.sleep(0.05)
    return to


with Jober() as jober:
    run = jober.run("seq 3; exit 3", shell=True)
    print(run.wait(timeout=60).state, run.exit_code, run.output.lines())

    run = jober.run(count, args=(10,))
    run.wait(until=lambda run: run.progress is not None)
    print("it counts:", run.progress is not None)
    print("it has counted to", run.result(timeout=60))

    run = jober.run(["sleep", "600"], timeout=0.5, retries=1, retry_delay=0)
    print(run.wait(timeout=60).state, "after", len(run.attempts), "attempts")

    for line in jober.run(["echo", "a line, as soon as it is written"]).output.follow():
        print(line)
