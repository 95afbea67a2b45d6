"""Runs: listed, cancelled, forgotten."""

import pytest

from jober.errors import JobNotFound, RunNotFound
from jober.output import Frame, Stream
from jober.progress import Progress, Step
from jober.run import FINAL, TRANSITIONS, RunState
from jober.store import Store
from jober.store.outputs import Piece
from jober.store.runs import ManualRun
from tests.store.hand import Hand


def test_runs_are_listed_newest_first_of_one_job_or_of_all(store: Store, hand: Hand) -> None:
    hand.job("a", overlap="allow")
    hand.job("b")
    ids = [hand.run("a"), hand.run("b"), hand.run("a")]
    assert {run.id for run in store.runs.page()} == set(ids)
    assert {run.id for run in store.runs.page("a")} == {ids[0], ids[2]}
    assert len(store.runs.page(limit=2)) == 2


def test_a_run_of_an_unknown_job_is_refused(store: Store) -> None:
    with pytest.raises(JobNotFound):
        store.runs.enqueue("nope", [ManualRun(id="nope-m1")])
    assert store.runs.page() == []


def test_a_run_by_hand_may_have_arguments_of_its_own(store: Store, hand: Hand) -> None:
    job = hand.job(command=None, call="operator:add", args=[1, 2])
    hand.agent()
    data = job.payload([3, 4])
    store.runs.enqueue("job", [ManualRun(id="job-m1", data=data, description=job.describe([3, 4]))])
    (claim,) = hand.claim()
    assert claim.data == b'["operator.add",null,[3,4],{}]'
    assert store.runs.get("job-m1").description == "operator.add(3, 4)"


def test_a_run_by_hand_that_is_sent_again_is_made_once(store: Store, hand: Hand) -> None:
    """As a client does whose reply was lost."""
    hand.job(overlap="allow")
    hand.agent()
    for _ in range(2):
        store.runs.enqueue("job", [ManualRun(id="job-m1")])
    assert hand.count("rq:queue:default") == 1
    (claim,) = hand.claim()
    store.runs.enqueue("job", [ManualRun(id="job-m1")])
    assert hand.claim() == []
    assert hand.state("job-m1") is RunState.RUNNING
    assert hand.finish(claim)


def test_progress_of_an_attempt_that_is_over_is_passed_over(store: Store, hand: Hand) -> None:
    hand.job(retries=1)
    hand.agent()
    id = hand.run()
    (first,) = hand.claim()
    far = Progress(at_ms=1, whole=Step(done=9, total=10))
    assert store.runs.progress([(first, far)]) == [True]
    hand.put_off(first)
    store.leases.promote()
    (second,) = hand.claim()
    assert store.runs.progress([(first, far)]) == [False]
    assert store.runs.get(id).progress is None
    hand.finish(second)
    assert store.runs.progress([(second, far)]) == [False]
    assert store.runs.get(id).progress is None


