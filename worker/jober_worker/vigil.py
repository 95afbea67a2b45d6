"""Services that may run on one host alone are stopped where Redis cannot be reached.

Their leases end then, and another host takes them over: this one must have let go before. What runs
on every host goes on, as all other runs do. The clock goes on while the host is suspended.
"""

import threading
import time
from typing import TYPE_CHECKING

from jober_worker.part import Part

if TYPE_CHECKING:
    from jober_worker.agent import Agent

# Since the last renewal, of leases that are good for 10 s: when they are asked to stop, and when
# they are killed.
ASK_S = 6.0
KILL_S = 8.5
LOOK_S = 0.25
REASON = "its agent could not reach Redis, and another host may take it over"


class Vigil:
    def __init__(self, agent: "Agent") -> None:
        self._agent = agent
        self._stopping = threading.Event()
        self._renewed_s = now_s()
        self.part = Part("vigil", self._run)

    def renewed(self, begun_s: float) -> None:
        """The leases were renewed, by a call that began then (by `now_s`)."""
        self._renewed_s = begun_s

    def stop(self) -> None:
        self._stopping.set()
        self.part.join(1)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            silent_s = now_s() - self._renewed_s
            if silent_s < ASK_S:
                continue
            for execution in self._agent.executions():
                if execution.service == "any":
                    execution.stop(REASON, at_once=silent_s >= KILL_S)


def now_s() -> float:
    """Seconds since the host has started, those in which it was suspended included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
