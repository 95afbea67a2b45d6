"""`jober jobs`, `show`, `next`, `pause`, `resume`, `remove`."""

import pytest

from jober.ledger import Decision
from jober.run import RunState
from jober.schema import READ_UP_TO
from jober.store import Store
from tests.cli.conftest import Cli
from tests.store.hand import Hand


def test_where_there_is_nothing_the_next_step_is_told(cli: Cli) -> None:
    for call, step in (
        (["jobs"], "no jobs yet: jober apply FILE"),
        (["runs"], "no run yet: jober run NAME"),
        (["agents"], "no live agent: start one with `jober worker"),
        (["events"], "nothing has happened yet"),
    ):
        done = cli(*call)
        assert (done.status, done.out) == (0, b"")
        assert step in done.err
        assert cli(*call, "--json").json == []


def test_a_job_of_a_later_jober_is_a_line_of_its_own_and_all_others_are_told(
    cli: Cli, hand: Hand
) -> None:
    for name in ("earlier", "later", "other"):
        hand.job(name, cron="0 3 * * *")
    hand.of_later_jober("later")
    _, earlier, later, other = cli("jobs").text.splitlines()
    assert later.split()[:3] == ["later", "later", "none"]
    assert f"of a later jober: schema {READ_UP_TO + 1} (upgrade jober here)" in later
    assert (earlier.split()[0], other.split()[0]) == ("earlier", "other")
    told = cli("jobs", "--json").json
    assert [(job["job"], job["state"]) for job in told] == [
        ("earlier", "active"),
        ("later", "later"),
        ("other", "active"),
    ]
    assert told[1]["schema"] == READ_UP_TO + 1
    [found] = [one for one in cli("doctor", "--json").json if one["where"] == "later"]
    assert found["check"] == "later"
    assert cli("show", "later").status == 1


def test_jobs_tells_when_each_is_due_and_how_its_last_run_went(cli: Cli, hand: Hand) -> None:
    hand.job("nightly", cron="0 3 * * *", roles=["db"], on="every")
    hand.job("broken")
    hand.agent()
    hand.run("broken")
    [claim] = hand.claim()
    hand.finish(claim, RunState.FAILED, exit_code=3)
    hand.store.jobs.pause("nightly", True)
    told = cli("jobs").text
    title, broken, nightly = told.splitlines()
    assert title.split() == ["JOB", "NEXT", "LAST", "RUN", "SCHEDULE", "ROLES"]
    assert broken.split()[:4] == ["broken", "by", "hand", "failed"]
    assert nightly.split()[:3] == ["nightly", "paused", "none"]
    assert nightly.endswith("each of db")
    assert [job["state"] for job in cli("jobs", "--json").json] == ["active", "paused"]


def test_jobs_says_so_when_nobody_schedules(cli: Cli, store: Store) -> None:
    cli("apply", "examples/fleet.toml")
    assert "no scheduler leads, so nothing fires" in cli("jobs").err


def test_show_tells_decisions_and_their_reasons(cli: Cli, hand: Hand) -> None:
    hand.job("each", every=10, overlap="skip", title="Each ten seconds", notes="Two\nlines")
    hand.agent()
    now_ms = hand.store.clock.now_ms()
    hand.store.connection.command("HSET", "jober:job:each", "cursor", now_ms - 60_000)
    for ago_ms in (20_000, 10_000):
        hand.fire("each", now_ms - ago_ms)
    done = cli("show", "each", "--json").json
    assert done["definition"]["every"] == 10
    assert done["hosts"] == ["host1"]
    assert len(done["next_fires"]) == 3
    assert {entry["decision"] for entry in done["ledger"]} == {Decision.FIRED, Decision.SKIPPED}
    assert [run["job"] for run in done["runs"]] == ["each"]
    text = cli("show", "each").text
    for words in (
        "Each ten seconds",
        "a host with role default (host1)",
        "overlap: 1 run is still going",
        "Two",
    ):
        assert words in text


