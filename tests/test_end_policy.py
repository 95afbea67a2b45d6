"""What the end of an attempt means."""

import json
from typing import Any

import pytest

from jober.end_policy import EndPolicy
from jober.job import Job
from jober.run import Outcome, RunState


def policy(**options: Any) -> EndPolicy:
    return EndPolicy.read(json.dumps(options))


def ended(state: RunState = RunState.FAILED, **outcome: Any) -> Outcome:
    return Outcome(state=state, **outcome)


def test_the_defaults_are_those_of_the_fields_of_a_job() -> None:
    job = Job(name="nightly", command="true")
    assert policy() == policy(
        **{
            field: getattr(job, field)
            for field in (
                *("retries", "retry_delay", "retry_backoff", "retry_max_delay", "retry_on"),
                *("ok_exit_codes", "skip_exit_codes"),
            )
        }
    )


@pytest.mark.parametrize(
    "options",
    [
        *("", "[]", "5", '{"retry_on": 5}', '{"retry_on": [[]]}', '{"retries": [1]}'),
        *('{"retries": Infinity}', '{"retries": 3, "retry_delay": NaN}', '{"retries": true}'),
        '{"retries": 3, "retry_backoff": "2"}',
    ],
)
def test_options_that_cannot_be_read_try_nothing_again(options: str) -> None:
    assert EndPolicy.read(options) == EndPolicy()
    assert EndPolicy.read(options).retry_in_s(ended(), 1) is None


def test_a_delay_that_no_number_holds_is_its_bound() -> None:
    huge = policy(retries=10**6, retry_backoff=10**9, retry_max_delay=60)
    assert huge.retry_in_s(ended(), 1000) == 60


def test_the_delay_grows_up_to_its_bound() -> None:
    one = policy(retries=5, retry_delay=10, retry_backoff=3, retry_max_delay=100)
    assert [one.retry_in_s(ended(), n) for n in range(1, 7)] == [10, 30, 90, 100, 100, None]
    assert policy(retries=2, retry_delay=0).retry_in_s(ended(), 2) == 0
    assert policy(retries=100, retry_backoff=99.9).retry_in_s(ended(), 100) == 3600


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("failed", ended(exit_code=3)),
        ("timeout", ended(RunState.TIMEOUT, exit_code=143)),
        ("lost", ended(RunState.LOST)),
        ("exit:75", ended(exit_code=75)),
        ("error:ValueError", ended(exit_code=1, errors=("ValueError", "builtins.ValueError"))),
    ],
)
def test_what_is_tried_again_is_what_retry_on_names(word: str, outcome: Outcome) -> None:
    words = {"failed", "timeout", "lost", "exit:75", "error:ValueError"}
    assert policy(retries=1, retry_on=[word]).retry_in_s(outcome, 1) == 10
    others = words - {word} - ({"failed"} if outcome.state is RunState.FAILED else set())
    assert policy(retries=1, retry_on=sorted(others)).retry_in_s(outcome, 1) is None


@pytest.mark.parametrize("state", [RunState.SUCCESS, RunState.SKIPPED, RunState.CANCELLED])
def test_what_ended_well_or_was_cancelled_is_never_tried_again(state: RunState) -> None:
    every = ["failed", "timeout", "lost", "exit:0", "exit:143"]
    for code in (0, 143):
        assert policy(retries=9, retry_on=every).retry_in_s(ended(state, exit_code=code), 1) is None


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        (0, RunState.FAILED, "exit code 0"),
        (2, RunState.SUCCESS, None),
        (3, RunState.SKIPPED, "exit code 3"),
        (4, RunState.FAILED, "as it was told"),
    ],
)
def test_an_exit_status_means_what_the_job_says(
    code: int, state: RunState, reason: str | None
) -> None:
    told = None if code == 0 else "as it was told"
    before = ended(RunState.FAILED if code else RunState.SUCCESS, exit_code=code, reason=told)
    judged = policy(ok_exit_codes=[2], skip_exit_codes=[3]).judge(before)
    assert (judged.state, judged.exit_code, judged.reason) == (state, code, reason)


def test_a_run_that_was_stopped_is_not_judged_by_its_exit_status() -> None:
    for state in (RunState.TIMEOUT, RunState.CANCELLED):
        stopped = ended(state, exit_code=3)
        assert policy(ok_exit_codes=[3]).judge(stopped) == stopped
    unknown = ended(exit_code=None)
    assert policy(ok_exit_codes=[3]).judge(unknown) == unknown
