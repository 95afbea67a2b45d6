"""The functions that only this program has: called in its threads, by an agent of its own.

The agent has one role, by which it is found, and is started with the first such function.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jober.errors import JoberError

if TYPE_CHECKING:
    from jober.embedded.member import Membership

# The entry points of the agent that programs run for themselves.
GROUP = "jober.local"


class OwnFunctions:
    """Those of one program in one folder."""

    def __init__(self, membership: "Membership") -> None:
        self._membership = membership
        self._lock = threading.Lock()
        self._agent: tuple[Callable[[], None], Callable[[], None]] | None = None

    @property
    def role(self) -> str:
        """What only the agent of this program has: no agent that has any role has it."""
        return f".program-{self._membership.id}"

    def fields(self, function: Callable[..., Any]) -> dict[str, Any]:
        """The fields of a job that calls the function. Raises JoberError."""
        from jober.embedded import local

        with self._lock:
            if self._agent is None:
                self._agent = self._start()
            heed, _ = self._agent
        heed()
        return {"call": local.add(function), "roles": [self.role]}

    def close(self) -> None:
        """End the agent."""
        with self._lock:
            agent, self._agent = self._agent, None
        if agent is not None:
            _, stop = agent
            stop()

    def _start(self) -> tuple[Callable[[], None], Callable[[], None]]:
        from importlib.metadata import entry_points

        membership = self._membership
        for point in entry_points(group=GROUP, name="agent"):
            host = f"program-{membership.id}"
            heed, stop = point.load()(membership.url, host, self.role, membership.folder)
            return heed, stop
        raise JoberError(
            "what calls functions of this program is not installed (install jober again: "
            "pip install jober)"
        )
