"""Agents join, are live while they renew, and are struck off when they are silent."""

from jober.store import Store
from tests.store.hand import Hand


def test_an_agent_that_has_joined_is_live_and_wakes_the_leader(store: Store, hand: Hand) -> None:
    hand.agent("web1-aaaaaa", ("web", "adder"))
    (agent,) = store.agents.live()
    assert (agent.id, agent.host, agent.roles, agent.state) == (
        "web1-aaaaaa",
        "web1",
        frozenset({"web", "adder"}),
        "up",
    )
    assert agent.started_at_ms > 0 and agent.seen_at_ms > 0
    assert store.jobs.wait_for_change(1)
    assert {"adder", "web", "@web1"} <= set(store.agents.queues())


def test_joining_again_is_harmless(store: Store, hand: Hand) -> None:
    hand.agent()
    hand.agent()
    assert len(store.agents.live()) == 1
    assert [e.type for e in store.events.newest() if e.type.startswith("agent")] == ["agent.joined"]


def test_a_renewal_tells_load_and_state(store: Store, hand: Hand) -> None:
    hand.agent()
    store.agents.renew("host1-aaaaaa", [], running=3, load=1.5, state="draining")
    (agent,) = store.agents.live()
    assert (agent.running, agent.load, agent.state) == (3, 1.5, "draining")


def test_an_agent_that_leaves_is_gone_for_us_and_for_rq(store: Store, hand: Hand) -> None:
    hand.agent("host1-aaaaaa", ("web",))
    assert store.agents.leave("host1-aaaaaa")
    assert not store.agents.leave("host1-aaaaaa")
    assert store.agents.live() == []
    left = store.connection.command("KEYS", "*host1-aaaaaa*")
    assert left == []
    assert hand.count("rq:workers") == 0
    assert hand.count("rq:workers:web") == 0


def test_a_silent_agent_is_struck_off_and_told(store: Store, hand: Hand) -> None:
    hand.agent()
    assert store.agents.bury() == []
    store.connection.command("ZADD", "jober:agents", 1, "host1-aaaaaa")
    assert store.agents.live() == []
    assert store.agents.bury() == ["host1-aaaaaa"]
    assert store.agents.bury() == []
    assert store.events.newest(1)[0].type == "agent.lost"


def test_an_agent_whose_record_has_expired_is_struck_off_too(store: Store, hand: Hand) -> None:
    hand.agent()
    store.connection.command("DEL", "jober:agent:host1-aaaaaa", "rq:worker:host1-aaaaaa")
    store.connection.command("ZADD", "jober:agents", 1, "host1-aaaaaa")
    assert store.agents.bury() == ["host1-aaaaaa"]
    assert hand.count("rq:workers") == 0
