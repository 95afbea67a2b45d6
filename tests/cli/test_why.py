"""`jober why` answers from the ledger and the definition."""

import pytest

from jober.client.waiting import wait_of
from jober.ids import fired_run_id
from jober.run import RunState
from jober.store import Store
from tests.cli.conftest import Cli
from tests.store.hand import Hand

MINUTE = 60_000


def begin(hand: Hand, store: Store, **fields: object) -> int:
    """A job that is as old as ten minutes, and a full minute that was due."""
    hand.job(**{"cron": "* * * * *", "timezone": "Europe/Warsaw", **fields})  # type: ignore[arg-type]
    due = (store.clock.now_ms() // MINUTE - 3) * MINUTE
    store.connection.command(
        *("HSET", "jober:job:job", "cursor", due - 10 * MINUTE, "floor", due - 10 * MINUTE),
        *("created_at", "2020-01-01T00:00:00.000000Z"),
    )
    return due


def told(cli: Cli, at_ms: int) -> str:
    from jober.clock import iso

    return str(cli("why", "job", "--at", iso(at_ms) or "", "--json").json["answer"])


def test_a_fire_that_ran_is_told_with_its_run(cli: Cli, hand: Hand, store: Store) -> None:
    due = begin(hand, store)
    hand.fire("job", due)
    answer = told(cli, due)
    assert answer.startswith("It made the run job-")
    assert "which is queued, and waits: no live host has a role that it asks for" in answer
    assert "s after it was due" in answer


def test_a_skipped_fire_is_told_with_the_reason(cli: Cli, hand: Hand, store: Store) -> None:
    due = begin(hand, store)
    hand.fire("job", due)
    hand.fire("job", due + MINUTE)
    assert told(cli, due + MINUTE) == "It was skipped: overlap: 1 run is still going."
    assert "It was skipped" in cli("why", "job").text, "without a moment, the newest decision"


def test_a_moment_within_the_minute_before_a_fire_means_that_fire(
    cli: Cli, hand: Hand, store: Store
) -> None:
    due = begin(hand, store)
    hand.fire("job", due)
    assert told(cli, due - 59_000).startswith("It made the run job-")


def test_what_became_of_the_run_of_a_fire_is_told(cli: Cli, hand: Hand, store: Store) -> None:
    due = begin(hand, store, overlap="allow")
    hand.agent()
    hand.fire("job", due)
    store.runs.cancel(fired_run_id("job", due), "enough")
    assert told(cli, due).endswith("which was cancelled before it started: enough.")
    hand.fire("job", due + MINUTE)
    [claim] = hand.claim()
    assert told(cli, due + MINUTE).startswith(f"It runs on host1, as {claim.id}")
    hand.finish(claim, RunState.FAILED, exit_code=3, reason="exit code 3")
    assert "It ran on host1, as" in told(cli, due + MINUTE)
    assert "and ended as failed: exit code 3." in told(cli, due + MINUTE)


@pytest.mark.parametrize(
    ("fields", "state", "ago", "answer"),
    [
        ({"cron": None}, {}, 3, "job has no schedule: it runs by hand only."),
        ({"cron": "0 0 1 1 *"}, {}, 3, "has no fire then: the last before is at "),
        ({}, {}, -3, "It is to come, but no live host has a role that it asks for (see"),
        ({}, {"paused": "1"}, -3, "It is to come, but the job is paused"),
        ({}, {}, 3, "Nothing has decided on it yet"),
        ({}, {"paused": "1"}, 3, "The job is paused. When it is resumed"),
        ({}, {"created_at": "2999-01-01T00:00:00.000000Z"}, 3, "The job was added after it"),
        ({}, {"floor": "9999999999999"}, 3, "The schedule was changed after it"),
    ],
)
def test_a_moment_without_a_decision_is_told_by_the_definition(
    cli: Cli,
    hand: Hand,
    store: Store,
    fields: dict[str, object],
    state: dict[str, str],
    ago: int,
    answer: str,
) -> None:
    due = begin(hand, store, **fields)
    for field, value in state.items():
        store.connection.command("HSET", "jober:job:job", field, value)
    assert answer in told(cli, due - (ago - 3) * MINUTE)


def test_a_moment_that_is_none_is_refused(cli: Cli, hand: Hand) -> None:
    hand.job()
    done = cli("why", "job", "--at", "yesterday")
    assert done.status == 2
    assert "'yesterday' is no moment: write 2026-11-21T03:00" in done.err


def test_an_excluded_fire_is_told_with_what_excludes_it(cli: Cli, hand: Hand, store: Store) -> None:
    due = begin(hand, store, cron="0 12 * * *", exclude=["12-25"], timezone="UTC")
    assert due
    done = cli("why", "job", "--at", "2026-12-25T12:00")
    assert "The fire of 2026-12-25 12:00 is excluded, not made: exclude 12-25" in done.text


def test_a_time_that_the_clock_of_the_zone_leaves_out_is_that_of_the_fire_after_it(
    cli: Cli, hand: Hand
) -> None:
    hand.job(cron="30 2 * * *", timezone="Europe/Warsaw")
    done = cli("why", "job", "--at", "2099-03-29T02:30")
    assert "02:30 does not exist on 2099-03-29: runs at 03:00" in done.text
    twice = cli("why", "job", "--at", "2099-10-25T02:30", "--json").json
    assert twice["at"] == "2099-10-25T00:30:00.000Z"


def test_a_run_is_asked_about_by_its_id_and_told_with_what_it_waits_for(
    cli: Cli, hand: Hand, store: Store
) -> None:
    hand.job(roles=["db"])
    run = hand.run()
    for asked in (run, "job"):  # of a job that no schedule fires, the newest run is told of
        told = cli("why", asked, "--json").json
        assert told["answer"] == (
            f"It is {run} (manual), which is queued, and waits: no live host has a role that it "
            "asks for (see `jober agents`)."
        )
        assert any("`jober worker --roles …`" in mend for mend in told["mends"])
    due = begin(hand, store, overlap="allow")
    hand.fire("job", due)
    fired = fired_run_id("job", due)
    assert f"It made the run {fired}" in cli("why", fired).text
    assert "no job is named 'job-nothing'" in cli("why", "job-nothing").err
    store.connection.command("HSET", "rq:job:plain", "origin", "default", "status", "queued")
    assert "which is a run without one (see `jober show plain`)" in cli("why", "plain").err


def test_what_may_be_done_is_told_with_its_command(cli: Cli, hand: Hand, store: Store) -> None:
    due = begin(hand, store, roles=["db"])
    hand.agent("db1-aaaaaa", ("db",))
    hand.fire("job", due)
    store.agents.order("db1", "cordon")
    told = cli("why", "job", "--json").json
    assert "takes new runs: db1 is cordoned (see `jober agents`)" in told["answer"]
    assert told["mends"] == [
        "`jober agents uncordon db1`: it has a role of the job, and is cordoned"
    ]
    store.agents.order("db1", "uncordon")
    hand.job(cron="* * * * *", roles=["db"])
    [claim] = hand.claim("db1-aaaaaa", 10, "db")
    hand.fire("job", due + MINUTE)
    skipped = cli("why", "job").text
    assert "→ `jober runs job` shows what it met" in skipped
    hand.finish(claim, RunState.FAILED, "db1-aaaaaa", exit_code=3, reason="exit code 3")
    assert f"→ `jober logs {claim.id}` is what it wrote" in cli("why", claim.id).text
    store.connection.command("DEL", "jober:leader")
    assert "→ no scheduler leads, so nothing fires" in cli("why", "job").text


def test_a_run_that_waits_for_a_limit_is_told_so(cli: Cli, hand: Hand, store: Store) -> None:
    cli("limits", "set", "database", "1")
    hand.job("first", limits=["database"])
    hand.job("second", limits=["database"])
    hand.agent()
    for name in ("first", "second"):
        hand.run(name)
    hand.claim()
    told = cli("why", "second")
    assert told.text.splitlines()[1].endswith("which is parked for a slot of the limit database.")
    assert "`jober limits` show who has the slots" in told.text
    parked = store.runs.get("second-m2")
    assert wait_of(parked, None, [], 0) == (
        "waits for a slot of the limit database: as many as may are running"
    )
