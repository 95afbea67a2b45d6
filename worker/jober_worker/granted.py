"""What was granted to runs on this host: each attempt that a signed run has is granted once, and no
definition after a newer one. Kept on disk, for the next agent of the host.

Numbers of so many runs are kept; where that is not enough, those that were ordered first go, and
then no run is granted that was ordered in their time.
"""

import logging
import os
import re
import threading
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from jober.signing import Granted
from jober.signing.keyring import NotBelieved
from jober.signing.signing import WAITING_ORDER_MS

log = logging.getLogger(__name__)

HOUR_MS = 3_600_000
RUNS_AT_MOST = 1_000_000
JOBS_AT_MOST = 100_000
# What was ordered so soon after a definition was signed may be of the one before.
MEANWHILE_MS = 10_000
_JOBS = "jobs"
_SINCE = "since"
_NUMBER = re.compile("[0-9a-f]{16}")


class GrantedRuns:
    """In a `folder` of its own. Safe to share between threads."""

    def __init__(
        self, folder: Path, now_ms: Callable[[], int], at_most: int = RUNS_AT_MOST
    ) -> None:
        self._folder = folder
        self._now_ms = now_ms
        self._at_most = at_most
        self._lock = threading.Lock()
        self._hours: dict[int, set[int]] = {}
        self._newest: dict[str, int] = {}
        self._since_ms = 0
        self._files: dict[str, int] = {}
        self._is_kept = True

    def open(self) -> None:
        """Read what is kept. What cannot be read, or kept, is told of once."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for file in sorted(self._folder.iterdir()):
                self._read(file)
        except OSError as error:
            self._not_kept(error)
            # Nobody knows what was granted before.
            self._since_ms = self._now_ms()
        self._forget()

    def _read(self, file: Path) -> None:
        lines = file.read_text("ascii", "replace").splitlines()
        if file.name == _JOBS:
            for line in lines:
                at, _, job = line.partition(" ")
                if at.isdecimal():
                    self._newest[job] = max(int(at), self._newest.get(job, 0))
        elif file.name == _SINCE:
            self._since_ms = max([self._since_ms, *(int(at) for at in lines if at.isdecimal())])
        elif file.name.isdecimal():
            number = int(file.name)
            good = [line for line in lines if _NUMBER.fullmatch(line)]
            self._hours.setdefault(number, set()).update(int(line, 16) for line in good)
            if len(good) < len(lines):
                log.warning("%s is damaged: what was ordered in that hour is refused", file)
                self._since_ms = max(self._since_ms, (number + 1) * HOUR_MS)

    def grant(self, granted: Granted, times: int) -> None:
        """Grant it, as often as `times`. Raises NotBelieved."""
        with self._lock:
            if granted.ordered_ms < self._since_ms:
                raise NotBelieved("it was ordered before what this host remembers")
            self._check_newest(granted)
            hour = self._hours.setdefault(granted.ordered_ms // HOUR_MS, set())
            for time in range(times):
                number = _number(granted.of, time)
                # Of whichever hour: a run may be ordered anew, when it is given its results.
                if not any(number in known for known in self._hours.values()):
                    break
            else:
                raise NotBelieved(f"it was run here before, as often as it may be ({times})")
            hour.add(number)
            self._keep(str(granted.ordered_ms // HOUR_MS), f"{number:016x}")
            if len(hour) % 1000 == 0:
                self._forget()

    def _check_newest(self, granted: Granted) -> None:
        if granted.job is None:
            return
        newest = self._newest.get(granted.job, 0)
        if granted.sealed_ms < newest and granted.ordered_ms > newest + MEANWHILE_MS:
            raise NotBelieved("its definition was put back: a newer one was run here before")
        if granted.sealed_ms > newest:
            if len(self._newest) >= JOBS_AT_MOST:
                self._newest.clear()
            self._newest[granted.job] = granted.sealed_ms
            self._keep(_JOBS, f"{granted.sealed_ms} {granted.job}")

    def _forget(self) -> None:
        """Let go of what is over, and of what is too much."""
        over = (self._now_ms() - WAITING_ORDER_MS) // HOUR_MS - 1
        while self._hours:
            oldest = min(self._hours)
            too_many = sum(map(len, self._hours.values())) > self._at_most
            if oldest >= over and not (too_many and len(self._hours) > 1):
                return
            del self._hours[oldest]
            if oldest >= over:
                self._since_ms = max(self._since_ms, (oldest + 1) * HOUR_MS)
                self._keep(_SINCE, str(self._since_ms))
            self._close(str(oldest))
            try:
                (self._folder / str(oldest)).unlink(missing_ok=True)
            except OSError as error:
                self._not_kept(error)

    def _keep(self, name: str, line: str) -> None:
        if not self._is_kept:
            return
        try:
            file = self._files.get(name)
            if file is None:
                if len(self._files) >= 8:
                    self._close(next(iter(self._files)))
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
                file = self._files[name] = os.open(self._folder / name, flags, 0o600)
            os.write(file, f"{line}\n".encode())
        except OSError as error:
            self._not_kept(error)

    def _close(self, name: str) -> None:
        file = self._files.pop(name, None)
        if file is not None:
            os.close(file)

    def _not_kept(self, error: Exception) -> None:
        if self._is_kept:
            log.warning("what was granted is not kept in %s: %s", self._folder, error)
        self._is_kept = False


def _number(of: str, time: int) -> int:
    told = blake2b(f"{time} {of}".encode("utf-8", "surrogateescape"), digest_size=8)
    return int.from_bytes(told.digest())
