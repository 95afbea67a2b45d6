"""Results that other runs take, and successes that are fresh: step by step, on a real Redis."""

from typing import Any

import pytest

from jober.run import RunState
from jober.store import Store
from tests.store.hand import Hand


def test_results_stand_in_the_place_of_their_references_however_deep(hand: Hand) -> None:
    hand.job("a", command=None, call="operator:add")
    hand.job(
        "b",
        command=None,
        call="operator:add",
        args=[{"rows": [{"$result": "a"}]}, 2],
        kwargs={"more": {"$result": "a"}},
    )
    needed, waits = hand.run("a"), hand.run("b")
    assert hand.state(waits) is RunState.WAITING
    hand.finish(hand.claim_one(needed), return_value={"n": [1, None, "é"]})
    hand.follow()
    value = '{"n":[1,null,"é"]}'
    expected = f'["operator.add",null,[{{"rows":[{value}]}},2],{{"more":{value}}}]'
    assert hand.claim_one(waits).data.decode() == expected


def test_a_program_is_given_a_result_as_an_argument(hand: Hand, store: Store) -> None:
    hand.job("a", command=None, call="operator:add")
    hand.job("b", command="import", args=[{"$result": "a"}], kwargs={"tag": {"$result": "a"}})
    needed, waits = hand.run("a"), hand.run("b")
    hand.finish(hand.claim_one(needed), return_value=["x", "y z"])
    hand.follow()
    assert store.runs.get(waits).description == """import '["x","y z"]' --tag x --tag 'y z'"""


def test_a_function_that_returned_nothing_has_the_result_none(hand: Hand) -> None:
    hand.job("a", command=None, call="time:sleep")
    hand.job("b", command=None, call="operator:add", args=[{"$result": "a"}])
    needed, waits = hand.run("a"), hand.run("b")
    hand.finish(hand.claim_one(needed))
    hand.follow()
    assert hand.claim_one(waits).data == b'["operator.add",null,[null],{}]'


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ({}, "is a program, and returns nothing"),
        ({"return_value": "x" * 300_000}, "the return value was not kept"),
    ],
)
def test_a_result_that_is_missing_fails_the_run_in_words(
    hand: Hand, store: Store, outcome: dict[str, Any], told: str
) -> None:
    hand.job("a")
    hand.job("b", command=None, call="operator:add", args=[{"$result": "a"}])
    needed, waits = hand.run("a"), hand.run("b")
    hand.finish(hand.claim_one(needed), **outcome)
    hand.follow()
    run = store.runs.get(waits)
    assert run.state is RunState.FAILED and run.attempt == 0
    assert run.reason and needed in run.reason and told in run.reason


def test_a_run_is_skipped_as_fresh_and_has_the_result_of_the_last_success(
    hand: Hand, store: Store
) -> None:
    hand.job("a", command=None, call="operator:add", fresh_for="6h")
    hand.job("b", command=None, call="operator:neg", args=[{"$result": "a"}])
    first = hand.run("a")
    hand.follow()
    hand.finish(hand.claim_one(first), return_value=42)
    again, after = hand.run("a"), hand.run("b")
    hand.follow()
    run = store.runs.get(again)
    assert run.state is RunState.SKIPPED and run.is_good
    assert run.reason and run.reason.startswith(f"fresh: {first} succeeded at ")
    assert run.return_value == "42"
    assert hand.claim_one(after).data == b'["operator.neg",null,[42],{}]'
    # As if that had been long ago.
    for id in (first, again):
        store.connection.command("HSET", f"rq:job:{id}", "ended_at", "2020-01-01T00:00:00.000000Z")
    old = hand.run("a")
    hand.follow()
    assert hand.state(old) is RunState.QUEUED


def test_a_failure_is_not_fresh(hand: Hand) -> None:
    hand.job("a", fresh_for=3600)
    first = hand.run("a")
    hand.follow()
    hand.finish(hand.claim_one(first), RunState.FAILED)
    again = hand.run("a")
    hand.follow()
    assert hand.state(again) is RunState.QUEUED
