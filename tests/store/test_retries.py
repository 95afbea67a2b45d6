"""Another attempt: put off, promoted, left to another host, withdrawn; and runs that expire."""

import pytest

from jober.errors import RunNotFound
from jober.ledger import Decision
from jober.run import RunState
from jober.store import Store
from jober.store.changes import Change
from jober.store.fields import packed
from jober.store.runs import ManualRun
from tests.store.hand import Hand
from tests.waiting import wait_until

OTHER = "host2-bbbbbb"


def test_a_run_that_is_tried_again_waits_holds_nothing_and_is_still_active(
    store: Store, hand: Hand
) -> None:
    hand.job(retries=1)
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    assert hand.put_off(claim, 60, exit_code=3, reason="exit code 3")
    assert hand.held() == {"jober:active:job": 1}
    run = store.runs.get(id)
    assert (run.state, run.exit_code, run.reason) == (RunState.DELAYED, 3, "exit code 3")
    assert run.retry_at_ms is not None
    assert 55_000 < run.retry_at_ms - store.clock.now_ms() <= 60_000
    assert store.connection.command("HGET", f"rq:job:{id}", "status") == b"scheduled"
    assert store.connection.command("TTL", f"rq:job:{id}") == -1
    moved, next_s = store.leases.promote()
    assert moved == 0
    assert next_s is not None and 55 < next_s <= 60
    assert hand.claim() == []
    # The report is sent twice: the second changes nothing.
    assert not hand.put_off(claim)
    assert store.connection.command("ZCARD", "jober:delayed") == 1


def test_a_run_that_is_due_again_goes_to_its_queue_once_and_rings(store: Store, hand: Hand) -> None:
    hand.job(retries=1)
    hand.agent()
    id = hand.run()
    hand.put_off(hand.claim()[0])
    store.leases.wait(["default"], 0.01)
    assert store.leases.promote() == (1, None)
    assert store.leases.promote() == (0, None)
    assert store.leases.wait(["default"], 0.1)
    assert store.runs.get(id).retry_at_ms is None
    (claim,) = hand.claim()
    assert (claim.id, claim.attempt) == (id, 2)
    hand.finish(claim)
    run = store.runs.get(id)
    assert (run.state, run.attempt, run.reason) == (RunState.SUCCESS, 2, None)
    assert hand.held() == {}


def test_each_attempt_is_kept_and_goes_with_the_run(store: Store, hand: Hand) -> None:
    hand.job(retries=2)
    hand.agent()
    hand.agent(OTHER)
    id = hand.run()
    assert store.runs.attempts(id) == []
    hand.put_off(hand.claim()[0], exit_code=3, reason="exit code 3")
    first = store.runs.attempts(id)
    store.leases.promote()
    (claim,) = hand.claim(OTHER, 1, "default")
    running = store.runs.attempts(id)
    assert running[:-1] == first
    assert running[-1].state is RunState.RUNNING
    hand.finish(claim, RunState.TIMEOUT, OTHER, exit_code=143)
    told = [
        (one.attempt, one.state, one.host, one.exit_code, one.reason)
        for one in store.runs.attempts(id)
    ]
    assert told == [
        (1, RunState.FAILED, "host1", 3, "exit code 3"),
        (2, RunState.TIMEOUT, "host2", 143, None),
    ]
    assert all(one.started_at_ms and one.ended_at_ms for one in store.runs.attempts(id))
    assert store.connection.command("TTL", f"jober:attempts:{id}") > 0
    with pytest.raises(RunNotFound):
        store.runs.attempts("nothing-m1")


def test_no_more_than_a_hundred_attempts_are_kept(store: Store, hand: Hand) -> None:
    hand.job(retries=100)
    hand.agent()
    id = hand.run()
    for _ in range(102):
        hand.put_off(hand.claim()[0])
        store.leases.promote()
    kept = [one.attempt for one in store.runs.attempts(id)]
    assert kept == list(range(3, 103))


def test_a_run_that_failed_is_left_to_another_host_for_a_while(store: Store, hand: Hand) -> None:
    hand.job(retries=1, overlap="allow")
    hand.agent()
    hand.agent(OTHER)
    failed, behind = hand.run(), hand.run()
    hand.put_off(hand.claim("host1-aaaaaa", 1)[0])
    store.leases.promote()
    # It stands in nobody's way, and does not wake its host again and again.
    assert [claim.id for claim in hand.claim()] == [behind]
    store.connection.command("DEL", "jober:bell:default")
    assert hand.claim() == []
    assert not store.connection.command("EXISTS", "jober:bell:default")
    assert [claim.id for claim in hand.claim(OTHER, 10, "default")] == [failed]
    assert not store.connection.command("HEXISTS", f"rq:job:{failed}", "avoid")


