"""CLAIM, RENEW, FINISH, RECLAIM: every accepted run ends, once, and lets go of all it held."""

from dataclasses import replace

import pytest

from jober.ids import fired_run_id
from jober.run import Claim, RunState
from jober.store import Store
from jober.store.changes import Change
from jober.store.fields import moment_text
from jober.store.leases import Reclaimed
from jober.store.runs import ManualRun
from tests.store.hand import Hand


def test_a_claim_takes_runs_in_order_and_tells_all_there_is_to_know(
    store: Store, hand: Hand
) -> None:
    hand.job(overlap="allow", cwd="/srv")
    hand.agent()
    first, second = hand.run(), hand.run()
    claims = hand.claim()
    assert [claim.id for claim in claims] == [first, second]
    assert claims[0].data == b'["jober_worker.functions.command",null,[["true"]],{}]'
    assert claims[0].work.options == '{"cwd": "/srv", "schema": 1}'
    assert (claims[0].attempt, claims[0].job, claims[0].work.queue, claims[0].work.trigger) == (
        1,
        "job",
        "default",
        "manual",
    )
    run = store.runs.get(first)
    assert (run.state, run.host, run.agent, run.attempt) == (
        RunState.RUNNING,
        "host1",
        "host1-aaaaaa",
        1,
    )


