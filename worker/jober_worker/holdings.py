"""What an agent has in hand: the runs that it executes, and those that it has still to report."""

import threading
from collections.abc import Callable, Collection, Sequence

from jober_worker.begun import Begun
from jober_worker.execution import Execution


class Holdings:
    """For any thread. All are known by their leases."""

    def __init__(self, begun: Begun) -> None:
        self._begun = begun
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._held: dict[str, Execution] = {}
        self._executing: dict[str, Execution] = {}
        self._stopping_all: tuple[str, bool] | None = None

    def take(self, executions: Sequence[Execution]) -> None:
        """They are to be executed; where all that runs is to stop, they are told so."""
        with self._lock:
            for execution in executions:
                lease = execution.lease
                self._held[lease] = self._executing[lease] = execution
            stopping = self._stopping_all
        if stopping:
            for execution in executions:
                execution.stop(stopping[0], at_once=stopping[1])

    def over(self, executions: Sequence[Execution]) -> None:
        """They are executed no more, and to be reported."""
        with self._lock:
            for execution in executions:
                self._executing.pop(execution.lease, None)
                if execution.lease not in self._held:
                    self._free(execution)
            if not self._executing:
                self._changed.notify_all()

    def forget(self, leases: Collection[str]) -> None:
        """They are reported, or another's."""
        with self._lock:
            for lease in leases:
                execution = self._held.pop(lease, None)
                if execution and lease not in self._executing:
                    self._free(execution)
            if not self._held:
                self._changed.notify_all()

    def _free(self, execution: Execution) -> None:
        """It is neither executed nor held any more."""
        if execution.place is not None:
            self._begun.free(execution.place)
            execution.place = None

    def executions(self) -> list[Execution]:
        """What it executes now."""
        with self._lock:
            return list(self._executing.values())

    def leases(self) -> list[str]:
        """All it answers for."""
        with self._lock:
            return list(self._held)

    def running(self) -> int:
        """How many it executes."""
        with self._lock:
            return len(self._executing)

    def wait_executed(self, wait_s: float) -> None:
        """Wait until nothing is executed."""
        self._wait(lambda: not self._executing, wait_s)

    def wait_reported(self, wait_s: float) -> None:
        """Wait until all is reported."""
        self._wait(lambda: not self._held, wait_s)

    def _wait(self, done: Callable[[], bool], wait_s: float) -> None:
        with self._changed:
            self._changed.wait_for(done, wait_s)

    def stop_run(self, run: str, reason: str) -> None:
        """Ask the attempts of a run to stop."""
        for execution in self.executions():
            if execution.claim.id == run:
                execution.stop(reason)

    def stop_lease(self, lease: str, reason: str) -> None:
        """Ask one attempt to stop."""
        if execution := self._one(lease):
            execution.stop(reason)

    def give_up(self, lease: str) -> None:
        """Stop an attempt that has been given up as lost, or is another's."""
        if execution := self._one(lease):
            execution.give_up()

    def stop_all(self, reason: str, *, at_once: bool = False) -> None:
        """Ask all that runs to stop, and what may still come; `at_once` with KILL."""
        with self._lock:
            self._stopping_all = (reason, at_once)
        for execution in self.executions():
            execution.stop(reason, at_once=at_once)

    def _one(self, lease: str) -> Execution | None:
        with self._lock:
            return self._executing.get(lease)