def test_a_host_takes_back_what_failed_there_where_no_other_would(store: Store, hand: Hand) -> None:
    hand.job(retries=9, roles=["web+!old"])
    queues = ("@host1", "web+!old")
    hand.agent(roles=("web",))
    hand.run()
    (claim,) = hand.claim("host1-aaaaaa", 1, *queues)

    def again() -> bool:
        nonlocal claim
        hand.put_off(claim)
        store.leases.promote()
        found = hand.claim("host1-aaaaaa", 1, *queues)
        if found:
            (claim,) = found
        else:
            # The while is over.
            store.connection.command("HSET", f"rq:job:{claim.id}", "avoid", "host1 1")
            (claim,) = hand.claim("host1-aaaaaa", 1, *queues)
        return bool(found)

    assert again()
    hand.agent("host2-bbbbbb", roles=("db",))
    hand.agent("host3-cccccc", roles=("web", "old"))
    hand.agent("host1-dddddd", roles=("web",))
    assert again()
    hand.agent("host4-eeeeee", roles=("web",))
    assert not again()
    store.agents.renew("host4-eeeeee", [], running=0, load=0, state="draining")
    assert again()
    store.agents.renew("host4-eeeeee", [], running=0, load=0, state="up")
    assert not again()
    store.connection.command("ZADD", "jober:agents", 1, "host4-eeeeee")
    assert again()


def test_a_run_that_is_bound_to_its_host_goes_there_again(store: Store, hand: Hand) -> None:
    hand.job(retries=1, on="every")
    hand.agent()
    hand.agent(OTHER)
    hand.run(host="host1")
    hand.put_off(hand.claim()[0])
    store.leases.promote()
    assert len(hand.claim()) == 1


def test_a_run_that_waits_for_another_attempt_is_withdrawn(store: Store, hand: Hand) -> None:
    hand.job(retries=1)
    hand.agent()
    id = hand.run()
    hand.put_off(hand.claim()[0], exit_code=3, traceback="oops")
    assert store.runs.cancel(id, "enough") == "withdrawn"
    run = store.runs.get(id)
    assert (run.state, run.reason, run.exit_code, run.retry_at_ms) == (
        RunState.CANCELLED,
        "enough",
        None,
        None,
    )
    assert [one.state for one in store.runs.attempts(id)] == [RunState.FAILED]
    assert store.leases.promote() == (0, None)
    assert hand.held() == {}
    assert not store.connection.command("EXISTS", "jober:delayed")


def test_a_run_is_not_tried_again_once_it_is_to_be_stopped_or_its_job_is_gone(
    store: Store, hand: Hand
) -> None:
    hand.job(retries=1, overlap="allow")
    hand.agent()
    stopped, orphan = hand.run(), hand.run()
    first, second = hand.claim()
    store.runs.cancel(stopped, "enough")
    hand.put_off(first)
    assert hand.state(stopped) is RunState.FAILED
    store.jobs.apply([Change(op="remove", name="job")])
    hand.put_off(second)
    assert hand.state(orphan) is RunState.FAILED
    assert hand.held() == {}


def test_a_removed_job_takes_its_delayed_runs_with_it(store: Store, hand: Hand) -> None:
    hand.job(retries=1)
    hand.agent()
    id = hand.run()
    hand.put_off(hand.claim()[0])
    store.jobs.apply([Change(op="remove", name="job")])
    assert hand.state(id) is RunState.CANCELLED


def test_a_delayed_run_counts_as_still_going(store: Store, hand: Hand) -> None:
    hand.job(retries=1, every=60)
    hand.agent()
    at_ms = store.jobs.get("job").cursor_ms
    hand.fire("job", at_ms + 1)
    hand.put_off(hand.claim()[0], 60)
    hand.fire("job", at_ms + 2)
    newest = store.events.ledger("job")[0]
    assert newest.reason == "overlap: 1 run is still going"


def test_a_lost_run_is_tried_again_where_its_job_says_so(store: Store, hand: Hand) -> None:
    hand.job("again", retries=1, retry_on=["lost"], retry_delay=0)
    hand.job("never", retries=1)
    hand.agent()
    again, never = hand.run("again"), hand.run("never")
    for claim in hand.claim():
        hand.expire(claim.lease)
    reclaimed = store.leases.reclaim()
    assert (reclaimed.again, reclaimed.lost) == ((again,), (never,))
    assert hand.state(again) is RunState.DELAYED
    store.leases.promote()
    (claim,) = hand.claim()
    hand.expire(claim.lease)
    assert store.leases.reclaim().lost == (again,)
    assert [one.state for one in store.runs.attempts(again)] == [RunState.LOST] * 2
    assert hand.held("again") == {}


