"""Who looks on while a fleet works: `rq info`, again and again, and rq-dashboard with somebody
before it. Both read RQ's keys, and clean up after workers that they take for dead."""

import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from tests.free_port import free_port
from tests.waiting import wait_until

BIN = Path(sys.executable).parent
EVERY_S = 0.5
REGISTRIES = ("queued", "finished", "failed", "started", "deferred", "scheduled", "canceled")


class Onlookers:
    """`looks` counts what each has seen; `problems` are pages and reports that failed."""

    def __init__(self, url: str, folder: Path, queue: str) -> None:
        self._url = url
        self._port = free_port()
        self._log = folder / "rq-dashboard.log"
        self.looks = {"rq info": 0, "rq-dashboard": 0}
        self.problems: list[str] = []
        self._is_over = threading.Event()
        self._pages = [
            "",
            "0/data/queues.json",
            "0/data/workers.json",
            *(f"0/data/jobs/{queue}/{registry}/10/asc/1.json" for registry in REGISTRIES),
        ]
        looks = {"rq info": self._info, "rq-dashboard": self._dashboard}
        self._threads = [
            threading.Thread(target=self._again, args=(name, look)) for name, look in looks.items()
        ]
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Onlookers":
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(
                [BIN / "rq-dashboard", "-b", "127.0.0.1", "-p", str(self._port), "-u", self._url],
                stdout=log,
                stderr=log,
            )
        wait_until(self._is_open, 60, "rq-dashboard")
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        assert self._server is not None
        self._server.terminate()
        self._server.wait(45)

    def look_again(self) -> None:
        """Wait until each has looked once more."""
        looked = dict(self.looks)
        wait_until(lambda: all(self.looks[name] > looked[name] for name in looked), 60)

    def _again(self, name: str, look: Callable[[], None]) -> None:
        while not self._is_over.wait(EVERY_S):
            look()
            self.looks[name] += 1

    def _info(self) -> None:
        told = subprocess.run(
            [BIN / "rq", "info", "--url", self._url], capture_output=True, text=True, timeout=60
        )
        if told.returncode:
            self.problems.append(f"rq info: {told.stderr[-500:]}")

    def _dashboard(self) -> None:
        for page in self._pages:
            try:
                self._read(page)
            except urllib.error.HTTPError as error:
                self.problems.append(f"rq-dashboard: {page}: {error}")

    def _read(self, page: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/{page}", timeout=60) as answer:
            read: bytes = answer.read()
            return read

    def _is_open(self) -> bool:
        try:
            return bool(self._read("0/data/queues.json"))
        except OSError:
            return False
