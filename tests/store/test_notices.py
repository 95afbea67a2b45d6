"""Messages about jobs in Redis: each notice comes to its messages once, and one leader has each."""

from typing import Any

import pytest

from jober.notify import Decided, Delivery, Notice, Notify
from jober.run import RunState
from jober.store import Store
from jober.store.changes import Change
from jober.store.notices import ANY
from tests.store.hand import Hand

WEBHOOK = {"on": ["failure"], "webhook": "https://hooks.example.org/x"}
POLICY = Notify.read(WEBHOOK, "notify[0]")


def decided(*about: str, since_ms: int | None = 5) -> Decided:
    deliveries = (Delivery(about=word, number=0, facts={"about": word}) for word in about)
    return Decided(deliveries=tuple(deliveries), failing_since_ms=since_ms)


@pytest.fixture
def notice(store: Store, hand: Hand) -> Notice:
    """That of a run that has failed."""
    hand.job(notify=[WEBHOOK])
    hand.agent()
    hand.run()
    [claim] = hand.claim()
    hand.finish(claim, RunState.FAILED, exit_code=3, reason="exit code 3")
    [notice] = store.notices.oldest()
    return notice


def test_the_end_of_a_run_is_noticed_where_its_job_tells_somebody(
    store: Store, hand: Hand, notice: Notice
) -> None:
    assert (notice.job, notice.run, notice.state) == ("job", "job-m1", "failed")
    assert notice.facts["reason"] == "exit code 3"
    assert notice.facts["exit_code"] == "3"
    hand.job("silent")
    hand.run("silent")
    [claim] = hand.claim()
    hand.finish(claim, RunState.FAILED)
    assert store.notices.oldest() == [notice]


def test_a_notice_is_decided_once_and_by_the_leader_alone(
    store: Store, hand: Hand, notice: Notice
) -> None:
    told = decided("failure")
    assert not store.notices.queue("1:node:2:bbbbbb", notice, ANY, [POLICY], told)
    assert store.notices.oldest() == [notice]
    assert store.notices.queue(hand.token, notice, ANY, [POLICY], told)
    assert store.notices.oldest() == []
    assert store.notices.failing_since("job", ANY) == 5
    assert store.notices.queue(hand.token, notice, ANY, [POLICY], decided("failure", since_ms=None))
    assert [one.attempt for one in store.notices.waiting()] == [0]
    assert store.notices.failing_since("job", ANY) == 5


def test_a_message_is_one_leaders_for_a_lease(store: Store, hand: Hand, notice: Notice) -> None:
    store.notices.queue(hand.token, notice, ANY, [POLICY], decided("failure"))
    assert store.notices.take("1:node:2:bbbbbb", 10, 60_000) == []
    [first] = store.notices.take(hand.token, 10, 60_000)
    assert (first.attempt, first.job, first.policy) == (1, "job", POLICY)
    assert store.notices.take(hand.token, 10, 60_000) == []
    # As if the lease was over, and another had taken it.
    store.connection.command("ZADD", "jober:deliveries", 1, first.id)
    [second] = store.notices.take(hand.token, 10, 60_000)
    assert second.attempt == 2
    assert not store.notices.delivered(first)
    assert store.notices.delivered(second)
    assert store.notices.waiting() == []
    [event] = store.events.newest(1)
    assert (event.type, event.job, event.facts["to"]) == ("notice.sent", "job", "hooks.example.org")


def test_what_did_not_arrive_is_due_again_or_given_up(
    store: Store, hand: Hand, notice: Notice
) -> None:
    store.notices.queue(hand.token, notice, ANY, [POLICY], decided("failure"))
    [taken] = store.notices.take(hand.token, 10, 60_000)
    assert store.notices.not_delivered(taken, "it answered 500", 0)
    [waiting] = store.notices.waiting()
    assert (waiting.attempt, waiting.problem) == (1, "it answered 500")
    [taken] = store.notices.take(hand.token, 10, 60_000)
    assert store.notices.not_delivered(taken, "it answered 404", None)
    assert store.notices.waiting() == []
    [event] = store.events.newest(1)
    assert (event.type, event.facts["reason"]) == ("notice.failed", "it answered 404")


def test_a_message_waits_for_the_one_before_it_to_the_same_receiver(
    store: Store, hand: Hand, notice: Notice
) -> None:
    other = Notify.read({**WEBHOOK, "webhook": "https://hooks.example.org/y"}, "notify[1]")
    told = Decided(
        deliveries=tuple(
            Delivery(about=word, number=number, facts={"about": word})
            for word, number in (("failure", 0), ("slow", 0), ("failure", 1), ("recovery", 0))
        ),
        failing_since_ms=5,
    )
    store.notices.queue(hand.token, notice, ANY, [POLICY, other], told)

    taken: list[Any] = []

    def take() -> list[tuple[str, str | None]]:
        taken[:] = store.notices.take(hand.token, 10, 60_000)
        return [(one.about, one.policy.webhook) for one in taken]

    assert take() == [("failure", POLICY.webhook), ("failure", other.webhook)]
    assert store.notices.not_delivered(taken[0], "it answered 500", 0)
    assert take() == [("failure", POLICY.webhook)]
    # Whether it arrived or was given up: the next one is due at once.
    assert store.notices.delivered(taken[0])
    assert take() == [("slow", POLICY.webhook)]
    assert store.notices.not_delivered(taken[0], "it answered 404", None)
    assert take() == [("recovery", POLICY.webhook)]
    assert store.notices.delivered(taken[0])
    assert store.connection.command("HLEN", "jober:delivering") == 1  # that of the other


def test_a_message_whose_time_is_over_keeps_none_waiting(
    store: Store, hand: Hand, notice: Notice
) -> None:
    store.notices.queue(hand.token, notice, ANY, [POLICY], decided("failure", "recovery"))
    [first] = store.notices.take(hand.token, 10, 60_000)
    store.connection.command("DEL", f"jober:delivery:{first.id}")
    [last] = [one for one in store.notices.waiting() if one.id != first.id]
    # As if the second was over that it waits before it looks again.
    store.connection.command("ZADD", "jober:deliveries", 1, last.id)
    assert [one.id for one in store.notices.take(hand.token, 10, 60_000)] == [last.id]


def test_no_secret_is_in_redis(store: Store, hand: Hand, notice: Notice) -> None:
    told: dict[str, Any] = {"on": ["failure"], "webhook": "env:URL", "secret": "env:HOOK"}
    store.notices.queue(
        hand.token, notice, ANY, [Notify.read(told, "notify[0]")], decided("failure")
    )
    [waiting] = store.notices.waiting()
    assert (waiting.to, waiting.policy.secret) == ("env:URL", "env:HOOK")


def test_with_its_job_goes_what_is_known_of_its_failing(
    store: Store, hand: Hand, notice: Notice
) -> None:
    store.notices.queue(hand.token, notice, ANY, [POLICY], decided())

    store.jobs.apply([Change(op="remove", name="job")])
    assert store.notices.failing_since("job", ANY) is None
