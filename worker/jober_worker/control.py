"""Hears the commands that are published for the agent: RQ's (stop-job, shutdown) and ours."""

import threading
from collections.abc import Callable
from typing import Any

from jober.errors import RedisUnavailable
from jober.store import Store
from jober_worker.part import Part

RETRY_S = 0.5


class Control:
    """A command that is lost while Redis is away is found again by the next renewal."""

    def __init__(
        self, store: Store, agent: str, on_command: Callable[[dict[str, Any]], None]
    ) -> None:
        self._store = store
        self._agent = agent
        self._on_command = on_command
        self._stopping = threading.Event()
        self.part = Part("control", self._run)

    def stop(self) -> None:
        """Hear no more. It is not waited for: it may listen for a second more."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._store.agents.listen(self._agent, self._on_command, self._stopping.is_set)
            except RedisUnavailable:
                self._stopping.wait(RETRY_S)
