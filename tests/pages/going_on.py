"""A command that goes on until it is ended. What it says is in a file, so that it never waits for
somebody to read it."""

import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.waiting import wait_until

PATIENCE_S = 60


class GoingOn:
    """One that was started; `place` is where on a page it stands."""

    def __init__(
        self, place: str, command: list[str], folder: Path, environ: Mapping[str, str], log: Path
    ) -> None:
        self.place = place
        self._log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self._log.read_text("utf-8", errors="replace")

    def wait_until(self, is_so: Callable[[], object]) -> None:
        """Wait until it does what it is for; AssertionError where it ends before."""
        wait_until(lambda: is_so() or self._process.poll() is not None, PATIENCE_S, self.place)
        assert self._process.poll() is None, f"{self.place} has ended: {self.said}"

    def end(self) -> str | None:
        """End it as Ctrl-C does, and tell what is wrong with how it ended."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            status = self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return f"{self.place} does not end: {self.said}"
        if status in (0, 130, -signal.SIGINT):
            return None
        return f"{self.place} ended with {status}: {self.said}"
