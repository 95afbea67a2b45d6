"""What a Redis tells of itself, for a diagnosis."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from jober.doctor import ServerFacts
from jober.errors import RedisRefused
from jober.store.connection import Connection

ROUND_TRIPS = 25
_SETTINGS = ("save", "appendfsync", "timeout", "client-output-buffer-limit")
_LOOPBACK = ("127.", "localhost", "[::1]", "::1")
# What each part of jober does, done so that nothing changes.
_PROBES = {
    "run scripts": ("EVAL", "return 1", 0),
    "write jober's keys": ("EVAL", "return redis.call('DEL', KEYS[1])", 1, "jober:doctor"),
    "read RQ's keys": ("EXISTS", "rq:queues"),
    "write RQ's keys": ("EVAL", "return redis.call('DEL', KEYS[1])", 1, "rq:doctor"),
    "publish": ("PUBLISH", "jober:doctor", ""),
    "follow its log of events": ("XRANGE", "jober:events:log", "-", "+", "COUNT", 1),
    "wait for work": ("BLPOP", "jober:doctor", 0.01),
}


class ServerStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def facts(self) -> ServerFacts:
        """All that a diagnosis wants to know of it. Raises RedisUnavailable."""
        self._redis.observe_time()
        trips = [self._round_trip_ms() for _ in range(ROUND_TRIPS)]
        user = self._asked("ACL", "WHOAMI")
        parts = urlsplit(self._redis.url)
        return ServerFacts(
            info=_flat(
                self._asked("INFO") or {"redis_version": "of a version that we may not ask for"}
            ),
            settings=self._settings(),
            user=user.decode() if isinstance(user, bytes) else parts.username,
            with_password=bool(parts.password),
            is_local=parts.scheme == "unix"
            or parts.netloc.rpartition("@")[2].startswith(_LOOPBACK),
            round_trips_ms=tuple(trips),
            clock_ahead_ms=self._redis.clock.ahead_ms(),
            refused=self._refused(),
        )

    def _round_trip_ms(self) -> float:
        begun = time.monotonic()
        self._redis.command("PING")
        return (time.monotonic() - begun) * 1000

    def _settings(self) -> dict[str, str] | None:
        found: dict[str, str] = {}
        for name in _SETTINGS:
            told = self._asked("CONFIG GET", name)
            if told is None:
                return None
            found |= _flat(told)
        return found

    def _asked(self, *command: Any) -> Any:
        """The reply; None where we may not ask."""
        try:
            return self._redis.command(*command)
        except RedisRefused:
            return None

    def _refused(self) -> dict[str, str]:
        found = {}
        for what, probe in _PROBES.items():
            try:
                self._redis.command(*probe)
            except RedisRefused as error:
                found[what] = error.problem
        return found


def _flat(told: Mapping[Any, Any]) -> dict[str, str]:
    def text(value: Any) -> str:
        return value.decode(errors="replace") if isinstance(value, bytes) else str(value)

    return {text(name): text(value) for name, value in told.items()}
