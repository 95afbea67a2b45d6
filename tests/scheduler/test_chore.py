"""A chore goes on, whatever happens to it."""

import threading

import pytest

from jober.errors import RedisUnavailable
from jober_scheduler.chore import Chore
from tests.waiting import wait_until


def test_a_chore_goes_on_though_its_look_fails_or_redis_is_away(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jober_scheduler.chore.AFTER_A_MISTAKE_S", 0.01)
    errors: list[Exception] = [
        RedisUnavailable("redis://x", "away"),
        RedisUnavailable("redis://x", "away"),
        ValueError("a record that nobody foresaw"),
    ]
    done = threading.Event()

    def look() -> float | None:
        if errors:
            raise errors.pop(0)
        done.set()
        return None

    chore = Chore("test", 0.01, look)
    chore.start()
    assert done.wait(45)
    chore.stop()
    assert caplog.text.count("the test waits for Redis") == 1, "told once an outage"
    assert "a record that nobody foresaw" in caplog.text


def test_a_look_may_say_when_the_next_is_due() -> None:
    looks = 0

    def look() -> float:
        nonlocal looks
        looks += 1
        return 0.001

    chore = Chore("test", 0.01, look)
    chore.start()
    wait_until(lambda: looks > 3)
    chore.stop()
    before = looks
    assert chore.is_stopping
    assert looks == before
