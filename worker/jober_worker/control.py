"""Hears the commands that are published for the agent: RQ's (stop-job, shutdown) and ours."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from jober.errors import RedisUnavailable
from jober.store import Store

log = logging.getLogger(__name__)

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
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._store.agents.listen(self._agent, self._on_command, self._stopping.is_set)
            except RedisUnavailable:
                self._stopping.wait(RETRY_S)
