"""Events: told to whoever listens, and kept for who comes later."""

import json

from jober.store import Store
from tests.store.hand import Hand
from tests.waiting import wait_until


def test_an_event_is_published_as_it_is_kept(store: Store, hand: Hand) -> None:
    hand.job("unheard")
    channel = store.connection.client.pubsub(ignore_subscribe_messages=True)
    channel.subscribe("jober:events")
    wait_until(lambda: store.connection.command("PUBSUB", "NUMSUB", "jober:events")[1])
    hand.job("heard")
    message = wait_until(lambda: channel.get_message(timeout=1.0))
    channel.close()
    told = json.loads(message["data"])
    newest, before = store.events.newest(2)
    assert (told["type"], told["job"], told["at"]) == ("job.added", "heard", newest.at_ms)
    assert (newest.type, newest.facts["job"]) == ("job.added", "heard")
    assert (before.type, before.facts["job"]) == ("job.added", "unheard")


def test_an_entry_that_no_jober_has_written_is_passed_over(store: Store, hand: Hand) -> None:
    hand.job("before")
    strange = store.connection.command("XADD", "jober:events:log", "*", "a", "b").decode()
    assert store.events.last_id() == strange
    assert [event.facts["job"] for event in store.events.newest(2)] == ["before"]
    hand.job("after")
    told = store.events.follow(after="0", wait_s=0.05)
    assert [event.facts.get("job") for event in iter(lambda: next(told), None)][-2:] == [
        "before",
        "after",
    ]
