"""`jober limits`, and the limits of a jobs file."""

from pathlib import Path

from jober.store import Store
from tests.cli.conftest import Cli
from tests.store.hand import Hand

FILE = """
[limits]
database = 3

[jobs.report]
command = "true"
limits = ["database"]
"""


def test_limits_are_set_listed_and_removed(cli: Cli, hand: Hand) -> None:
    assert "no limits" in cli("limits").err
    assert cli("limits", "set", "database", "2").text == "limit database: 2\n"
    hand.job(limits=["database"], overlap="allow")
    hand.agent()
    for _ in range(3):
        hand.run()
    hand.claim()
    assert cli("limits", "--json").json == [
        {"name": "database", "slots": 2, "used": 2, "waiting": 1, "jobs": ["job"]}
    ]
    assert "2/2" in cli("limits").text
    refused = cli("limits", "remove", "database")
    assert (refused.status, "job 'job' names it" in refused.err) == (1, True)
    hand.job()
    assert cli("limits", "remove", "database").status == 0
    assert "no limit is named 'database'" in cli("limits", "remove", "database").err


def test_a_limit_without_a_slot_is_refused(cli: Cli) -> None:
    done = cli("limits", "set", "database", "0")
    assert done.status == 1
    assert "0 is not a number of runs from 1 to 1000000" in done.err


def test_a_run_that_is_parked_says_what_it_waits_for(cli: Cli, hand: Hand) -> None:
    cli("limits", "set", "database", "1")
    hand.job(limits=["database"], overlap="allow")
    hand.agent()
    hand.run()
    waiting = hand.run()
    hand.claim()
    (told,) = [run for run in cli("runs", "--json").json if run["id"] == waiting]
    assert told["waits_for"] == "a slot of the limit database"
    assert "waits for a slot of the limit database" in cli("runs").text


def test_the_limits_of_a_file_are_applied_changed_and_pruned(
    cli: Cli, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text(FILE)
    assert "+ limit database  3" in cli("apply", str(file)).text
    file.write_text(FILE.replace("3", "5"))
    told = cli("apply", str(file), "--dry-run")
    assert "~ limit database\n    3 -> 5" in told.text
    assert store.limits.slots() == {"database": 3}
    cli("apply", str(file))
    assert store.limits.slots() == {"database": 5}
    file.write_text('[jobs.report]\ncommand = "true"\n')
    assert cli("apply", str(file)).status == 0
    assert store.limits.slots() == {"database": 5}, "kept without --prune"
    assert "- limit database" in cli("apply", str(file), "--prune").text
    assert store.limits.slots() == {}


def test_a_wrong_limit_in_a_file_is_told_with_its_line(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text(FILE.replace("= 3", '= "many"'))
    done = cli("apply", str(file))
    assert done.status == 1
    assert f"{file}:3: limits.database: 'many' is not a number of runs" in done.err
    file.write_text(FILE.replace("[limits]\ndatabase = 3", ""))
    assert "job 'report': limits: no limit is named 'database'" in cli("apply", str(file)).err
