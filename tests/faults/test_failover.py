"""A replica takes the place of the primary: what is lost, and what is not."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from jober.errors import NotConfirmed, RedisUnavailable
from jober.store import Store
from tests.faults.armed_fleet import ArmedFleet
from tests.faults.busy import busy, go_on
from tests.faults.rounds import Rounds
from tests.faults.sentinels import Node, Sentinels
from tests.waiting import wait_until


@pytest.fixture
def sentinels(tmp_path: Path) -> Iterator[Sentinels]:
    with Sentinels(tmp_path) as sentinels:
        yield sentinels


def leads(store: Store, node: str) -> bool:
    try:
        return store.leader.lead(node, 60_000).is_of(node)
    except RedisUnavailable:
        return False


def test_the_new_primary_is_found_after_a_failover(sentinels: Sentinels) -> None:
    store = Store(sentinels.url)
    assert leads(store, "a:1:aaaaaa")
    store.connection.command("SET", "of", "the first")
    wait_until(lambda: sentinels.replica.client.get("of") == b"the first")
    sentinels.fail_over()
    wait_until(lambda: leads(store, "a:1:aaaaaa"))
    assert store.connection.command("GET", "of") == b"the first"
    store.close()


def test_what_no_replica_has_confirmed_has_not_been_done(sentinels: Sentinels) -> None:
    """It is a reply that was lost: what is told as done is on the replica too."""
    sure, unsure = Store(f"{sentinels.url}?wait_replicas=1"), Store(sentinels.url)
    assert leads(sure, "a:1:aaaaaa")
    assert sentinels.replica.client.get("jober:leader") is not None
    sure.connection.command("DEL", "jober:leader")
    wait_until(lambda: sentinels.replica.client.get("jober:leader") is None)
    sentinels.primary.fall_behind()
    with pytest.raises(NotConfirmed, match="0 of the 1 replicas that wait_replicas asks for"):
        sure.leader.lead("b:1:bbbbbb", 60_000)
    assert unsure.leader.lead("b:1:bbbbbb", 60_000).is_of("b:1:bbbbbb"), "it is there, at one place"
    sentinels.fail_over()
    wait_until(lambda: leads(unsure, "c:1:cccccc"))
    with pytest.raises(NotConfirmed):
        sure.leader.lead("c:1:cccccc", 60_000)
    sentinels.come_back()
    wait_until(lambda: leads(sure, "c:1:cccccc"))
    sure.close()
    unsure.close()


def test_a_primary_that_became_a_replica_is_let_go_of(tmp_path: Path) -> None:
    """Its name leads to another by now, and nobody has told the clients."""
    with ExitStack() as stack:
        former, heir = (stack.enter_context(Node(tmp_path / name)) for name in ("a", "b"))
        store = Store(former.proxy.url)
        stack.callback(store.close)
        assert leads(store, "a:1:aaaaaa")
        former.proxy.lead_to(heir.server.socket)
        assert leads(store, "a:1:aaaaaa")
        assert heir.client.get("jober:leader") is None, "the connection is as it was"
        former.follow(heir)
        wait_until(lambda: leads(store, "a:1:aaaaaa"))
        assert heir.client.get("jober:leader") is not None


@pytest.fixture
def available(sentinels: Sentinels, tmp_path: Path) -> Iterator[ArmedFleet]:
    """A fleet that is given the Sentinels; its folder is its own."""
    folder = tmp_path / "fleet"
    folder.mkdir()
    fleet = ArmedFleet(sentinels.url, folder)
    try:
        yield fleet
    finally:
        fleet.stop()
        print(fleet.logs())  # noqa: T201 - shown by pytest where the test fails


@pytest.mark.faults(count=10)
def test_a_replica_that_lags_takes_over_and_all_that_was_confirmed_is_there(
    available: ArmedFleet, sentinels: Sentinels, rounds: Rounds
) -> None:
    available.url += "?wait_replicas=1"
    checker = busy(available)
    for _ in rounds:
        go_on(available)
        sentinels.primary.fall_behind()
        wait_until(lambda: "replicas that wait_replicas asks for" in available.logs(), 30)
        sentinels.fail_over()
        sentinels.come_back()
        rounds.recovered(go_on(available))
    rounds.judge(checker.settled())


@pytest.mark.faults(count=10)
def test_a_replica_that_lags_takes_over_and_what_it_lacks_is_lost_and_nothing_else(
    available: ArmedFleet, sentinels: Sentinels, rounds: Rounds
) -> None:
    """Bodies run again, whose fires or claims were forgotten; what they wrote may have a hole."""
    checker = busy(available, may_repeat=True)
    for _ in rounds:
        go_on(available)
        sentinels.primary.fall_behind()
        go_on(available)
        sentinels.fail_over()
        rounds.recovered(go_on(available))
        sentinels.come_back()
    rounds.judge(checker.settled())
