"""Which of many runs have just written, told over one connection."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jober.output import End
from jober.progress import Progress
from jober.store import keys
from jober.store.connection import Connection
from jober.store.outputs import read_message

# A run that is added is subscribed to within so long.
LOOK_S = 0.05
_BATCH = 1_000


@dataclass(slots=True)
class Stirred:
    """What was heard of a run: that it is heard from now on (`added`), that the connection was made
    anew (`again`), its newest progress, that it has `ended`. It may have written in any case."""

    added: bool = False
    again: bool = False
    progress: Progress | None = None
    ended: bool = False


class OutputFeed:
    """`add` and `drop` may be called by any thread, `told` by one."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection
        self._wanted: set[str] = set()
        self._added: set[str] = set()
        self._lock = threading.Lock()
        self._some = threading.Event()

    def add(self, run: str) -> None:
        """Tell of a run from now on: the first that is told is that it was added."""
        with self._lock:
            self._wanted.add(run)
            self._added.add(run)
            self._some.set()

    def drop(self, run: str) -> None:
        """Tell of it no more."""
        with self._lock:
            self._wanted.discard(run)
            self._added.discard(run)

    def told(self, wait_s: float) -> Iterator[dict[str, Stirred]]:
        """What was heard, some at a time, without an end; nothing where nothing was for a while.

        Raises RedisUnavailable; when it is called again, all runs have to be looked at again.
        """
        with self._redis.guard():
            channel = self._redis.client.pubsub()
            heard: set[str] = set()
            try:
                while True:
                    with self._lock:
                        wanted = set(self._wanted)
                        if not wanted:
                            self._some.clear()
                    if gone := heard - wanted:
                        channel.unsubscribe(*map(keys.out, gone))
                    if new := wanted - heard:
                        channel.subscribe(*map(keys.out, new))
                    heard = wanted
                    if not heard:
                        self._some.wait(wait_s)
                        yield {}
                        continue
                    stirred: dict[str, Stirred] = {}
                    # One that was dropped and added between two looks is heard already.
                    for run in heard - new:
                        self._greet(run, stirred)
                    message = channel.get_message(timeout=LOOK_S)
                    while message is not None:
                        run = message["channel"].decode().removeprefix(keys.out(""))
                        if run in heard:
                            self._take(run, stirred, message)
                        if len(stirred) >= _BATCH:
                            break
                        message = channel.get_message(timeout=0)
                    yield stirred
            finally:
                channel.close()

    def _greet(self, run: str, stirred: dict[str, Stirred]) -> None:
        with self._lock:
            if run in self._added:
                self._added.discard(run)
                stirred.setdefault(run, Stirred()).added = True

    def _take(self, run: str, stirred: dict[str, Stirred], message: Mapping[str, Any]) -> None:
        of_run = stirred.setdefault(run, Stirred())
        if message["type"] == "subscribe":
            of_run.again = True
            self._greet(run, stirred)
        elif message["type"] == "message":
            told = read_message(message["data"])
            if isinstance(told, Progress):
                of_run.progress = told
            elif isinstance(told, End):
                of_run.ended = True
