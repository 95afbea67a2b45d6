"""What a run has used: seconds of CPU, and the peak memory of its largest process.

The kernel counts the peak of a program from its birth, as a copy of the agent: what it tells after
the end is the greater of the program's own and the agent's. So the program is looked at while it
runs, now and then; where the kernel's figure is greater than the agent's, that is the truth.
"""

import time
from dataclasses import dataclass
from resource import RUSAGE_SELF, getrusage, struct_rusage

from jober_worker.kernel import MAXRSS_BYTES, children_of, peak_memory_bytes

# Soon at first, since most programs are short; then each time after twice as long.
FIRST_S = 0.02
AT_MOST_S = 2.0
# Any program has more once it is loaded: what is less was seen on its way from fork to exec.
LEAST_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """None where it is not known."""

    cpu_s: float | None = None
    peak_memory_bytes: int | None = None


class PeakMemory:
    """The largest peak that was seen of a tree of processes; `due_s` is when to look again."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._agent = getrusage(RUSAGE_SELF).ru_maxrss * MAXRSS_BYTES
        self._seen = 0
        self._wait_s = FIRST_S
        self.due_s = time.monotonic() + FIRST_S

    def look(self) -> None:
        """Look at each of its processes."""
        waiting = [self._pid]
        while waiting:
            pid = waiting.pop()
            seen = peak_memory_bytes(pid) or 0
            if seen >= LEAST_BYTES:
                self._seen = max(self._seen, seen)
            waiting += children_of(pid)
        self._wait_s = min(self._wait_s * 2, AT_MOST_S)
        self.due_s = time.monotonic() + self._wait_s

    def usage(self, told: struct_rusage | None) -> Usage:
        """What it has used, with what the kernel told at its end."""
        if told is None:
            return Usage(peak_memory_bytes=self._seen or None)
        peak = told.ru_maxrss * MAXRSS_BYTES
        return Usage(
            cpu_s=round(told.ru_utime + told.ru_stime, 6),
            peak_memory_bytes=(peak if peak > self._agent else self._seen) or None,
        )
