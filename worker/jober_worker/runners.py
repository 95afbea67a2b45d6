"""The threads that carry out runs: one for each slot. What is put in is begun in that order."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from jober_worker.execution import Execution
from jober_worker.records import about

log = logging.getLogger(__name__)


class Runners:
    """A thread comes up where one is needed, and stays."""

    def __init__(self, count: int, execute: Callable[[Execution], None]) -> None:
        self._count = count
        self._execute = execute
        self._waiting: deque[Execution] = deque()
        self._ready = threading.Condition()
        self._idle = 0
        self._threads = 0

    def put(self, executions: Sequence[Execution]) -> None:
        """Have them carried out."""
        with self._ready:
            self._waiting.extend(executions)
            self._ready.notify(len(self._waiting))
            lacking = min(len(self._waiting) - self._idle, self._count - self._threads)
            for _ in range(lacking):
                self._threads += 1
                name = f"run_{self._threads}"
                threading.Thread(target=self._run, name=name, daemon=True).start()

    def take_back(self) -> list[Execution]:
        """Those that are reserved and were not begun, in their order; they will not be."""
        taken = []
        with self._ready:
            # One by one: whoever gets one has it alone, a thread takes the next without the lock.
            with suppress(IndexError):
                while True:
                    taken.append(self._waiting.popleft())
            self._waiting.extend(one for one in taken if not one.claim.reserved)
        return [one for one in taken if one.claim.reserved]

    def oldest_s(self) -> float | None:
        """When the first that waits was claimed (`kernel.now_s`); None where none does."""
        try:
            return self._waiting[0].begun_s
        except IndexError:
            return None

    def _run(self) -> None:
        while True:
            try:
                execution = self._waiting.popleft()
            except IndexError:
                with self._ready:
                    self._idle += 1
                    while not self._waiting:
                        self._ready.wait()
                    self._idle -= 1
                continue
            try:
                self._execute(execution)
            except BaseException:
                claim = execution.claim
                log.exception("what %s came to cannot be told", claim.id, extra=about(claim))
