"""What was granted to runs on this host: each attempt that a signed run has is granted once, and no
definition after a newer one. Kept on disk, for all agents of the host, and for the next one.

Numbers of so many runs are kept; where that is not enough, those that were ordered first go, and
then no run is granted that was ordered in their time.
"""

import logging
import re
import threading
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from jober.signing import Granted
from jober.signing.keyring import NotBelieved
from jober.signing.signing import WAITING_ORDER_MS
from jober_worker.shared_log import NotKept, SharedLog

log = logging.getLogger(__name__)

HOUR_MS = 3_600_000
RUNS_AT_MOST = 1_000_000
JOBS_AT_MOST = 100_000
# What was ordered so soon after a definition was signed may be of the one before.
MEANWHILE_MS = 10_000
# The file of jobs is made shorter by the next agent, where it has so many lines more than it needs.
TOO_MANY_LINES = 1000
# So far the clocks of two agents of a host are apart at the most.
APART_MS = 60_000
_JOBS = "jobs"
_SINCE = "since"
# The hour in which it was ordered, and the number of an attempt.
_LINE = re.compile("([0-9]{1,9}) ([0-9a-f]{16})")


class GrantedRuns:
    """In a `folder` of its own, where each hour in which some were granted has a file. Safe to
    share between threads."""

    def __init__(
        self, folder: Path, now_ms: Callable[[], int], at_most: int = RUNS_AT_MOST
    ) -> None:
        self._folder = folder
        self._now_ms = now_ms
        self._at_most = at_most
        self._log = SharedLog(folder)
        self._lock = threading.Lock()
        self._is_read = False
        # The numbers by the hour in which they were ordered; of each file the last such hour.
        self._hours: dict[int, set[int]] = {}
        self._last_in: dict[str, int] = {}
        self._newest: dict[str, int] = {}
        self._lines_of_jobs = 0
        self._since_ms = 0
        self._hour, self._file = 0, ""

    def open(self) -> None:
        """Read what is kept; where it cannot be, nothing is granted until it can."""
        with self._lock:
            try:
                self._begin()
            except NotKept as error:
                log.warning("what is signed is refused: %s", error)
            finally:
                self._log.leave()

    def grant(self, granted: Granted, times: int) -> None:
        """Grant it, as often as `times`. Raises NotBelieved; and NotKept, where it could be granted
        again."""
        with self._lock:
            try:
                hour = self._begin()
                self._grant(granted, times, hour)
            finally:
                self._log.leave()

    def _begin(self) -> str:
        """Learn what was granted meanwhile; the name of the file of this hour. Raises NotKept."""
        self._log.enter()
        hour, since_ms = divmod(self._now_ms(), HOUR_MS)
        if self._is_read and hour == self._hour:
            self._take(_JOBS)
            self._take(self._file)
            if since_ms < APART_MS:
                self._take(str(hour - 1))
            return self._file
        for name in self._log.names():
            self._take(name)
        if not self._is_read:
            if not self._log.is_whole():
                # Nobody knows what was granted before.
                log.warning("%s is not whole: what was ordered before now is refused", self._folder)
                self._forget_until(self._now_ms() + 1)
            if self._lines_of_jobs > len(self._newest) + TOO_MANY_LINES:
                self._log.replace(_JOBS, (f"{at} {job}" for job, at in self._newest.items()))
            self._log.complete()
            self._is_read = True
        self._forget()
        self._hour, self._file = hour, str(hour)
        return self._file

    def _take(self, name: str) -> None:
        """What was written into a file since it was read."""
        lines = self._log.news(name)
        if not lines:
            return
        if name == _JOBS:
            self._lines_of_jobs += len(lines)
            for line in lines:
                at, _, job = line.partition(" ")
                if at.isdecimal():
                    self._newest[job] = max(int(at), self._newest.get(job, 0))
        elif name == _SINCE:
            self._since_ms = max([self._since_ms, *(int(at) for at in lines if at.isdecimal())])
        elif name.isdecimal():
            found = [_LINE.fullmatch(line) for line in lines]
            for one in found:
                if one is not None:
                    self._note(name, int(one[1]), int(one[2], 16))
            if not all(found):
                log.warning(
                    "%s/%s is damaged: what was ordered before is refused", self._folder, name
                )
                over_ms = min(self._now_ms(), (int(name) + 1) * HOUR_MS)
                self._since_ms = max(self._since_ms, over_ms + 1)

    def _note(self, name: str, hour: int, number: int) -> None:
        self._last_in[name] = max(hour, self._last_in.get(name, 0))
        if hour >= self._since_ms // HOUR_MS:
            self._hours.setdefault(hour, set()).add(number)

    def _grant(self, granted: Granted, times: int, name: str) -> None:
        if granted.ordered_ms < self._since_ms:
            raise NotBelieved("it was ordered before what this host remembers")
        self._check_newest(granted)
        for time in range(times):
            number = _number(granted.of, time)
            # Of whichever hour: a run may be ordered anew, when it is given its results.
            if not any(number in known for known in self._hours.values()):
                break
        else:
            raise NotBelieved(f"it was run here before, as often as it may be ({times})")
        hour = granted.ordered_ms // HOUR_MS
        self._log.append(name, f"{hour} {number:016x}")
        self._note(name, hour, number)
        if len(self._hours[hour]) % 1000 == 0:
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
            self._log.append(_JOBS, f"{granted.sealed_ms} {granted.job}")

    def _forget(self) -> None:
        """Let go of what is over, and of what is too much."""
        over = (self._now_ms() - WAITING_ORDER_MS) // HOUR_MS - 1
        for hour in sorted(self._hours)[:-1]:
            is_over = hour < max(over, self._since_ms // HOUR_MS)
            if not is_over and sum(map(len, self._hours.values())) <= self._at_most:
                break
            del self._hours[hour]
            if not is_over:
                self._forget_until((hour + 1) * HOUR_MS)
        first = max(over, self._since_ms // HOUR_MS)
        for name, last in list(self._last_in.items()):
            if last < first:
                del self._last_in[name]
                self._log.remove(name)

    def _forget_until(self, moment_ms: int) -> None:
        if moment_ms > self._since_ms:
            self._since_ms = moment_ms
            self._log.append(_SINCE, str(moment_ms))


def _number(of: str, time: int) -> int:
    told = blake2b(f"{time} {of}".encode("utf-8", "surrogateescape"), digest_size=8)
    return int.from_bytes(told.digest())
