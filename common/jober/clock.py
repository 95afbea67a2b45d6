"""The only reader of time.

Decisions take a moment as an argument; the edges take a `Clock`. Moments are milliseconds
since the Unix epoch (`int`, named `*_ms`) where they meet Redis, and aware `datetime`s
where they meet people.
"""

import threading
import time
from datetime import UTC, datetime
from typing import Protocol

# By so much may two clocks drift apart within the minute that a reading is believed.
_DRIFT_MS = 100.0


class Clock(Protocol):
    """What the edges ask for time."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never step, for deadlines."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


class RedisClock:
    """The clock of Redis, carried on by this machine's monotonic one.

    All moments that are decided on are Redis's: nodes whose clocks differ, or step, agree.
    Feed it what `TIME` said with `observe`; before that it is the machine's own clock.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset_ms = time.time() * 1000 - time.monotonic() * 1000
        self._best_trip: float | None = None
        self._observed_at = 0.0
        self._leaps = 0

    def observe(self, redis_ms: float, sent_at: float, received_at: float) -> None:
        """Take in a reading: `redis_ms` was told between two monotonic moments in seconds.

        The shortest round trip of the last minute is believed, since its error is at
        most half of it (Cristian's algorithm, 1989). One that no trip explains is of a clock that
        was set, or of another server: it is believed at once.
        """
        trip = received_at - sent_at
        offset_ms = redis_ms - (sent_at + received_at) / 2 * 1000
        with self._lock:
            best_trip = self._best_trip
            if best_trip is not None:
                explained_ms = (trip + best_trip) / 2 * 1000 + _DRIFT_MS
                if abs(offset_ms - self._offset_ms) > explained_ms:
                    self._leaps += 1
                    best_trip = None
            stale = received_at - self._observed_at > 60
            if best_trip is None or stale or trip <= best_trip:
                self._best_trip = trip
                self._observed_at = received_at
                self._offset_ms = offset_ms

    def ahead_ms(self) -> float:
        """By how much the clock of this machine is ahead of Redis's; negative where it is
        behind."""
        return time.time() * 1000 - self.now_ms_exact()

    def leaps(self) -> int:
        """How often Redis's clock was seen to have been set."""
        with self._lock:
            return self._leaps

    def now_ms(self) -> int:
        return int(time.monotonic() * 1000 + self._offset_ms)

    def now_ms_exact(self) -> float:
        """Milliseconds with their fraction, to measure with."""
        return time.monotonic() * 1000 + self._offset_ms

    def seconds_until(self, moment_ms: float) -> float:
        """How long until `moment_ms`, in seconds; negative when it is past."""
        return (moment_ms - self._offset_ms) / 1000 - time.monotonic()

    def monotonic(self) -> float:
        return time.monotonic()


def from_ms(moment_ms: int) -> datetime:
    """An aware UTC datetime."""
    return datetime.fromtimestamp(moment_ms / 1000, UTC)


def to_ms(moment: datetime) -> int:
    """Milliseconds since the epoch of an aware datetime."""
    if moment.tzinfo is None:
        raise ValueError("a moment must be aware: give it a time zone")
    return round(moment.timestamp() * 1000)


def iso(moment_ms: int | None) -> str | None:
    """`2026-11-21T03:00:00.123Z`, as it is told everywhere; None stays None."""
    if moment_ms is None:
        return None
    return from_ms(moment_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
