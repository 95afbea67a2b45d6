"""Which runs an agent has begun, told where its death does not wipe it out.

An agent takes runs ahead of its slots. Where it is killed, Redis cannot tell which of them it had
begun; so each is marked before it begins, in memory that the guardian has too, and hands on to the
next agent. That gives back what its forerunner had not begun: the guardian has seen to it that
nothing of that one is left. A mark is no more than a store into memory, so it costs nothing.

It is memory and no file, so that nobody takes the marks of a host that has lost its last moments,
or of another guardian, for what has happened.
"""

import mmap
from collections import deque
from collections.abc import Sequence
from zlib import crc32

from jober_worker.kernel import shared_memory

# One for each run that is held, which are hardly ever more than some hundreds; those beyond have
# the first place in common, and where that is marked, any may have begun.
PLACES = 4096
_SHARED = 0
# The id of the agent whose runs these are, and then a number for each place.
_OWNER_BYTES = 256
_SIZE = _OWNER_BYTES + 4 * PLACES


class Begun:
    """`file` is a descriptor of the memory, None for memory of one's own; whoever has it may mark.

    Places are given and taken back by the one agent that they belong to, in any of its threads.
    """

    def __init__(self, file: int | None = None) -> None:
        self.file = shared_memory(_SIZE) if file is None else file
        self._free = deque(range(1, PLACES) if file is None else ())
        memory = memoryview(mmap.mmap(self.file, _SIZE))
        self._owner = memory[:_OWNER_BYTES]
        self._marks = memory[_OWNER_BYTES:].cast("I")

    @property
    def owner(self) -> str:
        """The id of the agent that it belongs to; empty where it never had one."""
        return bytes(self._owner).rstrip(b"\0").decode("utf-8", "replace")

    def belong_to(self, agent: str) -> None:
        """Wipe out all marks: from now on they are of this agent's runs."""
        self._marks[:] = memoryview(bytes(4 * PLACES)).cast("I")
        self._owner[:] = agent.encode()[:_OWNER_BYTES].ljust(_OWNER_BYTES, b"\0")
        self._free = deque(range(1, PLACES))

    def take(self) -> int:
        """A place for one run."""
        try:
            return self._free.pop()
        except IndexError:
            return _SHARED

    def free(self, place: int) -> None:
        """Nobody marks there any more, and what has become of the run is known."""
        if place != _SHARED:
            self._marks[place] = 0
            self._free.append(place)

    def mark(self, place: int, lease: str) -> None:
        """The run begins."""
        self._marks[place] = _mark_of(lease)

    def not_begun(self, leases: Sequence[str]) -> list[str]:
        """Those of the runs that have not begun for certain: one whose mark is that of another may
        be taken for begun, and none that has begun for one that has not."""
        marks = set(self._marks)
        if self._marks[_SHARED]:
            return []
        return [lease for lease in leases if _mark_of(lease) not in marks]


def _mark_of(lease: str) -> int:
    return crc32(lease.encode()) or 1
