"""A part of the agent: a loop in a thread of its own, which does not die unseen."""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

# A loop that fails is begun again after so long; one that fails so often in a row is dead.
AGAIN_S = 0.5
FAILURES = 5
# One that has worked for so long in between has not failed in a row.
HEALTHY_S = 60.0


class Part:
    """`loop` works until it is told to stop, and then returns; what it raises is a bug.

    After one it is begun again. A part that fails on and on `is_dead`, and an agent without it
    would hold runs that it cannot end: it gives up its life, and the guardian starts another.
    """

    def __init__(self, name: str, loop: Callable[[], None]) -> None:
        self.name = name
        self.is_dead = False
        self._loop = loop
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, wait_s: float) -> bool:
        """Wait until it has ended; False where it has not."""
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            try:
                self._loop()
                return
            except BaseException:
                log.exception("the %s has failed", self.name)
            failures = 1 if time.monotonic() - began > HEALTHY_S else failures + 1
            if failures >= FAILURES:
                self.is_dead = True
                return
            time.sleep(AGAIN_S)
