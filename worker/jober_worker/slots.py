"""How much an agent holds: the slots that its runs take, those that wait for one with it."""

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """How many slots are `free`, and how many runs may be reserved `ahead` of them, `ahead_once` as
    far as they are not tried again where the agent dies."""

    free: int
    ahead: int
    ahead_once: int


class Slots:
    """`slots` in all; for any thread. A run that was reserved takes one too, free or not."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._held = 0
        self._lock = threading.Lock()
        self._awaited = -1  # somebody waits until no more than so many are held
        self._room = threading.Event()

    @property
    def free(self) -> int:
        """How many are free; none where reserved runs wait for one."""
        return max(0, self.slots - self._held)

    @property
    def busy(self) -> float:
        """The share that is taken, 0 to 1."""
        return min(1.0, self._held / self.slots)

    def room(self, ahead: int, ahead_once: int) -> Room:
        """What there is room for, where so many may be reserved beyond the slots."""
        free = self.slots - self._held
        waiting = max(0, -free)
        return Room(max(0, free), max(0, ahead - waiting), max(0, ahead_once - waiting))

    def take(self, slots: int) -> None:
        with self._lock:
            self._held += slots

    def release(self, slots: int) -> None:
        with self._lock:
            self._held -= slots
            if self._held <= self._awaited:
                self._awaited = -1
                self._room.set()

    def wait(self, at_most: int, wait_s: float) -> None:
        """Wait until no more than so many are held, or it is called off, or the time is over."""
        with self._lock:
            if self._held <= at_most:
                return
            self._room.clear()
            self._awaited = at_most
        self._room.wait(wait_s)

    def call_off(self) -> None:
        """End the wait."""
        self._room.set()
