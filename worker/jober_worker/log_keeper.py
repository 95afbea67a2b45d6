"""Keeps the logs of this host within their bounds, and reads from them what clients ask for.

In a thread of its own: a disk that hangs must not hold up commands and leases.
"""

import queue
import threading
import time
from dataclasses import replace

from jober.clock import SystemClock
from jober.errors import RedisUnavailable
from jober.output import Frame
from jober.store import Store
from jober.store.host_logs import PIECE_BYTES, PIECE_SPANS, Answer, Asked
from jober_worker.log_folder import LogFolder, NoLog
from jober_worker.part import Part

# Who asks when so many wait is not answered, and asks again.
WAITING = 64
SWEEP_S = 60.0


class LogKeeper:
    def __init__(self, store: Store, folder: LogFolder, keep_s: float, total_bytes: int) -> None:
        self.folder = folder
        self._store = store
        self._keep_s = keep_s
        self._total_bytes = total_bytes
        self._clock = SystemClock()
        self._asked: queue.Queue[Asked | None] = queue.Queue(WAITING)
        self._stopping = threading.Event()
        self.part = Part("log keeper", self._run)

    def ask(self, asked: Asked) -> None:
        """Have it answered, soon; never waits."""
        try:
            self._asked.put_nowait(asked)
        except queue.Full:
            pass

    def stop(self) -> None:
        """Answer no more. It is not waited for: a disk may hold it up."""
        self._stopping.set()
        try:
            self._asked.put_nowait(None)
        except queue.Full:
            pass

    def _run(self) -> None:
        sweep_at = 0.0
        while not self._stopping.is_set():
            now = time.monotonic()
            if now >= sweep_at:
                self.folder.sweep(self._keep_s, self._total_bytes, self._clock.now_ms() / 1000)
                sweep_at = now + SWEEP_S
            try:
                asked = self._asked.get(timeout=max(0.0, sweep_at - now))
            except queue.Empty:
                continue
            if asked is not None:
                try:
                    self._store.host_logs.answer(asked, self.answer(asked))
                except RedisUnavailable:
                    continue  # who asked will ask again

    def answer(self, asked: Asked) -> Answer:
        """What is asked for, or why it cannot be had."""
        folder, answer = self.folder, Answer(path=str(self.folder.path))
        try:
            answer = replace(answer, path=str(folder.of_run(asked.run)))
            ends = [
                (number, folder.parts(asked.run, number)[-1].end)
                for number in folder.attempts(asked.run)
            ]
            answer = replace(answer, attempts=tuple(ends))
            limit = min(PIECE_BYTES, asked.end - asked.start)
            if limit <= 0:
                return answer
            if asked.attempt not in dict(ends):
                raise NoLog("it has no log of that attempt (any more)")
            spans = folder.read(asked.run, asked.attempt, asked.start, limit, PIECE_SPANS)
        except NoLog as error:
            return replace(answer, problem=str(error))
        except (OSError, IndexError, ValueError) as error:
            return replace(answer, problem=f"it cannot be read: {error}")
        frames = [
            Frame(seq=0, stream=span.stream, at_ms=span.at_ms, offset=span.offset, data=span.data)
            for span in spans
        ]
        return replace(answer, frames=tuple(frames))
