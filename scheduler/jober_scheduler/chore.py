"""What a scheduler does again and again, in a thread of its own, which does not die unseen."""

import logging
import threading
from collections.abc import Callable

from jober.errors import RedisUnavailable

log = logging.getLogger(__name__)

# After a mistake of ours the next look waits at least so long: the log shall not be filled by it.
AFTER_A_MISTAKE_S = 1.0


class Chore:
    """Calls `look` each `every_s` seconds, or when `look` says in how many to be called again.

    While Redis is away it tries on. Whatever else `look` raises is a mistake of ours, or a record
    that nobody foresaw: it is logged, and the chore goes on, since what it does for all the others
    must not end with it.
    """

    def __init__(self, name: str, every_s: float, look: Callable[[], float | None]) -> None:
        self._name = name
        self._every_s = every_s
        self._look = look
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_stopping(self) -> bool:
        return self._stop.is_set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the look at hand."""
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        wait_s, away = self._every_s, False
        while not self._stop.wait(wait_s):
            wait_s = self._every_s
            try:
                asked_s = self._look()
                wait_s = self._every_s if asked_s is None else asked_s
                away = False
            except RedisUnavailable as error:
                if not away:
                    log.warning("the %s waits for Redis: %s", self._name, error)
                away = True
            except Exception:
                log.exception("the %s has failed, and goes on", self._name)
                wait_s = max(self._every_s, AFTER_A_MISTAKE_S)
