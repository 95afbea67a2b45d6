"""Somebody who can write to Redis, and has no key, has schedulers order nothing that nobody has
signed, and nothing more often than it says."""

from typing import Any

import pytest

from jober.run import Run
from jober.signing import Signing
from jober.signing.key_file import read_signer
from jober.signing_errors import NotSigned
from jober.store import keys
from tests.signing.attacked import Attacked, definition, refused
from tests.waiting import wait_until


def test_a_definition_that_was_changed_is_fired_without_an_order(attacked: Attacked) -> None:
    jober = attacked.jober
    jober.add_job("often", command="true", every=1, roles=["db"])
    wait_until(lambda: any(run.state == "success" for run in jober.runs("often")), 30)
    evil = attacked.evil()
    attacked.client.hset(keys.job("often"), mapping={"data": evil, "revision": 7})
    run = wait_until(
        lambda: next((run for run in jober.runs("often") if run.state == "failed"), None), 30
    )
    refused(run, attacked, "")
    with pytest.raises(NotSigned, match="often"):
        jober.update_job("often", title="signed by mistake")
    with pytest.raises(NotSigned, match="often"):
        jober.run("often", args=["x"])
    jober.remove_job("often", force=True)


def test_a_schedule_that_was_changed_fires_nothing_that_runs(attacked: Attacked) -> None:
    jober = attacked.jober
    jober.add_job("yearly", command=f"touch {attacked.mark}", cron="0 0 1 1 *", roles=["db"])
    jober.add_job("model", command="true", every=1, roles=["nowhere"])
    schedule = definition(attacked, "model")["schedule"]
    attacked.client.hset(keys.job("yearly"), "schedule", schedule)
    attacked.client.zadd(keys.DUE, {"yearly": 0})
    run = wait_until(
        lambda: next((run for run in jober.runs("yearly") if run.state.is_final), None), 30
    )
    refused(run, attacked, "it is not signed")
    for name in ("yearly", "model"):
        jober.remove_job(name, force=True)


def test_an_interval_that_was_moved_fires_nothing_that_runs(attacked: Attacked) -> None:
    jober = attacked.jober
    jober.add_job("hourly", command=f"touch {attacked.mark}", every=3600, roles=["db"])
    wait_until(lambda: jober.job("hourly").next_ms, 30)  # the leader has planned it
    moved = jober.now_ms() - 3_600_000 + 500
    attacked.client.hset(keys.job("hourly"), "anchor", moved)
    attacked.client.zadd(keys.DUE, {"hourly": 0})
    attacked.client.rpush(keys.WAKE, 1)
    run = wait_until(
        lambda: next((run for run in jober.runs("hourly") if run.state.is_final), None), 30
    )
    refused(run, attacked, "it is not signed")
    jober.remove_job("hourly", force=True)


def test_a_signed_interval_counts_on_whatever_else_is_changed(attacked: Attacked) -> None:
    jober = attacked.jober
    jober.add_job("counted", command="true", every=3600, roles=["db"])
    first = jober.job("counted")
    attacked.client.hset(keys.job("counted"), "cursor", first.anchor_ms + 3_600_000)
    jober.update_job("counted", title="another")
    assert jober.job("counted").anchor_ms == first.anchor_ms
    jober.update_job("counted", every=7200)
    assert jober.job("counted").anchor_ms == first.anchor_ms + 3_600_000
    jober.sign(["counted"])
    record = jober.job("counted")
    assert jober.store.signer is not None
    assert jober.store.signer.problem("counted", record.fields) is None
    jober.remove_job("counted", force=True)