def lose(hand: Hand, store: Store, id: str, *agents: str) -> None:
    """Have a run be lost by one agent after another, and tried again."""
    for agent in agents:
        store.leases.promote()
        hand.agent(agent)
        (claim,) = [claim for claim in hand.claim(agent) if claim.id == id]
        hand.expire(claim.lease)
        store.leases.reclaim()


def test_a_run_that_was_lost_three_times_is_poisoned_and_tells_whom_it_took_down(
    store: Store, hand: Hand
) -> None:
    hand.job(retries=9, retry_on=["lost"], retry_delay=0)
    id = hand.run()
    lose(hand, store, id, "host1-aaaaaa", OTHER)
    assert hand.state(id) is RunState.DELAYED
    lose(hand, store, id, "host1-cccccc")
    run = store.runs.get(id)
    reason = (
        "3 agents fell silent while it ran: host1-aaaaaa on host1, host2-bbbbbb on host2, "
        "host1-cccccc on host1"
    )
    assert (run.state, run.reason, run.attempt) == (RunState.POISONED, reason, 3)
    assert store.leases.promote() == (0, None)
    assert [one.state for one in store.runs.attempts(id)] == [
        RunState.LOST,
        RunState.LOST,
        RunState.POISONED,
    ]
    ended, poisoned, *_ = store.events.newest()
    assert (ended.type, ended.facts["state"]) == ("run.finished", "poisoned")
    assert (poisoned.type, poisoned.facts["reason"]) == ("run.poisoned", reason)
    assert hand.held() == {}


def test_the_third_loss_is_told_as_poison_though_no_retry_is_left(store: Store, hand: Hand) -> None:
    hand.job(retries=2, retry_on=["lost"], retry_delay=0)
    id = hand.run()
    lose(hand, store, id, "host1-aaaaaa", OTHER, "host1-cccccc")
    assert hand.state(id) is RunState.POISONED


def test_a_run_that_left_an_agent_alive_in_between_is_not_poisoned(
    store: Store, hand: Hand
) -> None:
    hand.job(retries=9, retry_on=["lost", "failed"], retry_delay=0)
    id = hand.run()
    lose(hand, store, id, "host1-aaaaaa", OTHER)
    store.leases.promote()
    hand.put_off(hand.claim()[0])
    lose(hand, store, id, OTHER, "host1-aaaaaa")
    assert hand.state(id) is RunState.DELAYED
    lose(hand, store, id, OTHER)
    assert hand.state(id) is RunState.POISONED


def test_the_true_end_of_a_run_that_was_held_to_be_poison_is_taken_when_it_comes(
    store: Store, hand: Hand
) -> None:
    hand.job(retries=9, retry_on=["lost"], retry_delay=0)
    hand.agent()
    id = hand.run()
    lose(hand, store, id, "host1-aaaaaa", OTHER)
    store.leases.promote()
    (claim,) = hand.claim()
    hand.expire(claim.lease)
    assert store.leases.reclaim().poisoned == (id,)
    assert hand.finish(claim, exit_code=0)
    run = store.runs.get(id)
    assert (run.state, run.reason) == (RunState.SUCCESS, "reported late")


def test_a_run_that_is_to_be_stopped_is_lost_for_good(store: Store, hand: Hand) -> None:
    hand.job(retries=1, retry_on=["lost"])
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    store.runs.cancel(id, "enough")
    hand.expire(claim.lease)
    assert store.leases.reclaim().lost == (id,)


def test_a_good_end_that_is_told_late_saves_the_next_attempt(store: Store, hand: Hand) -> None:
    hand.job(retries=3, retry_on=["lost", "failed"])
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    hand.expire(claim.lease)
    store.leases.reclaim()
    assert not hand.finish(claim, RunState.FAILED)
    assert hand.finish(claim, exit_code=0)
    run = store.runs.get(id)
    assert (run.state, run.reason, run.retry_at_ms) == (RunState.SUCCESS, "reported late", None)
    assert [one.state for one in store.runs.attempts(id)] == [RunState.SUCCESS]
    assert store.leases.promote() == (0, None)
    assert hand.held() == {}


