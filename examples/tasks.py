"""What the jobs of fleet.toml run: a function for an agent to call, and a small program."""

import argparse
import os
import random
import sys
import time


def dice(count: int = 2, sides: int = 6) -> list[int]:
    """Throw `count` dice; the list is the result of the run."""
    throws = [random.randint(1, sides) for _ in range(count)]
    print("thrown:", *throws)
    return throws


def progress(steps: int, pause_s: float = 0.5) -> None:
    """A line for each step on stdout, and a word on stderr in the end."""
    word = os.environ.get("STEP", "step")
    for step in range(1, steps + 1):
        time.sleep(pause_s)
        print(f"{word} {step} of {steps}", flush=True)
    print("all of it done", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=["progress"])
    parser.add_argument("--steps", type=int, default=5)
    chosen = parser.parse_args()
    progress(chosen.steps)


if __name__ == "__main__":
    main()
