"""Sends what runs write to Redis, in one thread, many runs in one round trip.

A writer never waits for Redis; what waits for it is bounded (see `run_output`). A piece that Redis
refuses for itself, again and again, is given up: one run's output must not hold up all others,
nor the report of its end. The hole is told by the offsets of the frames that follow.
"""

import logging
import threading
import time

from jober.errors import RedisRefused, RedisUnavailable
from jober.logs import about_run
from jober.store import Store
from jober.store.outputs import Piece
from jober_worker.part import Part
from jober_worker.run_output import RunOutput

log = logging.getLogger(__name__)

# What one round trip carries, over all runs.
BATCH_BYTES = 512 * 1024
RETRY_S = 0.25
# Refused for so many times in a row (10 s), a piece is given up.
REFUSALS = 40

_Taken = list[tuple[RunOutput, Piece]]


class Pump:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._ready = threading.Condition()
        self._due: dict[RunOutput, float] = {}
        self._unsent: _Taken = []
        self._stopping = False
        self.part = Part("pump", self._run)

    def stop(self, wait_s: float = 5.0) -> None:
        """Send what waits, and end; where Redis is away, end without."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        self.part.join(wait_s)

    def output(self, run: str, attempt: int) -> RunOutput:
        """The output of an attempt; a later attempt goes on in the same log."""
        return RunOutput(run, attempt <= 1, self.notice, self._store.clock.now_ms)

    def notice(self, output: RunOutput, due: float) -> None:
        """Something of `output` is to be sent at `due` (monotonic seconds)."""
        with self._ready:
            known = self._due.get(output)
            if known is None or due < known:
                self._due[output] = due
                self._ready.notify()

    def _run(self) -> None:
        away = False
        while True:
            if not self._unsent:
                ready = self._wait()
                if ready is None:
                    return
                self._unsent = self._take(ready)
            taken = self._unsent
            self._unsent = self._send(taken)
            unsent = {output for output, _ in self._unsent}
            for output in {output for output, _ in taken} - unsent:
                due = output.settle()
                if due is not None:
                    self.notice(output, due)
            if bool(unsent) is not away:
                away = bool(unsent)
                log.warning("output waits for Redis" if away else "output is sent again")
            if away:
                if self._stopping:
                    return
                time.sleep(RETRY_S)

    def _wait(self) -> list[RunOutput] | None:
        """Wait until something is due, and tell what; None when stopping."""
        with self._ready:
            while True:
                now = time.monotonic()
                due = self._due.items()
                ready = [output for output, at in due if at <= now or self._stopping]
                if ready:
                    for output in ready:
                        del self._due[output]
                    return ready
                if self._stopping:
                    return None
                next_due = min(self._due.values(), default=None)
                self._ready.wait(None if next_due is None else next_due - now)

    def _take(self, ready: list[RunOutput]) -> _Taken:
        taken: _Taken = []
        room = BATCH_BYTES
        for output in ready:
            if not self._place(output):
                self.notice(output, time.monotonic() + RETRY_S)
                continue
            piece, size = output.take(max(1, room))
            room -= size
            taken.append((output, piece))
        return taken

    def _place(self, output: RunOutput) -> bool:
        """Learn where its log goes on; False where Redis does not tell now."""
        if output.is_placed:
            return True
        try:
            output.place(list(self._store.outputs.read(output.run)))
        except RedisUnavailable as error:
            if not self._is_given_up(output, error):
                return False
            output.place(())
        return True

    def _send(self, taken: _Taken) -> _Taken:
        """Send all, and tell what is to be sent again."""
        pieces = [piece for _, piece in taken if piece.frames or piece.drop]
        if not pieces:
            return []
        try:
            self._store.outputs.add(pieces)
        except RedisUnavailable as error:
            if not isinstance(error, RedisRefused):
                return taken
            return self._send_one_by_one(taken, error)
        except Exception as error:
            log.exception("output could not be sent")
            return self._send_one_by_one(taken, error)
        for output, _ in taken:
            output.refusals = 0
        return []

    def _send_one_by_one(self, taken: _Taken, error: Exception) -> _Taken:
        """One of them is refused, or all are: let that one not hold up the others."""
        if len(taken) == 1:
            return [] if self._is_given_up(taken[0][0], error) else taken
        return [left for one in taken for left in self._send([one])]

    def _is_given_up(self, output: RunOutput, error: Exception) -> bool:
        if isinstance(error, RedisUnavailable) and not isinstance(error, RedisRefused):
            return False
        output.refusals += 1
        if output.refusals < REFUSALS:
            return False
        output.refusals = 0
        extra = about_run(output.run)
        log.error("some output of %s is given up: %s", output.run, error, extra=extra)
        return True