def test_what_follows_a_run_is_not_started_once_more(attacked: Attacked) -> None:
    """Not by a scheduler that knows nothing of the first time either."""
    jober, client, fleet = attacked.jober, attacked.client, attacked.fleet
    jober.add_job("second", command="true", roles=["db"])
    jober.add_job("first", command="true", roles=["db"], on_success=["second"])
    first = jober.run("first").wait(30).id

    def ended() -> str | None:
        return next((run.id for run in jober.runs("second") if run.state.is_final), None)

    second = wait_until(ended, 30)
    assert jober.store.runs.get(second).state == "success"
    leads = fleet.leading()
    leads.terminate()
    leads.wait(20)
    fleet.scheduler()
    client.delete(keys.rq_job(second))
    client.zrem(keys.runs("second"), second)
    client.zadd(keys.ENDED, {first: 1})
    client.rpush(keys.LOOK, 1)
    refused(jober.store.runs.get(wait_until(ended, 30)), attacked, "it was run here before")
    for name in ("first", "second"):
        jober.remove_job(name, force=True)


def test_a_run_of_long_ago_starts_nothing(attacked: Attacked) -> None:
    signing = Signing(read_signer(str(attacked.fleet.ops)))
    signer = attacked.jober.store.signer
    assert signer is not None
    day_ms, now_ms = 86_400_000, attacked.jober.now_ms()
    for days, expected in ((1, True), (8, False)):
        at_ms = now_ms - days * day_ms
        order = signing.order("long-ago", "good", now_ms=at_ms, until_ms=at_ms + day_ms)
        attacked.client.hset(keys.rq_job("long-ago"), "order", order)
        assert signer.starts_others("long-ago", "good") is expected
    attacked.client.delete(keys.rq_job("long-ago"))


def test_records_that_are_no_text_stop_no_scheduler(attacked: Attacked) -> None:
    jober, client = attacked.jober, attacked.client
    jober.add_job("ticks", command="true", every=1, roles=["db"])
    jober.add_job("follows", command="true", roles=["db"])
    jober.add_job("leads", command="true", roles=["db"], on_success=["follows"])
    record = definition(attacked, "ticks")
    fields: list[Any] = ["schedule", "policy", "spec", "seal", "anchor", "revision", "service"]
    fields += ["on_success", b"\xff\xfe"]
    names = [f"garbled-{number}" for number in range(len(fields))]
    for name, field in zip(names, fields, strict=True):
        client.hset(keys.job(name), mapping={**record, field: b"\xff\xfe"})
        client.sadd(keys.SERVICES, name)
        client.zadd(keys.DUE, {name: 0})
    for key in (keys.DUE, keys.ENDED, keys.NEEDING):
        client.zadd(key, {b"\xff\xfe": 0})
    client.sadd(keys.SERVICES, b"\xff\xfe")
    leads = attacked.fleet.leading()
    before = jober.job("ticks").cursor_ms
    wait_until(lambda: jober.job("ticks").cursor_ms >= before + 3000, 60)
    assert jober.run("leads").wait(30).state == "success"
    wait_until(lambda: any(run.state == "success" for run in jober.runs("follows")), 30)
    assert leads.poll() is None
    assert all(run.state != "success" for name in names for run in jober.runs(name))
    for name in names:
        client.delete(keys.job(name))
        client.srem(keys.SERVICES, name)
        client.zrem(keys.DUE, name)
    client.srem(keys.SERVICES, b"\xff\xfe")
    client.zrem(keys.ENDED, b"\xff\xfe")
    for name in ("ticks", "leads", "follows"):
        jober.remove_job(name, force=True)


def test_a_service_is_not_started_beside_its_run(attacked: Attacked) -> None:
    jober, fleet = attacked.jober, attacked.fleet
    jober.add_job("kept", command="sleep 1000", service=True, roles=["db"])

    def running() -> list[Run]:
        return [run for run in jober.runs("kept") if run.state == "running"]

    [first] = wait_until(running, 30)
    attacked.client.delete(keys.service("kept"))
    wait_until(lambda: f"{first.id} goes on in its place" in fleet.logs(), 30)
    assert [run.id for run in jober.runs("kept")] == [first.id]
    jober.handle(first.id).cancel()
    wait_until(lambda: [run.id for run in running()] not in ([], [first.id]), 30)
    jober.remove_job("kept", force=True)
