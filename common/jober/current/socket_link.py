"""The way to the agent from a process of a run: a connection to its socket, made when needed."""

import atexit
import os
import select
import threading
import time
from dataclasses import asdict
from typing import Any

from jober.agent_socket import Connection
from jober.current.terminated import Terminated
from jober.errors import AgentUnreachable
from jober.log_line import LogLine
from jober.progress import Step

# A report that cannot be made is dropped, and the next attempt is made so long after.
AGAIN_S = 1.0
# Reports of progress go out at most so often, and the last one always.
FLUSH_S = 0.05


class SocketLink:
    """The link of a process, and of what it forks. Safe to share between threads."""

    def __init__(self, path: str, token: str) -> None:
        self._path = path
        self._token = token
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._connected_at = 0.0
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        self._next_try = 0.0
        self._cancelled = False
        self._terminated: Terminated | None = None
        self._waiting: dict[str, Step] = {}
        self._sent_at = 0.0
        self._flusher: threading.Thread | None = None

    def progress(self, step: Step) -> None:
        with self._own():
            # What an earlier report of the group said and this one does not stays said.
            before = self._waiting.pop(step.group, None)
            self._waiting[step.group] = before.updated(step) if before else step
            if time.monotonic() - self._sent_at >= FLUSH_S:
                self._flush()
            elif self._flusher is None:
                atexit.register(self.flush)
                self._flusher = threading.Thread(target=self._flush_often, daemon=True)
                self._flusher.start()

    def log(self, line: LogLine) -> bool:
        with self._own():
            return self._send({"log": asdict(line)})

    def is_over(self) -> bool:
        return False

    def cancelled(self) -> bool:
        return self.wait_cancelled(0.0)

    def wait_cancelled(self, timeout_s: float | None) -> bool:
        with self._own():
            if self._terminated is None:
                self._terminated = Terminated()
            terminated = self._terminated
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._look():
            left_s = AGAIN_S if deadline is None else deadline - time.monotonic()
            if left_s <= 0:
                return False
            connection = self._connection
            waited_for = [terminated.descriptor]
            if connection is not None:
                waited_for.append(connection.socket.fileno())
            select.select(waited_for, [], [], min(left_s, AGAIN_S))
        return True

    def flush(self) -> None:
        """Send what waits to be sent."""
        with self._own():
            self._flush()

    def close(self) -> None:
        """Send what waits, and hang up; SIGTERM does as before. For who serves runs in turn."""
        with self._own():
            self._flush()
            if self._connection is not None:
                self._connection.close()
            if self._terminated is not None:
                self._terminated.close()
            self._begin()
        atexit.unregister(self.flush)

    def _own(self) -> threading.RLock:
        """The lock of this process: a fork may have taken over a locked one, and our parent's
        connection."""
        if self._pid != os.getpid():
            self._begin()
        return self._lock

    def _look(self) -> bool:
        """Whether the run has been asked to stop, as far as is known now."""
        with self._lock:
            if self._terminated is not None and self._terminated.came:
                self._cancelled = True
            connection = None if self._cancelled else self._connected()
            try:
                while connection and (told := connection.hear(0.0)):
                    if any("cancelled" in one for one in told):
                        self._cancelled = True
            except AgentUnreachable:
                self._hang_up()
            return self._cancelled

    def _flush_often(self) -> None:
        while True:
            time.sleep(FLUSH_S)
            with self._lock:
                if self._flusher is not threading.current_thread():
                    return
                self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._sent_at = time.monotonic()
        for group in list(self._waiting):
            self._send({"progress": asdict(self._waiting.pop(group))})

    def _send(self, told: dict[str, Any]) -> bool:
        # A second time where the first was to an agent that is gone by now.
        for _ in range(2):
            connection = self._connected()
            if connection is None:
                return False
            try:
                connection.send(told)
                return True
            except AgentUnreachable:
                self._hang_up()
        return False

    def _connected(self) -> Connection | None:
        if self._connection is None and time.monotonic() >= self._next_try:
            try:
                self._connection = Connection(self._path, self._token)
                self._connected_at = time.monotonic()
            except AgentUnreachable:
                self._next_try = time.monotonic() + AGAIN_S
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        # One that would only be hung up on again is not made at once.
        self._next_try = self._connected_at + AGAIN_S
