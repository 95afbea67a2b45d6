"""What goes wrong, told in a line on stderr. Loaded by every command, so it imports nothing."""

import sys


def say(problem: str, status: int) -> int:
    """Tell it; the exit status that goes with it."""
    sys.stderr.write(f"jober: {problem}\n")
    return status


def say_wrong_call(name: str, problem: str) -> int:
    """Tell what is wrong with how a command was called; exit status 2."""
    return say(f"{' '.join(problem.split())} (see 'jober {name} --help')", 2)
