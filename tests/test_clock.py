"""The clock of Redis, as it is told by replies that take their time."""

import time

from jober.clock import RedisClock

HOUR_MS = 3_600_000


def told(clock: RedisClock, ahead_ms: float, trip_s: float) -> float:
    """A reading of a Redis whose clock is so far ahead, whose reply came at once after a request
    that took `trip_s`; by how much the clock is ahead now."""
    now = time.monotonic()
    clock.observe(now * 1000 + ahead_ms, now - trip_s, now)
    return clock.now_ms_exact() - time.monotonic() * 1000


def test_the_shortest_trip_is_believed() -> None:
    clock = RedisClock()
    assert abs(told(clock, 0, 0.001)) < 5
    assert abs(told(clock, 0, 4.0)) < 5, "half of four seconds would be the error"
    assert clock.leaps() == 0


def test_a_clock_that_was_set_is_believed_at_once_and_counted() -> None:
    clock = RedisClock()
    told(clock, 0, 0.001)
    for leaps, ahead_ms in enumerate((HOUR_MS, 0, -HOUR_MS), start=1):
        assert abs(told(clock, ahead_ms, 0.2) - ahead_ms) < 200
        assert clock.leaps() == leaps


def test_what_two_clocks_drift_apart_is_no_leap() -> None:
    clock = RedisClock()
    told(clock, 0, 0.001)
    told(clock, 50, 0.001)
    assert clock.leaps() == 0
