"""`jober why` answers from the ledger and the definition."""

import pytest

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
    assert answer.endswith("which is queued.")
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
        ({}, {}, -3, "It is to come, but no live host has such a role now."),
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