def test_show_says_when_no_live_host_has_the_role(cli: Cli, hand: Hand) -> None:
    hand.job("nightly", cron="0 3 * * *", roles=["db"])
    assert "no live host has a role that it asks for" in cli("show", "nightly").text
    assert "none yet: jober run nightly" in cli("show", "nightly").text


@pytest.mark.parametrize("command", ["show", "next", "pause", "resume", "remove", "run"])
def test_a_job_that_is_not_there_is_told_with_a_suggestion(
    cli: Cli, hand: Hand, command: str
) -> None:
    hand.job("nightly")
    done = cli(command, "nigthly")
    assert done.status == 1
    assert done.err == "jober: no job is named 'nigthly', did you mean 'nightly'?\n"


def test_a_job_is_paused_resumed_and_removed(cli: Cli, hand: Hand) -> None:
    hand.job("nightly", cron="0 3 * * *")
    assert cli("pause", "nightly").text == "paused nightly\n"
    assert cli("pause", "nightly").text == "nightly was paused already\n"
    assert hand.store.jobs.get("nightly").paused
    assert "nightly is paused: it fires at none of these" in cli("next", "nightly").err
    assert cli("resume", "nightly", "--json").json == {
        "job": "nightly",
        "action": "resumed",
        "changed": True,
    }
    assert cli("resume", "nightly").text == "nightly was not paused\n"
    assert cli("remove", "nightly").text == "removed nightly\n"
    assert hand.store.jobs.names() == []


def test_next_tells_the_same_moment_on_both_clocks(
    cli: Cli, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand.job("nightly", cron="30 2 * * *", timezone="Europe/Warsaw")
    fires = cli("next", "nightly", "-n", "400", "--json").json
    assert len(fires) == 400
    assert fires[0]["timezone"] == "Europe/Warsaw"
    assert all("T02:30:00+0" in fire["in_zone"] for fire in fires if not fire["notes"])
    # In a year and some, summer time begins and ends at least once.
    assert any(fire["notes"] for fire in fires)
    assert "Europe/Warsaw" in cli("next", "nightly").text.splitlines()[0]


def test_next_asks_an_expression_without_any_redis(cli: Cli) -> None:
    done = cli("next", "--cron", "0 0 1 1 *", "-n", "2", "--json", "--redis", "redis://127.0.0.1:1")
    assert [fire["in_zone"][4:] for fire in done.json] == ["-01-01T00:00:00+00:00"] * 2
    wrong = cli("next", "--cron", "61 * * * *", "--timezone", "Mars/Base")
    assert wrong.status == 1
    assert "jober: timezone: 'Mars/Base' is not a time zone" in wrong.err
    assert "jober: cron: minute 61 is not in 0-59 (write a number of that range)\n" in wrong.err


def test_next_of_a_job_by_hand_says_how_to_run_it(cli: Cli, hand: Hand) -> None:
    hand.job("hello")
    assert cli("next", "hello").err == "jober: hello has no schedule: jober run hello\n"


def test_the_intervals_of_next_count_from_the_anchor(cli: Cli, hand: Hand) -> None:
    hand.job("each", every=10)
    anchor = hand.store.jobs.get("each").anchor_ms
    coming = cli("next", "each", "-n", "1", "--json").json[0]["fire_at"]
    schedule = hand.store.jobs.get("each").job.schedule
    assert schedule is not None
    assert coming[-5:-1] == f".{anchor % 1000:03d}"


def test_a_service_is_told_by_how_it_stands(cli: Cli, hand: Hand) -> None:
    hand.job("svc", service=True)
    assert "no host" in cli("jobs").text and "kept alive" in cli("jobs").text
    assert cli("jobs", "--json").json[0]["service"] == []
    assert "svc is a service, and has no fires" in cli("next", "svc").err
    assert "it is a service, of which one run goes on always" in cli("run", "svc").err
    hand.store.jobs.pause("svc", True)
    assert "paused" in cli("jobs").text
