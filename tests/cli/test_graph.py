"""`jober graph`, and what `jober apply` and `jober show` tell of workflows."""

from pathlib import Path

from tests.cli.conftest import Cli

FLEET = """
[jobs.extract]
call = "operator:add"
args = [1, 2]
on_failure = ["alarm"]

[jobs.load]
call = "operator:neg"
args = [{ "$result" = "extract" }]
needs = ["backup"]

[jobs.backup]
command = "true"
fresh_for = "6h"

[jobs.alarm]
command = "true"

[jobs.alone]
command = "true"
"""


def test_the_graph_is_drawn_as_a_tree_as_a_picture_and_as_json(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text(FLEET)
    assert cli("graph").err.startswith("jober: no job has to do with another")
    assert cli("apply", str(file)).status == 0
    assert cli("graph").text.splitlines() == [
        "extract",
        "├─ alarm  (on failure)",
        "└─ load  (needs it)",
        "backup",
        "└─ load  (needs it)",
    ]
    assert cli("graph", "backup").text.splitlines() == ["backup", "└─ load  (needs it)"]
    assert cli("graph", "alone").text == "alone\n"
    assert cli("graph", "load", "--svg").text.startswith("<svg ")
    told = cli("graph", "--json").json
    assert {"from": "extract", "to": "alarm", "kind": "on_failure"} in told["edges"]
    assert {"job": "load", "level": 1} in told["jobs"]
    done = cli("graph", "laod")
    assert done.status == 1 and "did you mean 'load'?" in done.err


def test_a_file_with_a_loop_or_an_unknown_name_changes_nothing_and_names_it(
    cli: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "fleet.toml"
    loop = FLEET.replace(
        '[jobs.backup]\ncommand = "true"', '[jobs.backup]\ncommand = "true"\nneeds = ["load"]'
    )
    for text, told in (
        (loop, "a loop: load → backup → load, each after the one before"),
        (
            FLEET.replace('"backup"]', '"backupp"]'),
            "load': needs: no job is named 'backupp', did you",
        ),
        (
            FLEET.replace('"extract" }', '"extrakt" }'),
            "job 'load': args: no job is named 'extrakt'",
        ),
    ):
        file.write_text(text)
        for more in ((), ("--dry-run",)):
            done = cli("apply", str(file), *more)
            assert done.status == 1 and told in done.err and str(file) in done.err
    assert cli("jobs", "--json").json == []


def test_a_loop_across_two_files_is_refused_and_pruning_takes_all_that_is_linked(
    cli: Cli, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text('[jobs.b]\ncommand = "true"\n[jobs.a]\ncommand = "true"\nneeds = ["b"]\n')
    second.write_text('[jobs.b]\ncommand = "true"\nwait_for = ["a"]\n')
    assert cli("apply", str(first)).status == 0
    done = cli("apply", str(second))
    assert done.status == 1 and "a loop: " in done.err and "a → b" in done.err
    done = cli("remove", "b")
    assert done.status == 1 and "job 'b' is in use: job 'a' names it" in done.err
    second.write_text('[jobs.c]\ncommand = "true"\n')
    assert cli("apply", str(second), "--prune").status == 0
    assert [job["name"] for job in cli("jobs", "--json").json] == ["c"]


def test_what_a_run_waits_for_is_told_by_show_and_runs(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text('[jobs.b]\ncommand = "true"\n[jobs.a]\ncommand = "true"\nneeds = ["b"]\n')
    assert cli("apply", str(file)).status == 0
    run = cli("run", "a").text.strip()
    assert cli("runs", "a", "--json").json[0]["state"] == "waiting"
    shown = cli("show", run).text
    assert "waiting" in shown and "waits for its turn to be looked at" in shown
    assert 'needs       ["b"]' in cli("show", "a").text
    assert cli("cancel", run).status == 0
    assert cli("runs", "a", "--json").json[0]["state"] == "cancelled"
