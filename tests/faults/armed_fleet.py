"""A fleet for fault tests: its leases are short, its processes may be armed with failpoints, and
its jobs write a log of their own."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from jober.failpoint import FOLDER_VARIABLE, VARIABLE
from jober.pace import VARIABLE as PACE_VARIABLE
from jober_worker.kernel import read_process
from tests.faults.work import LOG_VARIABLE
from tests.fleet import Fleet
from tests.waiting import wait_until

# Leases of the lead last 1.2 s, and those of agents and their runs 2 s.
PACE = 0.2
LEAD_S = 6 * PACE
LEASE_S = 10 * PACE
ROLE = "work"


class ArmedFleet(Fleet):
    """Where `failpoints` are given, they are as in JOBER_FAILPOINTS."""

    def __init__(self, url: str, folder: Path, pace: float = PACE) -> None:
        super().__init__(url, folder)
        self.work_log = folder / "work.log"
        self._passes = folder / "passes"
        self._passes.mkdir()
        self.environ = {
            PACE_VARIABLE: str(pace),
            FOLDER_VARIABLE: str(self._passes),
            LOG_VARIABLE: str(self.work_log),
        }

    def armed_scheduler(self, failpoints: str = "") -> "subprocess.Popen[bytes]":
        """Start a scheduler."""
        return self.scheduler(environ={VARIABLE: failpoints})

    def armed_agent(
        self, host: str, failpoints: str = "", *more: str, roles: str = ROLE, **settings: Any
    ) -> "subprocess.Popen[bytes]":
        """Start a guardian with an agent, which has folders of its own, as `Fleet.agent` does."""
        folder = self.folder / host / "logs"
        environ = {VARIABLE: failpoints}
        return self.agent(host, roles, *more, log_dir=folder, environ=environ, **settings)

    def hits(self, name: str) -> list[int]:
        """The pids that the failpoint has hit, one for each time."""
        found = (path.name.removeprefix(f"{name}.") for path in self._passes.glob(f"{name}.*"))
        return [int(hit.split(".")[0]) for hit in found]

    def add(self, name: str, **fields: Any) -> None:
        """A job of the role of these agents."""
        self.jober.add_job(name, **{"roles": [ROLE], **fields})

    def cursor_ms(self, name: str) -> int:
        """Up to where the fires of a job are decided."""
        return int(self.jober.store.connection.command("HGET", f"jober:job:{name}", "cursor"))

    def now_ms(self) -> int:
        """The moment, by the clock of Redis."""
        seconds, micros = self.jober.store.connection.client.time()
        return int(seconds) * 1000 + int(micros) // 1000


def freeze(pid: int) -> None:
    """Stop a process, and wait until it stands still."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: is_frozen(pid), told=f"{pid} is stopped")


def is_frozen(pid: int) -> bool:
    """Whether a process is stopped."""
    process = read_process(pid)
    return process is not None and process.state == "T"


def is_gone(pid: int) -> bool:
    process = read_process(pid)
    return process is None or process.has_ended
