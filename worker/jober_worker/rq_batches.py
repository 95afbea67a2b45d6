"""The batches of plain RQ jobs that go on, and the jobs that wait for one.

Where jobs are quick, there are no more batches than cores: more processes do no more, and to start
one takes as long as thousands of such jobs. Where they take longer, they may well wait for
something, and each slot has its own. As long as nobody knows, they are taken for quick.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from jober.run import Outcome
from jober_worker.ahead import Ahead
from jober_worker.rq_batch import RqBatch

if TYPE_CHECKING:
    from jober_worker.execution import Execution, Means

# What takes less, as most do, is quick.
QUICK_S = 0.001


class RqBatches:
    """For any thread. `begin` has executions carried out in threads, by `perform`; `over` is told
    how each has ended."""

    def __init__(
        self,
        slots: int,
        means: "Means",
        ahead: Ahead,
        begin: Callable[[Sequence["Execution"]], None],
        over: Callable[[Sequence[tuple["Execution", Outcome]]], None],
    ) -> None:
        self._slots = slots
        self._cores = min(slots, os.cpu_count() or 1)
        self._means = means
        self._ahead = ahead
        self._begin = begin
        self.over = over
        self._lock = threading.Lock()
        self._waiting: deque[Execution] = deque()
        # Those that a thread is to begin a batch with, and the batches that take others too.
        self._handed: set[Execution] = set()
        self._going: set[RqBatch] = set()

    def put(self, executions: Iterable["Execution"]) -> None:
        """Have them performed, in a batch that goes on or in another one."""
        with self._lock:
            self._waiting.extend(executions)
            going = list(self._going)
        self._hand_on()
        for batch in going:
            batch.look()

    def perform(self, execution: "Execution") -> bool:
        """Perform it in this thread, and others after it; False where it cannot be in a batch."""
        call = execution.batched
        batch = RqBatch(execution, call, self._means, self) if call else None
        with self._lock:
            self._handed.discard(execution)
            if batch:
                self._going.add(batch)
        if batch is None:
            self._hand_on()
            return False
        try:
            batch.carry_out()
        finally:
            self.leave(batch)
        return True

    def more(self, most: int) -> list["Execution"]:
        """So many others for a batch, at the most: its share of those that wait."""
        taken: list[Execution] = []
        others: list[Execution] = []
        with self._lock:
            share = -(-len(self._waiting) // self._at_once())
            for _ in range(min(most, len(self._waiting), max(share, self._ahead.at_once))):
                one = self._waiting.popleft()
                # What is asked to stop by now is none for a batch.
                (taken if one.batched else others).append(one)
        if others:
            self._begin(others)
        self._hand_on()
        return taken

    def put_back(self, executions: Sequence["Execution"]) -> None:
        """What was taken, and not begun, is begun first."""
        with self._lock:
            self._waiting.extendleft(reversed(executions))
        self._hand_on()

    def leave(self, batch: RqBatch) -> None:
        """It takes no others any more: it is over, or has one job alone, which is slow."""
        with self._lock:
            self._going.discard(batch)
        self._hand_on()

    def take_back(self, begun: Iterable["Execution"]) -> list["Execution"]:
        """Those that are reserved and wait, in their order; neither they nor `begun`, which threads
        were to begin, will be performed."""
        with self._lock:
            self._handed.difference_update(begun)
            taken = [one for one in self._waiting if one.claim.reserved]
            self._waiting = deque(one for one in self._waiting if not one.claim.reserved)
        return taken

    def oldest_s(self) -> float | None:
        """When the first that waits was claimed (`kernel.now_s`); None where none does."""
        try:
            return self._waiting[0].begun_s
        except IndexError:
            return None

    def _at_once(self) -> int:
        """How many batches there may be."""
        usual_s = self._ahead.usual_s
        return self._cores if usual_s is None or usual_s <= QUICK_S else self._slots

    def _hand_on(self) -> None:
        """Have as many batches as there may be."""
        with self._lock:
            room = self._at_once() - len(self._going) - len(self._handed)
            handed = [self._waiting.popleft() for _ in range(min(room, len(self._waiting)))]
            self._handed.update(handed)
        if handed:
            self._begin(handed)
