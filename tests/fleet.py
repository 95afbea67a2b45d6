"""A real fleet for a test: schedulers and agents as processes, ended with the test."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from jober import Jober
from tests.waiting import wait_until

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


class Fleet:
    """Processes on one Redis. `folder` gets their logs; `environ` is set for all of them."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.jober = Jober(url)
        self.environ: dict[str, str] = {}
        self.cwd = ROOT
        self.programs = BIN  # where the commands that are started are
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(
        self, program: str, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        """Start a command of ours, in `cwd` (the root of the checkout, unless it is set).

        `environ` is set for it alone."""
        log = self.folder / f"{program}-{len(self.processes)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [str(self.programs / program), *arguments],
                env={
                    **os.environ,
                    "JOBER_REDIS_URL": self.url,
                    **self.environ,
                    **(environ or {}),
                },
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        self.processes.append(process)
        return process

    def scheduler(
        self, *more: str, environ: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        return self.start("jober-scheduler", *more, environ=environ)

    def agent(
        self,
        host: str,
        roles: str = "",
        *more: str,
        slots: int = 10,
        drain: float = 5,
        log_dir: Path | None = None,
        environ: Mapping[str, str] | None = None,
        waits: bool = True,
    ) -> "subprocess.Popen[bytes]":
        """Start an agent, and wait until it has joined, unless it `waits` not."""
        process = self.start(
            "jober-worker",
            *("--host", host, "--roles", roles),
            *("--slots", str(slots), "--drain", str(drain)),
            *("--log-dir", str(log_dir or self.folder / "logs")),
            *more,
            environ=environ,
        )
        if waits:
            wait_until(
                lambda: host in {agent.host for agent in self.jober.agents()},
                60,
                f"{host} has joined",
            )
        return process

    def leading(self) -> "subprocess.Popen[bytes]":
        """The scheduler that leads, as soon as one does."""

        def found() -> "subprocess.Popen[bytes] | None":
            leader = self.jober.leader()
            pids = {process.pid: process for process in self.processes}
            return pids.get(leader.pid) if leader else None

        return wait_until(found, told="a leader")

    def stop(self) -> None:
        """End all in order, and for certain."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.jober.close()

    def logs(self) -> str:
        """What all have logged, for a failing test."""
        return "\n".join(
            f"== {log.name}\n{log.read_text()}" for log in sorted(self.folder.glob("*.log"))
        )
