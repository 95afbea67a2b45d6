"""Events: `Jober.on` calls back, `Jober.events` iterates after a snapshot, and can be resumed."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from jober import Jober
from jober.client.happenings import Snapshot
from jober.embedded import RedisServer
from jober.errors import DefinitionError
from jober.event import Event
from jober.run import RunState
from jober.store.events import EventStore
from tests.fleet import Fleet
from tests.store.hand import Hand
from tests.waiting import wait_until


@pytest.fixture
def jober(redis_server: RedisServer) -> Iterator[Jober]:
    with Jober(redis_server.url) as jober:
        yield jober


def next_event(events: Iterator[Event | Snapshot]) -> Event:
    event = next(events)
    assert isinstance(event, Event)
    return event


def test_a_snapshot_comes_first_and_then_what_happens_in_order(jober: Jober, hand: Hand) -> None:
    hand.job()
    agent = hand.agent()
    id = hand.run()
    [claim] = hand.claim()
    events = jober.events()
    snapshot = next(events)
    assert isinstance(snapshot, Snapshot)
    assert snapshot.leader is not None and snapshot.leader.token == hand.token
    assert [one.id for one in snapshot.agents] == [agent]
    assert [run.id for run in snapshot.running] == [id]
    assert not snapshot.lost
    assert snapshot.to_dict()["type"] == "snapshot"
    hand.finish(claim)
    hand.job("other")
    assert [next_event(events).type for _ in range(2)] == ["run.finished", "job.added"]


def test_it_goes_on_after_an_event_without_a_snapshot_and_misses_nothing(
    jober: Jober, hand: Hand
) -> None:
    events = jober.events()
    next(events)
    hand.job("a")
    last = next_event(events)
    hand.job("b")
    hand.job("c")
    again = jober.events(after=last.id)
    assert [next_event(again).job for _ in range(2)] == ["b", "c"]


def test_where_the_log_has_lost_some_a_snapshot_says_so(jober: Jober, hand: Hand) -> None:
    hand.job("a")
    [event] = jober.recent_events(1)
    hand.job("b")
    pipeline = jober.store.connection.client.pipeline()
    for _ in range(10_200):
        pipeline.xadd("jober:events:log", {"type": "job.changed", "at": 1, "job": "a"})
    pipeline.xtrim("jober:events:log", maxlen=10_000, approximate=False)
    pipeline.execute()
    first = next(jober.events(after=event.id))
    assert isinstance(first, Snapshot)
    assert first.lost
    [newest] = jober.recent_events(1)
    assert first.id == newest.id


def test_events_are_those_of_the_types_and_the_job_that_are_wanted(
    jober: Jober, hand: Hand
) -> None:
    hand.agent()
    events = jober.events("job.*", "error", after=jober.store.events.last_id(), timeout=0.2)
    of_other = jober.events(name="other", after=jober.store.events.last_id(), timeout=0.2)
    hand.job()
    for state in (RunState.SUCCESS, RunState.FAILED, RunState.CANCELLED):
        hand.run()
        [claim] = hand.claim()
        hand.finish(claim, state)
    hand.job("other")
    told = [event for event in events if isinstance(event, Event)]
    assert [(one.type, one.job, one.facts.get("state")) for one in told] == [
        ("job.added", "job", None),
        ("run.finished", "job", "failed"),
        ("job.added", "other", None),
    ]
    assert [event.type for event in of_other] == ["job.added"]


def test_a_callback_is_called_for_each_event_from_when_it_was_asked_for(
    jober: Jober, hand: Hand
) -> None:
    hand.job("before")
    told: list[Event] = []
    subscription = jober.on("job.added", told.append)
    hand.job("a")
    hand.job("b")
    wait_until(lambda: len(told) == 2)
    assert [event.job for event in told] == ["a", "b"]
    subscription.stop()
    later: list[Event] = []
    jober.on("*", later.append)
    hand.job("c")
    wait_until(lambda: later)
    assert len(told) == 2
    assert [event.job for event in later] == ["c"]


def test_a_callback_that_raises_stops_neither_itself_nor_others(jober: Jober, hand: Hand) -> None:
    told: list[str | None] = []

    @jober.on("job.added")
    def bad(event: Event) -> None:
        told.append(event.job)
        raise ValueError("mine")

    good: list[str | None] = []
    jober.on("job.added", lambda event: good.append(event.job))
    hand.job("a")
    hand.job("b")
    wait_until(lambda: len(good) == 2)
    assert told == good == ["a", "b"]
    assert callable(bad)


def test_no_callback_is_called_after_the_end(redis_server: RedisServer, hand: Hand) -> None:
    told: list[Event] = []
    jober = Jober(redis_server.url)
    jober.on("*", told.append)
    hand.job("a")
    wait_until(lambda: told)
    jober.close()
    hand.job("b")
    with Jober(redis_server.url) as other:
        heard: list[Event] = []
        other.on("*", heard.append)
        hand.job("c")
        wait_until(lambda: heard)
    assert [event.job for event in told] == ["a"]
    assert "jober-events" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize("type", ["run.finishd", "", "x*", 7])
def test_a_type_that_is_none_is_refused(jober: Jober, type: Any) -> None:
    with pytest.raises(DefinitionError, match="is no type of events"):
        jober.on(type, print)
    with pytest.raises(DefinitionError, match="is no type of events"):
        jober.events(type)


def test_a_place_that_is_none_is_refused(jober: Jober) -> None:
    for id in ("x", "9" * 19, f"1-{2**64}", "٣-0"):
        with pytest.raises(DefinitionError, match=f"'{id}' is not the id of an event"):
            jober.events(after=id)
    # Nothing stands before the very beginning, as Redis would say.
    assert not list(jober.event_page(before="0-0"))


def test_starts_ends_errors_missed_fires_leaders_and_agents_are_told(fleet: Fleet) -> None:
    jober = fleet.jober
    told: dict[str, list[Event]] = {}
    for kind in ("start", "finish", "error", "missed", "leader", "agents"):
        jober.on(kind, told.setdefault(kind, []).append)
    fleet.scheduler()
    fleet.agent("alpha")
    jober.add_job("lonely", command="true", every=1, roles=["nowhere"])
    jober.add_job("good", command="sleep 0.2")
    jober.add_job("bad", command="false")
    for name in ("good", "bad"):
        jober.run(name).wait(90)
    wait_until(lambda: all(told.values()), 60, "one of each kind")
    assert {event.job for event in told["start"]} >= {"good"}
    assert [event.job for event in told["finish"]][:2] == ["good", "bad"]
    assert [(event.job, event.facts["state"]) for event in told["error"]] == [("bad", "failed")]
    assert told["missed"][0].job == "lonely"
    assert told["leader"][0].type == "leader.elected"
    assert told["agents"][0].facts["host"] == "alpha"


def test_events_go_on_after_redis_was_away(tmp_path: Any) -> None:
    server = RedisServer(tmp_path / "redis", durable=True).start()
    try:
        with Jober(server.url) as jober:
            told: list[Event] = []
            jober.on("job.added", told.append)
            jober.add_job("a", command="true")
            wait_until(lambda: told)
            server.stop()
            server = RedisServer(tmp_path / "redis", durable=True).start()
            wait_until(lambda: _added(jober, "b"), 30)
            wait_until(lambda: len(told) == 2, 30)
            assert [event.job for event in told] == ["a", "b"]
    finally:
        server.stop()


def test_an_outage_is_logged_once_however_often_the_events_are_asked_for(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked = 0
    follow = EventStore.follow

    def counted(*told: Any) -> Iterator[Event | None]:
        nonlocal asked
        asked += 1
        return follow(*told)

    monkeypatch.setattr(EventStore, "follow", counted)
    server = RedisServer(tmp_path / "redis").start()
    with Jober(server.url) as jober:
        jober.on("job.added", print)
        wait_until(lambda: asked)
        server.stop()
        wait_until(lambda: asked >= 4, 60)
    assert caplog.text.count("events wait for Redis") == 1


def _added(jober: Jober, name: str) -> bool:
    try:
        jober.add_job(name, command="true")
    except Exception:
        return False
    return True
