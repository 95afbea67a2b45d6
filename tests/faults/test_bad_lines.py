"""The line to Redis is bad: it swallows requests, or replies to what was carried out; it is dead
and tells nobody; it is slow, or narrow. Nothing is lost, and nothing is done twice."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from jober.embedded import RedisServer
from jober.store.scripts import script
from tests.faults.armed_fleet import PACE, ArmedFleet
from tests.faults.busy import busy, go_on
from tests.faults.proxy import Proxy, Swallowed
from tests.faults.rounds import Rounds
from tests.waiting import wait_until

# What is swallowed, in turn: each changes the state of a run, of a fire or of a leader.
STEPS = ("finish", "claim", "fire", "renew", "lead", "out")


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    with RedisServer() as server, Proxy(server.socket) as proxy:
        yield proxy


@pytest.fixture
def pace() -> float:
    return PACE


@pytest.fixture
def distant(proxy: Proxy, tmp_path: Path, pace: float) -> Iterator[ArmedFleet]:
    """A fleet whose every process has that line alone; the test itself is near."""
    fleet = ArmedFleet(f"unix://{proxy.target}", tmp_path, pace)
    fleet.url = proxy.url
    try:
        yield fleet
    finally:
        proxy.heal()
        fleet.stop()
        print(fleet.logs())  # noqa: T201 - shown by pytest where the test fails


def swallowed(fleet: ArmedFleet, proxy: Proxy, rounds: Rounds, what: Swallowed) -> None:
    checker = busy(fleet)
    for number in rounds:
        go_on(fleet)
        step = STEPS[number % len(STEPS)]
        # Also more often than it is sent again by itself.
        proxy.drop(what, script(step).sha.encode(), 1 + number % 6)
        wait_until(lambda: proxy.left_to_drop == 0, 30, f"{step} is swallowed")
        rounds.recovered(go_on(fleet))
    rounds.judge(checker.settled())


@pytest.mark.faults(count=20)
def test_requests_are_swallowed(distant: ArmedFleet, proxy: Proxy, rounds: Rounds) -> None:
    swallowed(distant, proxy, rounds, "request")


@pytest.mark.faults(count=20)
def test_replies_are_swallowed(distant: ArmedFleet, proxy: Proxy, rounds: Rounds) -> None:
    """What was carried out is sent again, and changes nothing."""
    swallowed(distant, proxy, rounds, "reply")


@pytest.mark.faults(count=20)
def test_all_connections_are_half_open(distant: ArmedFleet, proxy: Proxy, rounds: Rounds) -> None:
    checker = busy(distant)
    for _ in rounds:
        go_on(distant)
        assert proxy.half_open()
        rounds.recovered(go_on(distant))
        proxy.heal()
    rounds.judge(checker.settled())


# At a fifth of the pace it would be as 2.5 s are to a fleet in use, and longer than some waits.
@pytest.mark.parametrize("pace", [1.0])
@pytest.mark.faults(count=20)
def test_each_round_trip_takes_500_ms(distant: ArmedFleet, proxy: Proxy, rounds: Rounds) -> None:
    checker = busy(distant)
    for _ in rounds:
        go_on(distant)
        proxy.delay_s = 0.25
        rounds.recovered(go_on(distant, "end"))
        proxy.heal()
    rounds.judge(checker.settled())


@contextmanager
def crowded(proxy: Proxy) -> Iterator[None]:
    """Somebody else takes all of the line that is to be had."""
    is_over = threading.Event()

    def take() -> None:
        with redis.Redis(port=proxy.port) as client:
            client.set("jober:reply:crowd", bytes(64 * 1024), ex=600)
            while not is_over.is_set():
                client.get("jober:reply:crowd")

    crowd = threading.Thread(target=take)
    crowd.start()
    try:
        yield
    finally:
        is_over.set()
        crowd.join()


@pytest.mark.faults(count=20)
def test_64_kib_a_second_get_through(distant: ArmedFleet, proxy: Proxy, rounds: Rounds) -> None:
    checker = busy(distant)
    for _ in rounds:
        go_on(distant)
        proxy.bytes_per_s = 64 * 1024
        with crowded(proxy):
            rounds.recovered(go_on(distant, "end"))
            proxy.heal()
    distant.jober.store.connection.command("DEL", "jober:reply:crowd")
    rounds.judge(checker.settled())
