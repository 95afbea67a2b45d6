"""Reports ended attempts, many in one round trip, until Redis has taken them."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from jober.errors import RedisUnavailable
from jober.store import Store
from jober.store.leases import Finish

log = logging.getLogger(__name__)

BATCH = 100
RETRY_S = 0.5


class Reporter:
    """`on_reported` is told each report that Redis has answered."""

    def __init__(self, store: Store, agent: str, on_reported: Callable[[Finish], None]) -> None:
        self._store = store
        self._agent = agent
        self._on_reported = on_reported
        self._ready = threading.Condition()
        self._waiting: deque[Finish] = deque()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, finish: Finish) -> None:
        with self._ready:
            self._waiting.append(finish)
            self._ready.notify()

    def stop(self, wait_s: float) -> bool:
        """Report what waits, for at most `wait_s` seconds; False where something is left."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        away = False
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._waiting or self._stopping)
                batch = [self._waiting[i] for i in range(min(BATCH, len(self._waiting)))]
            if not batch:
                return
            try:
                answers = self._store.leases.finish(self._agent, batch)
            except RedisUnavailable as error:
                if not away:
                    log.warning("%d results wait: %s", len(self._waiting), error)
                away = True
                threading.Event().wait(RETRY_S)
                continue
            if away:
                log.info("results are reported again")
                away = False
            for finish, done in zip(batch, answers, strict=True):
                with self._ready:
                    self._waiting.popleft()
                if not done:
                    log.warning("%s is over, or another's, already", finish.claim.lease)
                self._on_reported(finish)