def test_of_many_runs_each_is_told_as_it_was_made(store: Store, hand: Hand) -> None:
    hand.job("tick", every=60, overlap="allow")
    store.connection.command("HSET", "jober:job:tick", "cursor", 0)
    hand.job(overlap="allow")
    hand.agent()
    fields = store.connection.command("HMGET", "jober:job:tick", "data", "options", "timeout")
    data, options, timeout = fields[0], fields[1].decode(), fields[2].decode()
    made = ManualRun(id="", data=data, options=options, timeout=timeout)
    runs: list[ManualRun] = []
    expected: dict[str, tuple[bytes | None, str | None, str | None, str | None]] = {}
    for round in range(3):
        at_ms = (store.clock.now_ms() // 60_000 - 3 + round) * 60_000
        assert hand.fire("tick", at_ms) == "done"
        expected[fired_run_id("tick", at_ms)] = data, options, timeout, moment_text(at_ms)
        runs += (
            replace(made, id=f"job-m{round}"),
            replace(made, id=f"job-n{round}", data=b'["a",null,[],{}]'),
            replace(made, id=f"job-o{round}", options='{"cwd": "/srv"}'),
            replace(made, id=f"job-p{round}", timeout="7"),
        )
    store.runs.enqueue("job", runs)
    expected |= {run.id: (run.data, run.options, run.timeout, None) for run in runs}
    claims = hand.claim("host1-aaaaaa", 20)
    assert expected == {
        claim.id: (claim.data, claim.work.options, claim.work.timeout, claim.fire_at)
        for claim in claims
    }
    kinds = {store.connection.command("HGET", f"rq:job:{claim.id}", "kind") for claim in claims}
    assert len(kinds) == 3 + 4


def test_a_run_is_claimed_by_one_agent_only(hand: Hand) -> None:
    hand.job()
    hand.agent()
    hand.agent("host2-bbbbbb")
    hand.run()
    assert len(hand.claim() + hand.claim("host2-bbbbbb")) == 1


def test_no_more_are_claimed_than_asked_for(hand: Hand) -> None:
    hand.job(overlap="allow")
    hand.agent()
    for _ in range(5):
        hand.run()
    assert len(hand.claim("host1-aaaaaa", 2)) == 2
    assert hand.count("rq:queue:default") == 3


def test_what_is_left_in_a_queue_rings_its_bell_again(store: Store, hand: Hand) -> None:
    hand.job(overlap="allow")
    hand.agent()
    hand.run()
    hand.run()
    assert store.leases.wait(["default"], 0.1)
    assert not store.leases.wait(["default"], 0.01)
    hand.claim("host1-aaaaaa", 1)
    assert store.leases.wait(["default"], 0.1)


def test_a_run_past_the_limit_of_its_job_is_parked_and_stands_in_nobodys_way(
    hand: Hand,
) -> None:
    hand.job("tight", concurrency=1)
    hand.job("free")
    hand.agent()
    first, second, other = hand.run("tight"), hand.run("tight"), hand.run("free")
    assert [claim.id for claim in hand.claim()] == [first, other]
    assert hand.state(second) is RunState.PARKED
    assert hand.count("jober:parked:tight") == 1


def test_a_parked_run_goes_on_when_a_slot_is_free(store: Store, hand: Hand) -> None:
    hand.job(concurrency=2)
    hand.agent()
    runs = [hand.run() for _ in range(4)]
    one, two = hand.claim()
    assert hand.claim() == []
    while store.leases.wait(["default"], 0.01):
        pass
    hand.finish(two)
    assert store.leases.wait(["default"], 1), "the bell rings when a run is unparked"
    (three,) = hand.claim()
    assert three.id == runs[2]
    hand.finish(one)
    (four,) = hand.claim()
    assert four.id == runs[3]
    hand.finish(three)
    hand.finish(four)
    assert hand.held() == {}


def test_runs_by_hand_on_one_host_keep_the_limit_of_that_host(hand: Hand) -> None:
    hand.job(on="every")
    hand.agent()
    hand.agent("host2-bbbbbb")
    hand.run(host="host1")
    waits = hand.run(host="host1")
    hand.run(host="host2")
    (one,) = hand.claim()
    (two,) = hand.claim("host2-bbbbbb")
    assert hand.state(waits) is RunState.PARKED
    hand.finish(two, agent="host2-bbbbbb")
    assert hand.claim() == []
    hand.finish(one)
    assert [claim.id for claim in hand.claim()] == [waits]


def test_a_finished_run_lets_go_of_everything_it_held(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    assert set(hand.held()) == {
        "jober:leases",
        "jober:slots:job",
        "jober:active:job",
        "jober:agent:host1-aaaaaa:runs",
        "rq:wip:default",
    }
    assert hand.finish(claim, exit_code=0, return_value={"rows": 3})
    assert hand.held() == {}
    run = store.runs.get(id)
    assert (run.state, run.exit_code, run.return_value) == (RunState.SUCCESS, 0, '{"rows": 3}')
    assert run.ended_at_ms and run.started_at_ms and run.ended_at_ms >= run.started_at_ms
    assert store.connection.command("TTL", f"rq:job:{id}") > 86_400


def test_a_second_report_of_the_same_end_changes_nothing(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    assert hand.finish(claim, exit_code=0)
    assert not hand.finish(claim, RunState.FAILED, exit_code=1)
    assert hand.state(id) is RunState.SUCCESS
    finished = [e for e in store.events.newest() if e.type == "run.finished"]
    assert len(finished) == 1


def test_a_run_whose_agent_is_silent_for_longer_than_its_lease_is_lost(
    store: Store, hand: Hand
) -> None:
    hand.job(concurrency=1)
    hand.agent()
    first, second = hand.run(), hand.run()
    (claim,) = hand.claim()
    hand.claim()
    assert hand.state(second) is RunState.PARKED
    assert store.leases.reclaim().lost == ()
    hand.expire(claim.lease)
    assert store.leases.reclaim().lost == (first,)
    assert store.leases.reclaim().lost == ()
    run = store.runs.get(first)
    assert run.state is RunState.LOST
    assert run.reason == "agent host1-aaaaaa has been silent for longer than its lease"
    assert [claim.id for claim in hand.claim()] == [second]


def test_the_true_end_of_a_run_that_was_given_up_is_taken_when_it_comes(
    store: Store, hand: Hand
) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    hand.expire(claim.lease)
    store.leases.reclaim()
    assert hand.finish(claim, exit_code=0, return_value=7)
    run = store.runs.get(id)
    assert (run.state, run.reason, run.return_value) == (RunState.SUCCESS, "reported late", "7")
    assert hand.held() == {}
    assert hand.count("rq:failed:default") == 0
    assert hand.count("rq:finished:default") == 1


def test_renewing_extends_the_lease_and_tells_what_is_lost_and_what_to_cancel(
    store: Store, hand: Hand
) -> None:
    hand.job(overlap="allow")
    hand.agent()
    runs = [hand.run() for _ in range(3)]
    kept, lost, stopped = hand.claim()
    hand.expire(kept.lease)
    hand.expire(lost.lease)
    store.connection.command("HSET", f"rq:job:{runs[1]}", "attempt", 2)
    assert store.runs.cancel(runs[2], "not wanted") == "asked"
    assert hand.renew(kept.lease, lost.lease, stopped.lease) == ({lost.lease}, {stopped.lease})
    score = float(store.connection.command("ZSCORE", "jober:leases", hand.lease_member(kept.lease)))
    assert score > store.clock.now_ms()


def test_a_claim_whose_reply_was_lost_goes_back_to_its_queue(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    hand.renew()
    assert hand.state(id) is RunState.RUNNING, "the reply may still be on its way"
    store.connection.command("ZADD", "jober:agent:host1-aaaaaa:runs", "XX", 1, claim.lease)
    hand.renew()
    assert hand.state(id) is RunState.QUEUED
    assert set(hand.held()) == {"rq:queue:default", "jober:active:job"}
    (again,) = hand.claim()
    assert (again.id, again.attempt) == (id, 2)
    assert not hand.finish(claim), "the first attempt is over"
    assert hand.finish(again)
    assert hand.held() == {}


def test_nobody_gives_up_a_claim_whose_reply_may_be_on_its_way(store: Store, hand: Hand) -> None:
    store.jobs.apply([Change(op="limit", name="shared", slots=1)])
    hand.job(limits=["shared"])
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    hand.expire(claim.lease)
    hand.renew()
    assert store.leases.reclaim() == Reclaimed()
    assert hand.state(id) is RunState.RUNNING
    assert hand.finish(claim)
    hand.renew()
    assert hand.held() == {}


def test_an_agent_that_redis_has_forgotten_is_told_to_join_again(store: Store) -> None:
    reply = store.agents.renew("host1-aaaaaa", [], running=0, load=0, state="up")
    assert not reply.known


def test_nothing_is_claimed_while_rq_is_suspended(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    hand.run()
    store.connection.command("SET", "rq:suspended", 1)
    assert hand.claim() == []
    store.connection.command("DEL", "rq:suspended")
    assert len(hand.claim()) == 1


def test_nothing_is_claimed_for_a_host_that_is_cordoned(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    store.agents.order("host1", "cordon")
    assert hand.claim() == []
    assert hand.state(id) is RunState.QUEUED
    store.agents.order("host1", "uncordon")
    assert [claim.id for claim in hand.claim()] == [id]


def test_a_run_that_others_have_deleted_is_passed_over(store: Store, hand: Hand) -> None:
    hand.job(overlap="allow")
    hand.agent()
    gone, there = hand.run(), hand.run()
    store.connection.command("DEL", f"rq:job:{gone}")
    assert [claim.id for claim in hand.claim()] == [there]


def test_a_run_deleted_while_it_ran_still_lets_go_of_its_slot(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    store.connection.command("DEL", f"rq:job:{id}")
    assert not hand.finish(claim)
    assert hand.count("jober:slots:job") == 0
    assert hand.count("jober:leases") == 0


@pytest.mark.parametrize("reported", [True, False])
def test_a_run_of_a_job_that_was_removed_meanwhile_ends_as_any_other(
    store: Store, hand: Hand, reported: bool
) -> None:
    from jober.store.changes import Change

    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    store.jobs.apply([Change(op="remove", name="job")])
    if reported:
        hand.finish(claim)
    else:
        hand.expire(claim.lease)
        store.leases.reclaim()
    assert hand.state(id).is_final
    assert hand.held() == {}


def test_a_return_value_that_is_too_large_is_left_out_with_a_note(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    hand.finish(claim, exit_code=0, return_value="x" * 300_000)
    run = store.runs.get(id)
    assert run.return_value is None
    assert run.reason == "the return value was not kept: 300002 bytes are over 262144"


def test_an_application_s_own_rq_job_is_claimed_and_listed(store: Store, hand: Hand) -> None:
    from rq import Queue
    from rq.serializers import JSONSerializer

    queue = Queue("default", connection=store.connection.client, serializer=JSONSerializer)
    job = queue.enqueue("operator.add", 1, 2)
    hand.agent()
    (claim,) = hand.claim()
    assert isinstance(claim, Claim)
    assert (claim.id, claim.job, claim.work.trigger) == (job.id, None, "rq")
    hand.finish(claim, exit_code=0, return_value=3)
    assert [run.id for run in store.runs.page()] == [job.id]
    assert job.get_status(refresh=True) == "finished"
    assert hand.held() == {}


def test_a_run_deleted_while_it_ran_lets_go_of_its_slot_though_its_agent_dies(
    store: Store, hand: Hand
) -> None:
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    store.connection.command("DEL", f"rq:job:{id}")
    hand.expire(claim.lease)
    assert store.leases.reclaim().lost == ()
    assert {key for key in hand.held() if "active" not in key} == set()


def test_a_run_that_is_run_again_has_nothing_of_its_earlier_end(store: Store, hand: Hand) -> None:
    from rq.registry import FailedJobRegistry

    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    hand.finish(claim, RunState.FAILED, exit_code=1, reason="exit code 1")
    FailedJobRegistry("default", connection=store.connection.client).requeue(id)
    hand.claim()
    run = store.runs.get(id)
    assert (run.state, run.exit_code, run.reason, run.ended_at_ms) == (
        RunState.RUNNING,
        None,
        None,
        None,
    )
    assert store.connection.command("TTL", f"rq:job:{id}") == -1
    assert hand.count("jober:active:job") == 1


def test_raising_the_concurrency_of_a_job_starts_runs_that_are_parked(hand: Hand) -> None:
    hand.job(concurrency=1)
    hand.agent()
    for _ in range(4):
        hand.run()
    assert len(hand.claim()) == 1
    assert hand.claim() == []
    hand.job(concurrency=3)
    assert hand.store.limits.unpark() == (0, 2)
    assert len(hand.claim()) == 2
    assert hand.count("jober:parked:job") == 1


def test_registries_forget_what_has_expired(store: Store, hand: Hand) -> None:
    hand.job()
    hand.agent()
    store.connection.command("ZADD", "rq:finished:default", 1, "old")
    store.connection.command("ZADD", "jober:runs:job", 1, "old")
    hand.run()
    (claim,) = hand.claim()
    hand.finish(claim, exit_code=0)
    assert store.connection.command("ZSCORE", "rq:finished:default", "old") is None
    assert store.connection.command("ZSCORE", "jober:runs:job", "old") is None
