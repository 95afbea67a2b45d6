"""Agents join, are live while they renew, and are struck off when they are silent."""

import json

from jober.job import Job
from jober.store import Store
from jober.store.changes import Change
from tests.store.hand import Hand
from tests.waiting import wait_until


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


def test_an_agent_that_gives_signs_of_life_is_not_struck_off(store: Store, hand: Hand) -> None:
    """It has renewed since somebody saw that it was silent."""
    hand.agent()
    store.connection.command("ZADD", "jober:agents", 1, "host1-aaaaaa")
    script_keys = ["jober:agents", "jober:agent:host1-aaaaaa", "rq:workers", "rq:worker:x"]
    hand.renew()
    assert store.connection.run("leave", script_keys, ["host1-aaaaaa", "lost", ""]) == 0
    assert [agent.id for agent in store.agents.live()] == ["host1-aaaaaa"]


def test_by_another_redis_nobody_is_struck_off_or_passed_over(store: Store, hand: Hand) -> None:
    """Its agents have not renewed themselves yet: it looks as if they were silent."""
    hand.agent()
    hand.job()
    id = hand.run(host="host1")
    store.connection.command("HSET", f"rq:job:{id}", "bound_until", 1)
    store.connection.command("ZADD", "jober:agents", 1, "host1-aaaaaa")
    other = "0" * 40
    assert store.agents.bury(server=other) == []
    assert store.leases.stray(server=other) == ([], [])
    server = store.leases.server()
    assert store.agents.bury(server=server) == ["host1-aaaaaa"]
    assert store.leases.stray(server=server) == ([], [id])


def test_what_is_ordered_of_a_host_is_told_to_its_agents(store: Store, hand: Hand) -> None:
    hand.agent()
    hand.agent("host2-bbbbbb")
    channel = store.connection.client.pubsub(ignore_subscribe_messages=True)
    channel.psubscribe("rq:pubsub:*")
    wait_until(lambda: store.connection.command("PUBSUB", "NUMPAT"))
    assert store.agents.order("host1", "cordon")
    told = wait_until(lambda: channel.get_message(timeout=1.0))
    assert told["channel"] == b"rq:pubsub:host1-aaaaaa"
    assert json.loads(told["data"]) == {"command": "orders"}
    assert channel.get_message(timeout=0.05) is None, "the other host is not concerned"
    channel.close()


def test_an_agent_of_a_cordoned_host_is_cordoned_whatever_it_says(store: Store, hand: Hand) -> None:
    store.agents.order("host1", "cordon")
    hand.agent()
    assert [agent.state for agent in store.agents.live()] == ["cordoned"]
    hand.renew()
    assert [agent.state for agent in store.agents.live()] == ["cordoned"]
    store.agents.order("host1", "uncordon")
    hand.renew()
    assert [agent.state for agent in store.agents.live()] == ["up"]


def test_an_agent_is_listed_at_the_queues_that_it_serves_now(store: Store, hand: Hand) -> None:
    hand.agent("host1-aaaaaa", ("web", "db"))
    store.agents.serves("host1-aaaaaa", ["db", "adder"])
    store.agents.queues()
    listed = {queue: hand.count(f"rq:workers:{queue}") for queue in ("web", "db", "adder")}
    assert listed == {"web": 0, "db": 1, "adder": 1}


def test_an_agent_that_has_joined_with_other_roles_is_listed_at_its_queues_alone(
    store: Store, hand: Hand
) -> None:
    hand.agent("host1-aaaaaa", ("web",))
    hand.agent("host1-aaaaaa", ("db",))
    store.agents.serves("host1-aaaaaa", ["@host1", "db"])
    assert [hand.count(f"rq:workers:{queue}") for queue in ("web", "db", "@host1")] == [0, 1, 1]


def test_agents_are_told_by_name_of_queues_that_nobody_knew(store: Store) -> None:
    with store.connection.client.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe("jober:control")
        wait_until(lambda: store.connection.command("PUBSUB", "NUMSUB", "jober:control")[1])
        for name, roles in (("a", ["db", "web"]), ("b", ["db", "web"]), ("c", ["!gpu"])):
            job = Job.from_spec(name, {"command": ["true"], "roles": roles})
            store.jobs.apply([Change(op="add", name=name, job=job)])
        told = [
            next(heard for heard in iter(lambda: channel.get_message(1), ()) if heard) for _ in "ac"
        ]
    assert [json.loads(message["data"]) for message in told] == [
        {"command": "queues", "queues": [queue]} for queue in ("db|web", "!gpu")
    ]


def test_an_agent_whose_record_has_expired_is_struck_off_too(store: Store, hand: Hand) -> None:
    hand.agent()
    store.connection.command("DEL", "jober:agent:host1-aaaaaa", "rq:worker:host1-aaaaaa")
    store.connection.command("ZADD", "jober:agents", 1, "host1-aaaaaa")
    assert store.agents.bury() == ["host1-aaaaaa"]
    assert hand.count("rq:workers") == 0


def test_an_agent_that_is_gone_is_no_worker_of_its_host_though_another_one_came_before_it_went(
    store: Store, hand: Hand
) -> None:
    command = store.connection.command
    hand.agent("host1-aaaaaa")
    hand.agent("host1-bbbbbb")
    store.agents.leave("host1-aaaaaa")
    assert b"rq:queue:@host1" in command("SMEMBERS", "rq:queues")
    store.agents.leave("host1-bbbbbb")
    assert not command("EXISTS", "rq:workers:@host1")
    assert b"rq:queue:@host1" not in command("SMEMBERS", "rq:queues")


def test_a_record_that_somebody_has_damaged_hides_no_other_agent(store: Store, hand: Hand) -> None:
    hand.agent("web1-aaaaaa")
    hand.agent("web2-aaaaaa")
    store.connection.command("HSET", "jober:agent:web1-aaaaaa", "roles", "web", "pid", "none")
    assert [agent.id for agent in store.agents.live()] == ["web2-aaaaaa"]
