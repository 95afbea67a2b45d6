"""A function in a process of its own: `python -m jober_worker.child REQUEST ANSWER`.

REQUEST and ANSWER are descriptors of files, which hold JSON: `{"target", "args", "kwargs"}`,
and the outcome. What the function prints goes to the pipes that the agent reads.
"""

import json
import os
import sys
from dataclasses import asdict

from jober_worker.functions import call


def main(request: int, answer: int) -> int:
    with os.fdopen(request) as file:
        asked = json.load(file)
    sys.path.insert(0, os.getcwd())
    outcome = call(asked["target"], asked["args"], asked["kwargs"])
    sys.stdout.flush()
    if outcome.traceback:
        sys.stderr.write(outcome.traceback)
    sys.stderr.flush()
    with os.fdopen(answer, "w") as file:
        json.dump(asdict(outcome), file)
    return 0


if __name__ == "__main__":
    # Ended at once when all is said: threads that the function left behind do not hold it.
    os._exit(main(int(sys.argv[1]), int(sys.argv[2])))
