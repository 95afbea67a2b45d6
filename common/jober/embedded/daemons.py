"""The daemons beside a private Redis: started, started again when they die, ended in order.

Each is a session of its own, so Ctrl-C in the terminal reaches their owner alone (`jober dev`, or
the keeper of a folder), which ends them. Where that is killed itself, the kernel kills them
(PR_SET_PDEATHSIG), and the guardian of an agent that is killed takes all its runs along.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from jober.embedded.redis_server import end_with_parent
from jober.errors import JoberError

# Dying so often within so long is no accident.
_DEATHS = 3
_DEATHS_WITHIN_S = 30.0
_RESTART_S = 1.0
_KILLED_WITHIN_S = 5.0
# A line of a log that a person need not see.
_QUIET = re.compile(r"\S+Z (DEBUG|INFO) ")


class Daemon:
    """One daemon: its process, and its log in `folder`."""

    def __init__(self, name: str, arguments: Sequence[str], url: str, folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._arguments = arguments
        self._url = url
        self._process: subprocess.Popen[bytes] | None = None
        self._deaths: list[float] = []
        self._read = 0
        self._rest = b""

    def start(self) -> None:
        """Start it; from the main thread (see `end_with_parent`)."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                # -P: where one stands must not decide what is imported.
                [sys.executable, "-P", "-m", "jober.cli", *self._arguments],
                env={**os.environ, "JOBER_REDIS_URL": self._url},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGKILL),
            )

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def look(self, now: float) -> str | None:
        """Start it again where it has died; what there is to say of that. Raises JoberError
        where it dies over and over."""
        if self._process is not None and self._process.poll() is not None:
            status = self._process.returncode
            self._process = None
            self._deaths = [at for at in self._deaths if now - at < _DEATHS_WITHIN_S] + [now]
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            if len(self._deaths) >= _DEATHS:
                raise JoberError(f"{self.name} {how}, and so again and again: {self._last_words()}")
            return f"{self.name} {how}; starting it again"
        if self._process is None and self._deaths and now - self._deaths[-1] >= _RESTART_S:
            self.start()
        return None

    def send(self, number: int) -> None:
        """Send it a signal, if it is there."""
        if self.is_running and self._process is not None:
            self._process.send_signal(number)

    def warnings(self) -> Iterator[str]:
        """What it has logged, as text, since the last call that a person should see."""
        for text in self.lines():
            if not _QUIET.match(text):
                yield re.sub(r"^\S+Z ", "", text)

    def lines(self) -> Iterator[str]:
        """All that it has logged since the last call."""
        try:
            with self.log.open("rb") as log:
                log.seek(self._read)
                data = log.read(64 * 1024)
        except OSError:
            return
        self._read += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            text = line.decode("utf-8", "replace").rstrip()
            if text:
                yield text

    def _last_words(self) -> str:
        text = self.log.read_text("utf-8", "replace").strip()
        return text.splitlines()[-1] if text else "it said nothing"


def kill_all(daemons: Sequence[Daemon]) -> None:
    """Kill what is left of them and all below them, and wait until it is gone."""
    left: list[psutil.Process] = []
    for daemon in daemons:
        if daemon.is_running and daemon.pid is not None:
            try:
                process = psutil.Process(daemon.pid)
                left += [process, *process.children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
    deadline = time.monotonic() + _KILLED_WITHIN_S
    for process in left:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    for daemon in daemons:
        while daemon.is_running and time.monotonic() < deadline:
            time.sleep(0.01)
    psutil.wait_procs(left, timeout=max(0.0, deadline - time.monotonic()))