def test_the_event_of_another_attempt_tells_how_the_last_one_ended(
    store: Store, hand: Hand
) -> None:
    hand.job(retries=1)
    hand.agent()
    id = hand.run()
    hand.put_off(hand.claim()[0], exit_code=3, reason="exit code 3")
    event = store.events.newest(1)[0]
    assert event.type == "run.retrying"
    facts = {name: event.facts[name] for name in ("run", "attempt", "state", "exit_code", "host")}
    assert facts == {
        "run": id,
        "attempt": "1",
        "state": "failed",
        "exit_code": "3",
        "host": "host1",
    }


def test_a_run_that_was_not_started_in_time_is_missed(store: Store, hand: Hand) -> None:
    hand.job("tight", expires=0.001, concurrency=1)
    hand.job("calm", expires=60)
    hand.agent()
    late, calm = hand.run("tight"), hand.run("calm")
    assert wait_until(store.leases.miss) == [late]
    assert store.leases.miss() == []
    run = store.runs.get(late)
    assert run.state is RunState.MISSED
    assert run.reason is not None and run.reason.startswith("it was not started by 20")
    assert store.connection.command("HGET", f"rq:job:{late}", "status") == b"canceled"
    assert hand.held("tight") == {"rq:queue:default": 1}
    assert [claim.id for claim in hand.claim()] == [calm]
    assert not store.connection.command("EXISTS", "jober:expiring")


def test_a_run_that_has_expired_is_missed_by_whoever_would_take_it(
    store: Store, hand: Hand
) -> None:
    hand.job(expires=60)
    hand.agent()
    id = hand.run()
    store.connection.command("HSET", f"rq:job:{id}", "expires_at", 1)
    assert hand.claim() == []
    assert hand.state(id) is RunState.MISSED
    assert hand.held() == {}
    assert not store.connection.command("EXISTS", "jober:expiring")


def test_a_parked_run_is_missed_too_and_one_that_has_begun_never(store: Store, hand: Hand) -> None:
    hand.job(expires=60, retries=1)
    hand.agent()
    running, parked = hand.run(), hand.run()
    (claim,) = hand.claim()
    assert hand.state(parked) is RunState.PARKED
    for id in (running, parked):
        store.connection.command("HSET", f"rq:job:{id}", "expires_at", 1)
    store.connection.command("ZADD", "jober:expiring", "XX", 1, parked)
    assert store.leases.miss() == [parked]
    hand.put_off(claim)
    store.leases.promote()
    assert store.leases.miss() == []
    assert [claim.attempt for claim in hand.claim()] == [2]
    assert hand.count("jober:parked:job") == 0


def test_a_fire_expires_by_its_own_moment_and_not_by_when_it_was_made(
    store: Store, hand: Hand
) -> None:
    hand.job(expires=60, every=60)
    hand.agent()
    at_ms = store.jobs.get("job").cursor_ms + 1
    hand.fire("job", at_ms)
    (page,) = store.runs.page("job")
    expires_at = store.connection.command("HGET", f"rq:job:{page.id}", "expires_at")
    assert int(expires_at) == at_ms + 60_000
    store.connection.command("HSET", f"rq:job:{page.id}", "expires_at", 1)
    assert hand.claim() == []
    (told, _) = store.events.ledger("job")
    assert (told.decision, told.fire_at_ms, told.run) == (Decision.MISSED, at_ms, page.id)


def test_a_withdrawn_run_expires_no_more(store: Store, hand: Hand) -> None:
    hand.job(expires=60)
    id = hand.run()
    store.runs.cancel(id, "enough")
    assert not store.connection.command("EXISTS", "jober:expiring")


def test_many_that_wait_for_another_host_hold_up_nothing(store: Store, hand: Hand) -> None:
    hand.job(retries=1, overlap="allow")
    hand.agent()
    hand.agent(OTHER)
    store.runs.enqueue("job", [ManualRun(id=f"job-x{n}") for n in range(600)])
    far = store.clock.now_ms() + 600_000
    for n in range(600):
        failed = ["attempt", 1, "avoid", f"host1 {far}"]
        store.connection.command("HSET", f"rq:job:job-x{n}", *failed)
    good = hand.run()
    found = [claim.id for _ in range(2) for claim in hand.claim("host1-aaaaaa", 1, "default")]
    assert found == [good]
    assert hand.count("rq:queue:default") == 600


def test_a_lease_that_is_renewed_after_all_is_left_alone(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    # As it was read while it was over: the agent has renewed it before the script came.
    told = packed([[hand.lease_member(claim.lease), False], ["gone:1 - - - - -", False]])
    assert store.connection.run("reclaim", ["jober:leases"], [told, 60, "", ""]) == [[], [], []]
    assert hand.state(id) is RunState.RUNNING
