"""Another attempt: put off, promoted, left to another host, withdrawn."""

import pytest

from jober.errors import RunNotFound
from jober.run import RunState
from jober.store import Store
from jober.store.changes import Change
from jober.store.runs import ManualRun
from tests.store.hand import Hand

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
