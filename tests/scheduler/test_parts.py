"""The parts of a scheduler, on a real Redis: elector, ticker, reaper, pruner."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jober.agent_info import AgentInfo
from jober.clock import from_ms
from jober.embedded import RedisServer
from jober.job import Job
from jober.run import KEEP_RUNS, RunState
from jober.schedule import Calendar
from jober.store import Store
from jober.store.changes import Change
from jober_scheduler import elector as elector_module
from jober_scheduler import planner
from jober_scheduler import pruner as pruner_module
from jober_scheduler import reaper as reaper_module
from jober_scheduler import ticker as ticker_module
from jober_scheduler.elector import Elector
from jober_scheduler.pruner import Pruner
from jober_scheduler.reaper import Reaper
from jober_scheduler.ticker import Ticker
from tests.store.hand import Hand
from tests.waiting import wait_until


@contextmanager
def electing(store: Store, node: str) -> Iterator[Elector]:
    elector = Elector(store, node)
    elector.start()
    try:
        yield elector
    finally:
        elector.stop()


@contextmanager
def ticking(store: Store) -> Iterator[None]:
    with electing(store, "node:1:aaaaaa") as elector:
        ticker = Ticker(store, elector)
        ticker.start()
        try:
            yield
        finally:
            ticker.stop()
            ticker.close()


def join(store: Store, host: str = "host1") -> None:
    info = AgentInfo(
        id=f"{host}-aaaaaa",
        host=host,
        pid=1,
        roles=frozenset({"default"}),
        slots=1,
        version="0",
    )
    store.agents.join(info, ["default"])


def put(store: Store, name: str = "job", **fields: object) -> None:
    job = Job.from_spec(name, {"command": "true", **fields})
    store.jobs.apply([Change(op="put", name=name, job=job)])


def test_one_of_two_leads_and_the_other_takes_over_when_it_resigns(store: Store) -> None:
    with electing(store, "b:2:bbbbbb") as standby:
        first = Elector(store, "a:1:aaaaaa")
        wait_until(standby.token)
        first.start()
        assert first.wait_for_lead(0.2) is None
        standby.stop()
        token = wait_until(lambda: first.token())
        assert token.endswith("a:1:aaaaaa")
        first.stop()
    assert store.leader.current() is None


def test_a_leader_whose_lease_went_to_another_steps_down(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elector_module, "RENEW_S", 0.05)
    monkeypatch.setattr(elector_module, "LEASE_MS", 600_000)
    with electing(store, "a:1:aaaaaa") as elector:
        wait_until(elector.token)
        store.connection.command("SET", "jober:leader", "9999999999999:b:2:bbbbbb", "PX", 60_000)
        wait_until(lambda: elector.token() is None)
    leader = store.leader.current()
    assert leader is not None and leader.node == "b:2:bbbbbb", "it does not resign for another"


def test_a_leader_that_cannot_renew_trusts_its_lease_no_longer_than_it_lasts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elector_module, "LEASE_MS", 1300)
    monkeypatch.setattr(elector_module, "RENEW_S", 30)
    with electing(store, "a:1:aaaaaa") as elector:
        wait_until(elector.token)
        wait_until(lambda: elector.token() is None)
        assert store.leader.current() is not None, "the lease itself has not ended yet"
        asked = store.clock.monotonic()
        assert elector.wait_for_lead(0.2) is None
        assert store.clock.monotonic() - asked >= 0.2, "who waits for the lead does not spin"


def test_a_new_job_fires_at_once_when_its_moment_comes(store: Store) -> None:
    join(store)
    with ticking(store):
        put(store, every=1)
        wait_until(lambda: len(store.events.ledger("job")) >= 2)
    fires = sorted(entry.fire_at_ms for entry in store.events.ledger("job"))
    assert fires[1] - fires[0] == 1000
    assert all(entry.at_ms - entry.fire_at_ms < 1000 for entry in store.events.ledger("job"))


def test_a_changed_definition_is_planned_at_once(store: Store) -> None:
    join(store)
    with ticking(store):
        put(store, cron="0 0 1 1 *")
        planned = wait_until(lambda: store.jobs.get("job").next_ms)
        put(store, cron="0 0 2 1 *")
        wait_until(lambda: store.jobs.get("job").next_ms != planned, 0.9)
        assert store.jobs.get("job").next_ms == planned + 86_400_000


def test_a_definition_that_cannot_be_read_stops_no_other_job(store: Store) -> None:
    join(store)
    put(store, "broken", every=1)
    put(store, "fine", every=1)
    store.connection.command("HSET", "jober:job:broken", "schedule", '{"crn": 1}')
    with ticking(store):
        wait_until(lambda: store.events.ledger("fine"))
    assert store.events.ledger("broken") == []


def test_a_resumed_job_runs_once_for_all_that_it_missed(store: Store) -> None:
    join(store)
    put(store, every=60)
    store.jobs.pause("job", True)
    hour_ago = store.clock.now_ms() - 3_630_000
    store.connection.command(
        *("HSET", "jober:job:job", "cursor", hour_ago, "anchor", hour_ago, "floor", 0)
    )
    with ticking(store):
        store.jobs.pause("job", False)
        wait_until(lambda: store.runs.page("job"))
    assert len(store.runs.page("job")) == 1
    newest, oldest = store.events.ledger("job")
    assert (str(newest.decision), str(oldest.decision), oldest.count) == ("fired", "missed", 59)


def test_a_job_that_missed_its_fires_for_want_of_a_host_runs_once_when_one_comes(
    store: Store,
) -> None:
    put(store, every=3600)
    hours_ago = store.clock.now_ms() - 3 * 3_600_000 - 60_000
    store.connection.command(
        *("HSET", "jober:job:job", "cursor", hours_ago, "anchor", hours_ago, "floor", 0)
    )
    with ticking(store):
        (missed,) = wait_until(lambda: store.events.ledger("job"))
        assert (missed.count, missed.reason) == (3, "no live host for role default")
        join(store)
        wait_until(lambda: store.runs.page("job"), 3)
    assert [str(entry.decision) for entry in store.events.ledger("job")] == ["fired", "missed"]
    assert store.connection.command("SCARD", "jober:waiting") == 0
    assert len(store.runs.page("job")) == 1


def test_a_restart_of_the_scheduler_resets_no_interval(store: Store) -> None:
    join(store)
    put(store, every=1000)
    with ticking(store):
        first = wait_until(lambda: store.jobs.get("job").next_ms)
    with ticking(store):
        wait_until(lambda: store.leader.current())
        put(store, "other", every=1000)
        wait_until(lambda: store.jobs.get("other").next_ms)
    assert store.jobs.get("job").next_ms == first


def test_runs_of_a_silent_agent_are_lost_but_only_after_a_full_lease_of_this_redis(
    store: Store, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaper_module, "EVERY_S", 0.02)
    monkeypatch.setattr(reaper_module, "LEASE_MS", 400)
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    hand.expire(claim.lease)
    store.connection.command("ZADD", "jober:agents", 1, "host1-aaaaaa")
    reaper = Reaper(store)
    began = store.clock.now_ms()
    reaper.chore.start()
    wait_until(lambda: hand.state(id) is RunState.LOST)
    wait_until(lambda: store.agents.live() == [] and not hand.count("jober:agents"))
    reaper.chore.stop()
    ended = store.runs.get(id).ended_at_ms
    assert ended is not None and ended - began >= 390


def test_a_run_that_waits_though_a_slot_is_free_is_found(
    store: Store, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaper_module, "EVERY_S", 0.02)
    monkeypatch.setattr(reaper_module, "LEASE_MS", 10)
    hand.job(concurrency=1)
    hand.agent()
    hand.run()
    waits = hand.run()
    (claim,) = hand.claim()
    assert hand.state(waits) is RunState.PARKED
    hand.job(concurrency=2)
    # Its lease stays good: the end of that run would free a slot, too.
    store.connection.command("ZADD", "jober:leases", 10**14, hand.lease_member(claim.lease))
    reaper = Reaper(store)
    reaper.chore.start()
    wait_until(lambda: hand.state(waits) is RunState.QUEUED)
    reaper.chore.stop()


@pytest.mark.parametrize("every_s", [0.02, 1.0], ids=["it sees the outage", "it does not"])
def test_after_a_restart_of_redis_leases_are_good_for_one_full_lease_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every_s: float
) -> None:
    lease_ms = 3_000
    monkeypatch.setattr(reaper_module, "EVERY_S", every_s)
    monkeypatch.setattr(reaper_module, "LEASE_MS", 10)
    with RedisServer(tmp_path, durable=True) as server:
        store = Store(server.url)
        store.observe_time()
        hand = Hand(store)
        hand.job(concurrency=2)
        hand.agent()
        first, second = hand.run(), hand.run()
        lease_of_first, lease_of_second = (claim.lease for claim in hand.claim())
        hand.expire(lease_of_first)
        reaper = Reaper(store)
        reaper.chore.start()
        # From here on it has looked, and waits for nothing.
        wait_until(lambda: hand.state(first) is RunState.LOST)
        monkeypatch.setattr(reaper_module, "LEASE_MS", lease_ms)
        store.connection.command("CONFIG", "SET", "appendfsync", "always")
        server.kill()
        server.start()
        store.observe_time()
        began = store.clock.now_ms()
        hand.expire(lease_of_second)
        wait_until(lambda: hand.state(second) is RunState.LOST)
        reaper.chore.stop()
        ended = store.runs.get(second).ended_at_ms
        assert ended is not None and ended - began >= lease_ms - 500
        store.close()


def test_leases_are_given_up_by_the_redis_that_was_looked_at_and_by_no_other(
    store: Store, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be restarted after the look at which one it is: the script is then sent again."""
    monkeypatch.setattr(reaper_module, "EVERY_S", 0.02)
    monkeypatch.setattr(reaper_module, "LEASE_MS", 10)
    hand.job()
    hand.agent()
    id = hand.run()
    (claim,) = hand.claim()
    hand.expire(claim.lease)
    ask, looks = store.leases.server, [0]

    def before_the_restart() -> str:
        looks[0] += 1
        return "0" * 40 if looks[0] < 10 else ask()

    monkeypatch.setattr(store.leases, "server", before_the_restart)
    reaper = Reaper(store)
    reaper.chore.start()
    wait_until(lambda: hand.state(id) is RunState.LOST)
    reaper.chore.stop()
    assert looks[0] >= 10


