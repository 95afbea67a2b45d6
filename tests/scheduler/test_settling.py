"""After a restart or a failover of Redis, or where its clock was set, agents are given the time to
tell that they are there."""

import time

import pytest

from jober.run import RunState
from jober.store import Store
from jober_scheduler import reaper as reaper_module
from jober_scheduler import ticker as ticker_module
from jober_scheduler.reaper import Reaper
from tests.scheduler.test_parts import join, put, ticking
from tests.store.hand import Hand
from tests.waiting import wait_until


def silence(store: Store, host: str) -> None:
    """As if Redis had been away for longer than the agent's lease."""
    store.connection.command("ZADD", "jober:agents", 1, f"{host}-aaaaaa")


def hosts_of_fires(store: Store) -> dict[int, set[str | None]]:
    hosts: dict[int, set[str | None]] = {}
    for entry in store.events.ledger("job"):
        hosts.setdefault(entry.fire_at_ms, set()).add(entry.host)
    return hosts


def test_a_fire_is_made_on_the_hosts_that_tell_a_moment_later_that_they_are_there(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticker_module, "SETTLE_S", 60.0)
    for host in ("host1", "host2"):
        join(store, host)
    silence(store, "host2")
    put(store, every=1, on="every")
    began_ms = store.clock.now_ms()
    with ticking(store):
        wait_until(lambda: store.clock.now_ms() > began_ms + 1_500)
        assert hosts_of_fires(store) == {}
        join(store, "host2")
        wait_until(lambda: len(hosts_of_fires(store)) >= 2)
    for hosts in hosts_of_fires(store).values():
        assert hosts == {"host1", "host2"}


def test_a_host_that_does_not_tell_that_it_is_there_is_not_waited_for_any_longer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticker_module, "SETTLE_S", 0.3)
    for host in ("host1", "host2"):
        join(store, host)
    silence(store, "host2")
    put(store, every=1, on="every")
    with ticking(store):
        wait_until(lambda: len(hosts_of_fires(store)) >= 1)
    for hosts in hosts_of_fires(store).values():
        assert hosts == {"host1"}


def test_a_clock_of_redis_that_goes_back_and_forth_does_not_send_the_leader_to_sleep(
    store: Store,
) -> None:
    join(store, "host1")
    put(store, every=1)
    with ticking(store):
        wait_until(lambda: hosts_of_fires(store))
        now = store.clock.monotonic()
        store.clock.observe(store.clock.now_ms() - 3_600_000, now, now)
        # It has been looked at while it was wrong: what was due within the second is not by now.
        wait_until(lambda: store.clock.monotonic() > now + 1.5)
        now = store.clock.monotonic()
        store.clock.observe(time.time() * 1000, now, now)
        fires = len(hosts_of_fires(store))
        wait_until(lambda: len(hosts_of_fires(store)) > fires)


def test_after_the_clock_of_redis_was_set_leases_are_good_for_one_full_lease_more(
    store: Store, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease_ms = 3_000
    monkeypatch.setattr(reaper_module, "EVERY_S", 0.02)
    monkeypatch.setattr(reaper_module, "LEASE_MS", 10)
    hand.job(concurrency=2)
    hand.agent()
    first, second = hand.run(), hand.run()
    lease_of_first, lease_of_second = (claim.lease for claim in hand.claim())
    hand.expire(lease_of_first)
    reaper = Reaper(store)
    reaper.chore.start()
    # From here on it has looked, and waits for nothing.
    wait_until(lambda: hand.state(first) is RunState.LOST)
    monkeypatch.setattr(reaper_module, "LEASE_MS", lease_ms)
    leaps = store.clock.leaps()
    now = store.clock.monotonic()
    # What Redis tells from here on is an hour ahead of what it told before.
    store.clock.observe(store.clock.now_ms() - 3_600_000, now, now)
    wait_until(lambda: store.clock.leaps() >= leaps + 2)
    began = store.clock.now_ms()
    hand.expire(lease_of_second)
    wait_until(lambda: hand.state(second) is RunState.LOST)
    reaper.chore.stop()
    ended = store.runs.get(second).ended_at_ms
    assert ended is not None and ended - began >= lease_ms - 500