def test_a_queued_run_is_cancelled_at_once(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    assert store.runs.cancel(id, "not wanted") == "withdrawn"
    run = store.runs.get(id)
    assert (run.state, run.reason) == (RunState.CANCELLED, "not wanted")
    assert hand.held() == {}
    assert hand.claim() == []


@pytest.mark.parametrize("host", [None, "host1"])
def test_a_parked_run_is_cancelled_at_once(store: Store, hand: Hand, host: str | None) -> None:
    hand.job(on="every" if host else "any")
    hand.agent()
    hand.run(host=host)
    parked = hand.run(host=host)
    (claim,) = hand.claim()
    assert hand.state(parked) is RunState.PARKED
    assert store.runs.cancel(parked, "not wanted") == "withdrawn"
    hand.finish(claim)
    assert hand.claim() == []
    assert hand.held() == {}


def test_the_agent_of_a_running_run_is_told_to_stop_it(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    channel = store.connection.client.pubsub(ignore_subscribe_messages=True)
    channel.subscribe("rq:pubsub:host1-aaaaaa")
    channel.get_message(timeout=1)
    assert store.runs.cancel(id, "not wanted") == "asked"
    message = None
    while message is None:
        message = channel.get_message(timeout=1)
    channel.close()
    assert message["data"] == b'{"command":"stop-job","job_id":"%s"}' % id.encode() or (
        b'"job_id":"%s"' % id.encode() in message["data"]
    )
    assert store.runs.get(id).cancel_requested
    hand.finish(claim, RunState.CANCELLED)
    assert not store.runs.get(id).cancel_requested


def test_a_run_that_has_ended_tells_how_when_it_is_cancelled(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    hand.finish(claim)
    assert store.runs.cancel(id, "too late") == "success"
    with pytest.raises(RunNotFound):
        store.runs.cancel("job-m99", "")


def test_the_oldest_ended_runs_are_forgotten_whole_and_live_ones_kept(
    store: Store, hand: Hand
) -> None:
    hand.job(overlap="allow", retries=1, keep_runs=2)
    hand.agent()
    live = hand.run()
    hand.claim()
    ended = [hand.run() for _ in range(5)]
    for claim in hand.claim():
        hand.put_off(claim)
    store.leases.promote()
    for claim in hand.claim():
        frame = Frame(seq=1, stream=Stream.STDOUT, at_ms=1, offset=0, data=b"told")
        store.outputs.add([Piece(run=claim.id, frames=(frame,))])
        hand.finish(claim, exit_code=0)
    assert store.runs.prune(1000, "job") == (3, 1)
    left = {run.id for run in store.runs.page("job")}
    assert left == {live, *ended[-2:]}
    assert {run.id for run in store.runs.page()} == left
    for id, there in zip(ended, (0, 0, 0, 4, 4), strict=True):
        keys = [f"rq:job:{id}", f"rq:results:{id}", f"jober:out:{id}:log", f"jober:attempts:{id}"]
        assert store.connection.command("EXISTS", *keys) == there
    assert hand.count("rq:finished:default") == 2


def test_a_job_with_too_many_runs_is_told_to_the_pruner(store: Store, hand: Hand) -> None:
    hand.job(overlap="allow")
    hand.agent()
    many = [f"old-{n}" for n in range(1100)]
    store.connection.command(
        "ZADD", "jober:runs:job", *[x for m in many for x in (store.clock.now_ms(), m)]
    )
    hand.run()
    (claim,) = hand.claim()
    hand.finish(claim)
    assert store.runs.overfull() == ["job"]
    assert store.runs.overfull() == []


ACTIONS = (
    *("claim", "claim without a slot", "claim too late", "finish", "finish well", "put off"),
    *("reclaim", "reclaim for another attempt", "promote", "miss", "cancel", "renew", "unpark"),
)


@pytest.mark.parametrize("state", list(RunState))
@pytest.mark.parametrize("action", ACTIONS)
def test_the_scripts_hold_to_the_table_of_transitions(
    store: Store, hand: Hand, state: RunState, action: str
) -> None:
    """Whatever state a run is in, each script leaves it there or moves it as the table allows."""
    hand.job(concurrency=1)
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    status = {"queued": "queued", "parked": "deferred", "running": "started"}
    record = f"rq:job:{id}"
    for due in ("jober:delayed", "jober:expiring"):
        store.connection.command("ZADD", due, 1, id)
    if action == "claim too late":
        store.connection.command("HSET", record, "attempt", 0, "expires_at", 1)
    if action == "miss":
        store.connection.command("HSET", record, "expires_at", 1)
    store.connection.command(
        "HSET", record, "state", state, "status", status.get(state, "finished")
    )
    store.connection.command("RPUSH", "rq:queue:default", id)
    store.connection.command("ZADD", "jober:parked:job", 0, id)
    if action != "claim without a slot":
        store.connection.command("DEL", "jober:slots:job")
    match action:
        case "claim" | "claim without a slot" | "claim too late":
            hand.claim()
        case "finish":
            hand.finish(claim, RunState.FAILED)
        case "finish well":
            hand.finish(claim)
        case "put off":
            hand.put_off(claim)
        case "promote":
            store.leases.promote()
        case "miss":
            store.leases.miss()
        case "reclaim" | "reclaim for another attempt":
            if action != "reclaim":
                options = '{"retries": 1, "retry_on": ["lost"]}'
                store.connection.command("HSET", record, "options", options)
            hand.expire(claim.lease)
            store.leases.reclaim()
        case "cancel":
            store.runs.cancel(id, "")
        case "renew":
            store.connection.command("ZADD", "jober:agent:host1-aaaaaa:runs", 1, claim.lease)
            hand.renew()
        case "unpark":
            other = hand.run()
            store.connection.command("LREM", "rq:queue:default", 0, id)
            (next_,) = hand.claim()
            assert next_.id == other
            hand.finish(next_)
    after = hand.state(id)
    assert after is state or after in TRANSITIONS[state]
    if state in FINAL - {RunState.LOST, RunState.POISONED}:
        assert after is state


def test_pages_of_runs_leave_none_out_though_many_were_made_at_once(
    store: Store, hand: Hand
) -> None:
    hand.job(overlap="allow")
    store.runs.enqueue("job", [ManualRun(id=f"job-m{n}") for n in range(25)])
    seen: list[str] = []
    while page := store.runs.page("job", seen[-1] if seen else None, 10):
        seen += [run.id for run in page]
    assert sorted(seen) == sorted(f"job-m{n}" for n in range(25))
