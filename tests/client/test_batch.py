"""Batches of commands, on a real fleet."""

from pathlib import Path
from typing import Any

import pytest

from jober.errors import DefinitionError
from jober.job import each_of
from tests.fleet import Fleet


@pytest.fixture
def fleet_of_one(fleet: Fleet) -> Fleet:
    fleet.scheduler()
    fleet.agent("alpha", "default")
    return fleet


def by_id(report: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in report}


def test_each_command_runs_after_those_that_it_waits_for_and_the_report_tells_of_all(
    fleet_of_one: Fleet, tmp_path: Path
) -> None:
    file = tmp_path / "order"
    note = f'echo "$0" >> {file}; echo "said $0"; echo oops >&2'
    batch = fleet_of_one.jober.batch(
        [
            {"id": "link", "command": ["sh", "-c", note, "link"], "waiting": ["a", "b"]},
            {"id": "a", "command": ["sh", "-c", note, "a"]},
            {"id": "b", "command": ["sh", "-c", note, "b"], "waiting": ["a"]},
        ],
        logs=tmp_path / "logs",
    )
    assert batch.ok
    assert file.read_text().split() == ["a", "b", "link"]
    report = batch.report()
    assert [row["id"] for row in report] == ["link", "a", "b"]
    for row in report:
        assert (row["state"], row["retried"], row["exit_code"]) == ("success", 0, 0)
        assert row["start"] <= row["finish"] and row["elapsed"] >= 0
        log = tmp_path / "logs" / f"{row['id']}.log"
        assert row["log"] == str(log)
        assert set(log.read_text().split("\n")) == {f"said {row['id']}", "oops", ""}
    rows = by_id(report)
    assert rows["a"]["finish"] <= rows["b"]["start"]
    assert batch.table().splitlines()[0].split() == [
        *("id", "state", "retried", "exit_code", "start", "finish", "elapsed")
    ]


def test_the_first_error_stops_what_depends_on_it_and_lets_the_rest_go_on(
    fleet_of_one: Fleet,
) -> None:
    batch = fleet_of_one.jober.batch(
        [
            {"id": "bad", "command": "exit 3", "shell": True},
            {"id": "after", "command": "true", "waiting": ["bad"]},
            {"id": "last", "command": "true", "waiting": ["after", "good"]},
            {"id": "good", "command": "true"},
        ]
    )
    rows = by_id(batch.report())
    assert not batch.ok
    assert (rows["bad"]["state"], rows["bad"]["exit_code"]) == ("failed", 3)
    assert rows["good"]["state"] == "success"
    for id in ("after", "last"):
        row = rows[id]
        assert row["state"] == "skipped" and row["reason"] == "bad did not succeed"
        for name in ("retried", "exit_code", "start", "finish", "elapsed", "run", "log"):
            assert row[name] is None


def test_by_fail_fast_what_runs_is_stopped_and_nothing_more_begins(fleet_of_one: Fleet) -> None:
    batch = fleet_of_one.jober.batch(
        [
            {"id": "long", "command": "sleep 600"},
            {"id": "bad", "command": "false"},
            {"id": "after", "command": "true", "waiting": ["long"]},
        ],
        fail_fast=True,
    )
    rows = by_id(batch.report())
    assert rows["bad"]["state"] == "failed"
    assert rows["long"]["state"] == "cancelled"
    assert rows["long"]["reason"] == "the batch was stopped: bad failed"
    assert (rows["after"]["state"], rows["after"]["start"]) == ("skipped", None)


def test_a_command_is_tried_again_as_it_says(fleet_of_one: Fleet, tmp_path: Path) -> None:
    once, twice = tmp_path / "once", tmp_path / "twice"
    script = f"test -e {twice} && exit 0; test -e {once} && touch {twice}; touch {once}; exit 1"
    batch = fleet_of_one.jober.batch(
        [
            {
                "id": "again",
                "command": script,
                "shell": True,
                "retry": 3,
                "delay": 0.1,
                "backoff": 1,
                "timeout": 60,
            }
        ]
    )
    [row] = batch.report()
    assert (row["state"], row["retried"]) == ("success", 2)
    assert row["elapsed"] >= 0.2


def test_a_command_that_takes_too_long_is_a_timeout(fleet_of_one: Fleet) -> None:
    [row] = fleet_of_one.jober.batch(
        [{"id": "slow", "command": "sleep 600", "timeout": 0.2, "retry": 0, "delay": 5}]
    ).report()
    assert row["state"] == "timeout"


def test_no_more_run_at_once_than_was_asked_for(fleet_of_one: Fleet, tmp_path: Path) -> None:
    script = f"mkdir {tmp_path}/held || exit 9; sleep 0.1; rmdir {tmp_path}/held"
    batch = fleet_of_one.jober.batch(
        [{"id": f"n{n}", "command": script, "shell": True} for n in range(4)], at_once=1
    )
    assert batch.ok


def test_what_runs_is_cancelled_where_the_batch_is_interrupted(fleet_of_one: Fleet) -> None:
    from jober.batch import read_items
    from jober.client.batch import Batch

    items = read_items([{"id": "long", "command": "sleep 600"}])
    batch = Batch(fleet_of_one.jober, items)

    def interrupt(batch: Batch) -> None:
        if batch.running:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch.run(interrupt)
    [run] = fleet_of_one.jober.runs()
    ended = fleet_of_one.jober.handle(run.id).wait(60)
    assert ended.state == "cancelled"


@pytest.mark.parametrize(
    ("jobs", "told"),
    [
        ("make", "is no list of commands"),
        (["make"], "the 1. is 'make', and no table"),
        ([{"command": "make"}], "the 1. has no id that is one: null"),
        ([{"id": "a/b", "command": "make"}], "has no id that is one: 'a/b'"),
        ([{"id": "a"}], "job 'a': there is nothing to run"),
        ([{"id": "a", "command": "x", "wating": []}], "unknown field 'wating', did you mean"),
        ([{"id": "a", "command": "x", "retry": -1}], "job 'a': retry: -1 is not"),
        ([{"id": "a", "command": "x", "waiting": "b"}], "waiting: 'b' is no list of ids"),
        ([{"id": "a", "command": "x"}] * 2, "job 'a': id: its id stands twice"),
        (
            [{"id": "one", "command": "x"}, {"id": "b", "command": "x", "waiting": ["onne"]}],
            "job 'b': waiting: no command has the id 'onne', did you mean 'one'?",
        ),
        (
            [
                {"id": "a", "command": "x", "waiting": ["b"]},
                {"id": "b", "command": "x", "waiting": ["c"]},
                {"id": "c", "command": "x", "waiting": ["a"]},
            ],
            "a loop: a → c → b → a",
        ),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_run(fleet: Fleet, jobs: Any, told: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        fleet.jober.batch(jobs)
    assert any(told in str(one) for one in each_of([refused.value])), str(refused.value)
    assert not fleet.jober.runs()


def test_a_batch_of_hundreds_that_wait_for_each_other_in_a_row_and_side_by_side(
    fleet_of_one: Fleet,
) -> None:
    chain = [
        {"id": f"c{n}", "command": "true", "waiting": [f"c{n - 1}"] if n else []} for n in range(20)
    ]
    wide = [{"id": f"w{n}", "command": "true", "waiting": ["c0"]} for n in range(80)]
    assert fleet_of_one.jober.batch([*chain, *wide]).ok
