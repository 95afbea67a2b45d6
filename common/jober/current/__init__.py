"""The run that the calling code belongs to: `from jober import current_run`.

It works in a function of a job, be it in a thread of the agent (and in threads that it starts) or
in a process, and in any Python program that a job starts. `run` is what is asked, `link` the way
to the agent: in its own process a call, from any other its `socket`. Light to import, and none
of it can make a job fail: where the agent cannot be reached, what is reported is dropped.
"""

from jober.current.here import current_run, entered
from jober.current.link import Link
from jober.current.run import CurrentRun, ProgressGroup
from jober.current.skip import Skip
from jober.errors import NotInRun

__all__ = [
    "CurrentRun",
    "Link",
    "NotInRun",
    "ProgressGroup",
    "Skip",
    "current_run",
    "entered",
]
