"""A function in a process of its own: `python -m jober_worker.child REQUEST ANSWER`.

REQUEST and ANSWER are descriptors of files, which hold JSON: `{"name", "file", "args", "kwargs",
"path"}`, and the outcome. What the function prints goes to the pipes that the agent reads.
"""

import json
import os
import sys
from dataclasses import asdict

from jober_worker.functions import call


def main(request: int, answer: int) -> int:
    # Not for the processes that the function starts.
    os.set_inheritable(answer, False)
    with os.fdopen(request) as file:
        asked = json.load(file)
    if asked["path"] not in sys.path:
        # What the agent can import, it can import in another folder (cwd) too.
        sys.path.append(asked["path"])
    outcome = call(asked["name"], asked["args"], asked["kwargs"], file=asked["file"])
    _say(outcome.traceback or "")
    # Whole or not at all: the agent reads it only where all of it was written.
    text = json.dumps(asdict(outcome))
    try:
        with os.fdopen(answer, "w") as file:
            file.write(text)
    except OSError as error:
        _say(f"the outcome could not be told to the agent: {error}\n")
        return 1
    return 0


def _say(text: str) -> None:
    """Write to stderr after all that was printed; the function may have closed either stream."""
    for stream, what in ((sys.stdout, ""), (sys.stderr, text)):
        try:
            stream.write(what)
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue


if __name__ == "__main__":
    # Ended at once when all is said: threads that the function left behind do not hold it.
    os._exit(main(int(sys.argv[1]), int(sys.argv[2])))
