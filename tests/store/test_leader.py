"""One leader at a time, each with a higher term than the one before."""

import pytest

from jober.record_errors import LeaderUnreadable
from jober.store import Store


def test_the_first_to_ask_leads_and_the_others_learn_who_it_is(store: Store) -> None:
    first = store.leader.lead("a:1:aaaaaa", 6000)
    second = store.leader.lead("b:2:bbbbbb", 6000)
    assert first.elected and first.is_of("a:1:aaaaaa")
    assert not second.elected and second.token == first.token
    assert 0 < second.left_ms <= 6000
    leader = store.leader.current()
    assert leader is not None
    assert (leader.node, leader.host, leader.pid) == ("a:1:aaaaaa", "a", 1)
    assert leader.token == first.token
    assert abs(leader.since_ms - store.clock.now_ms()) < 2000


def test_the_leader_renews_and_keeps_its_term(store: Store) -> None:
    first = store.leader.lead("a:1:aaaaaa", 1000)
    again = store.leader.lead("a:1:aaaaaa", 6000)
    assert again.token == first.token
    assert not again.elected
    assert store.connection.command("PTTL", "jober:leader") > 1000


def test_who_resigns_makes_room_and_the_next_term_is_higher(store: Store) -> None:
    first = store.leader.lead("a:1:aaaaaa", 6000)
    assert store.leader.resign(first.token)
    assert store.leader.current() is None
    second = store.leader.lead("b:2:bbbbbb", 6000)
    assert int(second.token.split(":")[0]) > int(first.token.split(":")[0])


def test_nobody_resigns_for_another(store: Store) -> None:
    first = store.leader.lead("a:1:aaaaaa", 6000)
    store.connection.command("DEL", "jober:leader")
    second = store.leader.lead("b:2:bbbbbb", 6000)
    assert not store.leader.resign(first.token)
    assert store.leader.current() is not None
    assert second.elected


def test_a_clock_that_steps_back_never_lowers_the_term(store: Store) -> None:
    future = store.clock.now_ms() + 3_600_000
    store.connection.command("SET", "jober:term", future)
    reply = store.leader.lead("a:1:aaaaaa", 6000)
    assert int(reply.token.split(":")[0]) == future + 1


def test_a_host_name_with_colons_stays_whole(store: Store) -> None:
    store.leader.lead("fe80::1:77:aaaaaa", 6000)
    leader = store.leader.current()
    assert leader is not None
    assert (leader.host, leader.pid) == ("fe80::1", 77)


def test_a_lead_that_no_scheduler_has_written_is_told_with_the_mend(store: Store) -> None:
    store.connection.command("SET", "jober:leader", "nonsense")
    with pytest.raises(LeaderUnreadable, match="DEL jober:leader"):
        store.leader.current()


def test_a_lead_that_no_scheduler_has_written_keeps_none_from_leading(store: Store) -> None:
    store.connection.command("SET", "jober:leader", "nonsense")
    store.connection.command("SET", "jober:term", "nonsense")
    reply = store.leader.lead("a:1:aaaaaa", 6000)
    assert reply.elected and reply.is_of("a:1:aaaaaa")
    leader = store.leader.current()
    assert leader is not None and leader.node == "a:1:aaaaaa"


def test_a_lead_that_has_lost_its_end_ends_where_nobody_renews_it(store: Store) -> None:
    first = store.leader.lead("a:1:aaaaaa", 6000)
    store.connection.command("PERSIST", "jober:leader")
    reply = store.leader.lead("b:2:bbbbbb", 6000)
    assert (reply.token, reply.left_ms, reply.elected) == (first.token, 6000, False)
    assert 0 < store.connection.command("PTTL", "jober:leader") <= 6000