def test_the_pruner_keeps_the_newest_runs_of_a_busy_job(store: Store, hand: Hand) -> None:
    hand.job(overlap="allow")
    hand.agent()
    ids = [hand.run() for _ in range(1105)]
    while claims := hand.claim("host1-aaaaaa", 100):
        for claim in claims:
            hand.finish(claim, exit_code=0)
    with electing(store, "a:1:aaaaaa") as elector:
        Pruner(store, elector).prune()
    assert hand.count("jober:runs:job") == KEEP_RUNS
    assert store.connection.command("EXISTS", f"rq:job:{ids[0]}") == 0
    assert store.connection.command("EXISTS", f"rq:job:{ids[-1]}") == 1


def test_a_scheduler_outlives_a_restart_of_redis(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("redis")
    with RedisServer(folder, durable=True) as server:
        store = Store(server.url)
        store.observe_time()
        join(store)
        with ticking(store):
            put(store, every=1)
            wait_until(lambda: store.events.ledger("job"))
            server.kill()
            server.start()
            before = len(store.events.ledger("job"))
            join(store)
            wait_until(lambda: len(store.events.ledger("job")) > before + 1, 20)
        store.close()


def test_a_job_that_cannot_be_planned_is_set_aside_and_the_others_fire(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = planner.plan

    def plan(policy: Any, job: planner.JobState, *facts: Any) -> Any:
        if job.name == "broken":
            raise ZeroDivisionError
        return real(policy, job, *facts)

    monkeypatch.setattr(ticker_module, "plan", plan)
    join(store)
    put(store, "broken", every=1)
    put(store, "fine", every=1)
    with ticking(store):
        wait_until(lambda: len(store.events.ledger("fine")) > 1)
    assert store.events.ledger("broken") == []
    assert caplog.text.count("job broken is not fired") == 1


def test_runs_that_wait_do_not_keep_the_pruner_from_those_behind_them(
    store: Store, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruner_module, "BATCH", 10)
    monkeypatch.setattr(pruner_module, "KEEP_IN_ALL", 30)
    hand.job(roles=["nobody"])
    waiting = [hand.run() for _ in range(25)]
    hand.job("done", overlap="allow")
    hand.agent()
    for _ in range(20):
        hand.run("done")
    for claim in hand.claim("host1-aaaaaa", 100):
        hand.finish(claim, exit_code=0)
    with electing(store, "a:1:aaaaaa") as elector:
        Pruner(store, elector).prune()
    left = {run.id for run in store.runs.page(limit=100)}
    assert len(left) == 30
    assert left >= set(waiting)


def test_a_calendar_that_changes_is_felt_at_once(store: Store) -> None:
    join(store)
    today = from_ms(store.clock.now_ms()).date()
    days = [str(today + timedelta(days=n)) for n in (-1, 0, 1)]

    def calendar(*dates: str) -> None:
        found = Calendar.from_spec("holidays", list(dates))
        store.jobs.apply([Change(op="calendar", name="holidays", calendar=found)])

    calendar(*days)
    spec = {"command": "true", "cron": "* * * * * *", "exclude": ["holidays"]}
    job = Job.from_spec("job", spec, store.calendars.all())
    with ticking(store):
        store.jobs.apply([Change(op="put", name="job", job=job)])
        planned = wait_until(lambda: store.jobs.get("job").next_ms)
        assert planned > store.clock.now_ms() + 20 * 3_600_000
        calendar("01-01")
        wait_until(lambda: store.runs.page("job"))
    assert {str(entry.decision) for entry in store.events.ledger("job")} <= {"fired", "skipped"}


def test_a_job_fires_no_more_often_than_max_fires(store: Store, hand: Hand) -> None:
    join(store)
    put(store, every=1, max_fires=2, overlap="allow")
    with ticking(store):
        wait_until(lambda: len(store.runs.page("job")) == 2)
        wait_until(lambda: hand.next_due_ms() is None)
        put(store, "other", every=1, overlap="allow")
        wait_until(lambda: len(store.runs.page("other")) >= 2)
    assert len(store.runs.page("job")) == 2
