"""A pipe that wakes up whoever waits at it. They are used again: most are for one run."""

import os
from collections import deque


class Wake:
    """`ring` may be called by any thread; `reading` can be read once it was."""

    def __init__(self) -> None:
        self.reading, self._writing = os.pipe()
        os.set_blocking(self.reading, False)
        os.set_blocking(self._writing, False)

    def ring(self) -> None:
        try:
            os.write(self._writing, b"!")
        except BlockingIOError:
            pass  # it has more than enough to wake up for

    def heard(self) -> None:
        """It has woken up."""
        try:
            os.read(self.reading, 4096)
        except BlockingIOError:
            pass

    def close(self) -> None:
        os.close(self.reading)
        os.close(self._writing)


class Wakes:
    """Those that nobody waits at now."""

    def __init__(self) -> None:
        self._idle: deque[Wake] = deque()

    def take(self) -> Wake:
        try:
            return self._idle.pop()
        except IndexError:
            return Wake()

    def give_back(self, wake: Wake) -> None:
        """Nobody rings it any more."""
        wake.heard()
        self._idle.append(wake)
