"""After a restart or a failover of Redis, fires wait for the agents to tell that they are there."""

import pytest

from jober.store import Store
from jober_scheduler import ticker as ticker_module
from tests.scheduler.test_parts import join, put, ticking
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
    monkeypatch.setattr(ticker_module, "SETTLE_MS", 60_000)
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
    monkeypatch.setattr(ticker_module, "SETTLE_MS", 300)
    for host in ("host1", "host2"):
        join(store, host)
    silence(store, "host2")
    put(store, every=1, on="every")
    with ticking(store):
        wait_until(lambda: len(hosts_of_fires(store)) >= 1)
    for hosts in hosts_of_fires(store).values():
        assert hosts == {"host1"}
