"""Agents that serve one queue share what waits in it, and the busy ones let others go first."""

from jober.store import Store
from tests.store.hand import Hand

A, B, C = "a-aaaaaa", "b-bbbbbb", "c-cccccc"


def bell(store: Store) -> int:
    return int(store.connection.command("LLEN", "jober:bell:default"))


def test_what_comes_at_once_is_shared_out(store: Store, hand: Hand) -> None:
    hand.job(overlap="allow")
    for agent in (A, B, C):
        hand.agent(agent)
    runs = [hand.run() for _ in range(6)]
    store.connection.command("DEL", "jober:bell:default")
    assert [claim.id for claim in hand.claim(A)] == runs[:2]
    assert bell(store) == 1
    assert [claim.id for claim in hand.claim(B)] == runs[2:4]
    assert [claim.id for claim in hand.claim(C)] == runs[4:5]
    assert [claim.id for claim in hand.claim(C)] == runs[5:]


def test_an_agent_that_serves_a_queue_alone_takes_all_it_can(store: Store, hand: Hand) -> None:
    hand.job(overlap="allow")
    hand.agent(A)
    runs = [hand.run() for _ in range(6)]
    assert [claim.id for claim in hand.claim(A)] == runs


def test_a_ring_is_passed_on_where_something_waits_that_others_serve(
    store: Store, hand: Hand
) -> None:
    hand.job()
    hand.agent(A)
    hand.run()
    store.connection.command("DEL", "jober:bell:default")
    assert not store.leases.pass_on(["default"])
    hand.agent(B)
    assert store.leases.pass_on(["default"]) and bell(store) == 1
    store.connection.command("DEL", "jober:bell:default")
    hand.claim(A)
    assert not store.leases.pass_on(["default"]) and bell(store) == 0
