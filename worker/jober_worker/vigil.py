"""No two runs of a service at once.

Those that may run on one host alone are stopped where Redis cannot be reached: their leases end
then, and another host takes them over, so this one must have let go before. What runs on every host
goes on, as all other runs do. The clock goes on while the host is suspended.
"""

import threading
import time
from typing import TYPE_CHECKING

from jober.pace import paced_s
from jober_worker.kernel import now_s
from jober_worker.part import Part

if TYPE_CHECKING:
    from jober_worker.agent import Agent
    from jober_worker.execution import Execution

# Since the last renewal, of leases that are good for 10 s: when they are asked to stop, and when
# they are killed.
ASK_S = paced_s(6.0)
KILL_S = paced_s(8.5)
LOOK_S = paced_s(0.25)
AGAIN_S = 0.02
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

    @property
    def is_renewed(self) -> bool:
        """Whether the leases are known to be ours."""
        return now_s() - self._renewed_s < ASK_S

    def end_older(self, execution: "Execution") -> None:
        """Wait until no other run of the same service is executed here. There is one where it was
        given up as lost while Redis could not be reached, and does not know it yet."""
        job = execution.claim.job
        while older := [
            one
            for one in self._agent.held.executions()
            if one.service and one.claim.job == job and one.begun_s < execution.begun_s
        ]:
            for one in older:
                one.give_up()
            time.sleep(AGAIN_S)

    def stop(self) -> None:
        self._stopping.set()
        self.part.join(1)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            silent_s = now_s() - self._renewed_s
            if silent_s < ASK_S:
                continue
            for execution in self._agent.held.executions():
                if execution.service == "any":
                    execution.stop(REASON, at_once=silent_s >= KILL_S)
