"""Tests wait for a condition, never for time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T | None], within: float = 45.0, told: str = "") -> T:
    """The first true answer of `condition`, looked at often; AssertionError after `within` s."""
    deadline = time.monotonic() + within
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {told or condition}; last: {answer!r}")
        time.sleep(0.01)
