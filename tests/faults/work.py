"""What the jobs of the fault tests do: each body writes to a log of its own when it begins and when
it ends, and waits for the disk. What that log says, no crash of ours can have made up.

A line is `start|end <run> <attempt> <host> <ns since the epoch>`, in the order of what happened.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The path of the log, in the environment of every process of the fleet, and so of its runs.
LOG_VARIABLE = "JOBER_TEST_WORK_LOG"
# What a body writes to its output.
SAID = b"start\nend\n"

_SHELL = """
note() {
  line="$1 $JOBER_RUN_ID $JOBER_ATTEMPT $JOBER_HOST $(date +%s%N)"
  echo "$line" >>"$JOBER_TEST_WORK_LOG" && sync "$JOBER_TEST_WORK_LOG" && echo "$1"
}
note start; sleep "$0"; note end
"""


def work(seconds: float) -> None:
    """A function as a body."""
    _note("start")
    time.sleep(seconds)
    _note("end")


def function(seconds: float = 0.05) -> dict[str, Any]:
    """The fields of a job whose body is a function."""
    return {"call": "tests.faults.work:work", "args": [seconds]}


def command(seconds: float = 0.05) -> dict[str, Any]:
    """The fields of a job whose body is a program."""
    return {"command": ["sh", "-c", _SHELL, str(seconds)]}


def _note(what: str) -> None:
    from jober import current_run

    run = current_run()
    line = f"{what} {run.id} {run.attempt} {run.host} {time.time_ns()}\n"
    log = os.open(os.environ[LOG_VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(log, line.encode())
        os.fsync(log)
    finally:
        os.close(log)
    print(what, flush=True)  # noqa: T201 - the output of the run


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the log."""

    what: str
    run: str
    attempt: int
    host: str
    at_ns: int

    @property
    def lease(self) -> str:
        """The attempt, as leases and slots name it."""
        return f"{self.run}:{self.attempt}"


def read_log(path: Path) -> list[Line]:
    """All that the bodies have said; nothing where there was none."""
    if not path.exists():
        return []
    lines = (line.split(" ") for line in path.read_text().splitlines())
    return [
        Line(what=what, run=run, attempt=int(attempt), host=host, at_ns=int(at))
        for what, run, attempt, host, at in lines
    ]
