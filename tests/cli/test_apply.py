"""`jober apply`."""

from pathlib import Path

import pytest

from jober.store import Store
from tests.cli.conftest import Cli

FIRST = """
[jobs.nightly]
command = "backup"
cron = "0 3 * * *"
timezone = "Europe/Warsaw"
[jobs.hello]
command = "echo hello"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "fleet.toml"
    file.write_text(FIRST)
    return file


def test_a_file_is_applied_and_told(cli: Cli, file: Path, store: Store) -> None:
    done = cli("apply", str(file))
    assert done.status == 0
    nightly, *others = done.text.splitlines()
    assert nightly == "+ nightly  every day at 03:00 (Europe/Warsaw): backup"
    assert others == [
        "+ hello  by hand: echo hello",
        "2 added, 0 changed, 0 removed, 0 unchanged",
    ]
    assert store.jobs.names() == ["hello", "nightly"]
    assert cli("apply", str(file)).text == "0 added, 0 changed, 0 removed, 2 unchanged\n"


def test_a_change_is_told_field_by_field_and_what_is_not_in_the_file_is_kept(
    cli: Cli, file: Path, store: Store
) -> None:
    cli("apply", str(file))
    file.write_text(FIRST.partition("[jobs.hello]")[0].replace("0 3", "30 2"))
    assert cli("apply", str(file)).text.splitlines() == [
        "~ nightly",
        "    cron: '0 3 * * *' → '30 2 * * *'",
        "  hello  kept: it is not in the file (--prune removes it)",
        "0 added, 1 changed, 0 removed, 0 unchanged, 1 kept",
    ]
    assert store.jobs.names() == ["hello", "nightly"]


def test_prune_removes_what_is_not_in_the_file(cli: Cli, file: Path, store: Store) -> None:
    cli("apply", str(file))
    file.write_text(FIRST.partition("[jobs.hello]")[0])
    assert cli("apply", str(file), "--prune").text.splitlines() == [
        "- hello",
        "0 added, 0 changed, 1 removed, 1 unchanged",
    ]
    assert store.jobs.names() == ["nightly"]


def test_a_dry_run_writes_nothing(cli: Cli, file: Path, store: Store) -> None:
    done = cli("apply", str(file), "--dry-run", "--json")
    assert done.json == {
        "calendars": {"added": [], "changed": [], "removed": []},
        "limits": {"changed": [], "removed": []},
        "added": ["nightly", "hello"],
        "changed": [],
        "removed": [],
        "kept": [],
        "protected": [],
        "unchanged": [],
        "signed": [],
        "dry_run": True,
    }
    assert store.jobs.names() == []


def test_all_errors_are_told_and_nothing_is_written(cli: Cli, file: Path, store: Store) -> None:
    file.write_text(FIRST + '[jobs.a]\ncrn = "x"\ncommand = "x"\n[jobs.b]\ncron = "61 * * * *"\n')
    done = cli("apply", str(file))
    assert done.status == 1
    assert not done.out
    lines = done.err.splitlines()
    assert len(lines) >= 3
    assert all(line.startswith(f"jober: {file}:") for line in lines)
    assert "job 'a': crn: unknown field 'crn', did you mean 'cron'?" in lines[0]
    assert any("minute 61 is not in 0-59" in line for line in lines)
    assert store.jobs.names() == []


def test_calendars_of_the_file_are_applied_and_told(cli: Cli, tmp_path: Path, store: Store) -> None:
    file = tmp_path / "fleet.toml"
    text = """
[calendars.holidays]
dates = ["2026-12-25", "01-06"]
[jobs.nightly]
command = "true"
cron = "0 3 * * *"
exclude = ["holidays"]
"""
    file.write_text(text)
    assert cli("apply", str(file)).text.splitlines()[:1] == ["+ calendar holidays"]
    assert set(store.calendars.all()) == {"holidays"}
    file.write_text(text.replace("01-06", "12-26"))
    lines = cli("apply", str(file)).text.splitlines()
    assert lines[:3] == ["~ calendar holidays", "    + 12-26", "    - 01-06"]
    assert cli("apply", str(file), "--json").json["calendars"] == {
        "added": [],
        "changed": [],
        "removed": [],
    }
    file.write_text(text.replace('["holidays"]', '["holidys"]'))
    refused = cli("apply", str(file))
    assert refused.status == 1
    assert "did you mean 'holidays'" in refused.err
