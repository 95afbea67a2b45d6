"""Rounds of forking away: `python -m tests.worker.orphan_rounds [ROUNDS [WHEN...]]` prints a table.

In each round a program and a function in a warm process both start every kind of process that is
hard to end, and then something ends: the runs by themselves, by a cancel, the agent or the guardian
by SIGKILL. It is measured how long the last of the processes is still there.
"""

import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from jober.client import RunHandle
from jober.embedded import RedisServer
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, agent_of
from tests.worker.test_process import lives

ENDS = ("the run ends", "it is cancelled", "the agent is killed", "the guardian is killed")
# So long may the last of them be there, or 1 s: the sweeper looks each 0.2 s, a cancel has a grace,
# and an agent that has lost its guardian first ends what it knows of.
AT_MOST_S = {"the run ends": 1.5, "it is cancelled": 2.0, "the guardian is killed": 1.5}
GRACE_S = 0.3

TREE = """
import os, signal, sys, time

# Each: in a session of its own, twice forked, deaf to TERM, has closed its descriptors, and what it
# becomes: itself, a program, or a program that has wiped its environment.
KINDS = [(own, twice, deaf, closed, becomes)
         for own in (0, 1) for twice in (0, 1) for deaf in (0, 1) for closed in (0, 1)
         for becomes in ("itself", "a program", "a stranger")]

def grow(pids, release):
    for own, twice, deaf, closed, becomes in KINDS:
        child = os.fork()
        if child:
            if twice: os.waitpid(child, 0)
            continue
        if own: os.setsid()
        if twice and os.fork(): os._exit(0)
        if deaf: signal.signal(signal.SIGTERM, signal.SIG_IGN)
        told = os.open(pids, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(told, b"%d\\n" % os.getpid())
        os.close(told)
        if closed:
            null = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2): os.dup2(null, descriptor)
        if becomes != "itself":
            os.execve("/bin/sleep", ["sleep", "60"], os.environ if becomes == "a program" else {})
        time.sleep(60)
        os._exit(0)
    while not os.path.exists(release): time.sleep(0.005)

if __name__ == "__main__":
    grow(*sys.argv[1:])
"""
KINDS = 2 * 2 * 2 * 2 * 3


class Rounds:
    """A fleet of one agent, and the rounds on it."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._tree = fleet.folder / "tree.py"
        self._tree.write_text(TREE)
        self._guardian = fleet.agent("web0", ROLE)
        self._number = 0
        # No limit: the slots of killed agents are taken back by a scheduler, and none is here.
        fleet.jober.add_job(
            "program", script=str(self._tree), roles=[ROLE], grace=GRACE_S, overlap="allow"
        )
        fleet.jober.add_job(
            "function",
            script=f"{self._tree}:grow",
            process=True,
            roles=[ROLE],
            grace=GRACE_S,
            overlap="allow",
        )

    def round(self, end: str) -> float:
        """One round; seconds from the end until nothing is left. AssertionError where something
        is left for good."""
        self._number += 1
        release = self._fleet.folder / f"release-{self._number}"
        files = [self._fleet.folder / f"{name}-{self._number}" for name in ("program", "function")]
        handles = [
            self._fleet.jober.run(file.name.split("-")[0], [str(file), str(release)])
            for file in files
        ]
        pids = wait_until(lambda: _all(files), told="all have forked")
        assert all(lives(pid) for pid in pids)
        began = time.monotonic()
        self._end(end, handles, release)
        wait_until(lambda: not any(lives(pid) for pid in pids), 15, end)
        took = time.monotonic() - began
        if end in ("the run ends", "it is cancelled"):
            for handle in handles:
                handle.wait(45)
        return took

    def _end(self, end: str, handles: list[RunHandle], release: Path) -> None:
        if end == "the run ends":
            release.touch()
        elif end == "it is cancelled":
            for handle in handles:
                handle.cancel()
        elif end == "the agent is killed":
            os.kill(agent_of(self._guardian), signal.SIGKILL)
        else:
            self._guardian.send_signal(signal.SIGKILL)
        if end in ("the agent is killed", "the guardian is killed"):
            self._next = self._another

    def _another(self) -> None:
        """A guardian starts agents that die young ever more slowly: so another is started too."""
        self._guardian.terminate()
        self._guardian.wait()
        self._guardian = self._fleet.agent(f"web{self._number}", ROLE)

    _next: Callable[[], None] = staticmethod(lambda: None)

    def make_ready(self) -> None:
        """See to it that an agent is there for another round."""
        self._next()
        self._next = lambda: None


def _all(files: list[Path]) -> list[int]:
    pids = [int(line) for file in files if file.exists() for line in file.read_text().split()]
    return pids if len(pids) == KINDS * len(files) else []


def main(rounds: int, ends: Sequence[str]) -> None:
    table = Table(title=f"{rounds} rounds of {2 * KINDS} processes each: ms until all are gone")
    for heading in ("when", "rounds", "left", "late", "p50", "max"):
        table.add_column(heading, justify="left" if heading == "when" else "right")
    failed = 0
    with tempfile.TemporaryDirectory() as folder, RedisServer() as server:
        fleet = Fleet(server.url, Path(folder))
        try:
            on = Rounds(fleet)
            for end in ends:
                took, left = [], 0
                for _ in range(rounds):
                    try:
                        took.append(on.round(end) * 1000)
                    except AssertionError as error:
                        print(f"{end}: {error}", file=sys.stderr)  # noqa: T201
                        left += 1
                    on.make_ready()
                late = sum(ms > AT_MOST_S.get(end, 1.0) * 1000 for ms in took)
                failed += left + late
                told = (statistics.median(took), max(took)) if took else (0, 0)
                counts = (str(n) for n in (rounds, left, late))
                table.add_row(end, *counts, *(f"{ms:.0f}" for ms in told))
        finally:
            fleet.stop()
    Console().print(table)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100, sys.argv[2:] or ENDS)
