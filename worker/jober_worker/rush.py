"""What comes at once is begun before it is told what has ended: as long as more waits than one
claim takes, the reports wait too, since Redis does one thing at a time.

For a moment only: where there is always more, ends are told as they come.
"""

import threading
import time

AT_MOST_S = 0.2


class Rush:
    """`begin` and `end` are for whoever claims, `wait` for whoever reports."""

    def __init__(self, at_most_s: float = AT_MOST_S) -> None:
        self._at_most_s = at_most_s
        self._until_s = 0.0
        self._over = threading.Event()
        self._over.set()

    @property
    def is_on(self) -> bool:
        return not self._over.is_set() and time.monotonic() < self._until_s

    def begin(self) -> None:
        """Something has come to an agent that had nothing to claim."""
        self._until_s = time.monotonic() + self._at_most_s
        self._over.clear()

    def end(self) -> None:
        """All that came is claimed, or too many ends wait."""
        self._over.set()

    def wait(self) -> None:
        """Wait for its end, or until the moment is over."""
        if not self._over.is_set():
            self._over.wait(max(0.0, self._until_s - time.monotonic()))
