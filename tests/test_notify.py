"""Whom a job tells: what its policies may be, what a notice comes to, and how a message looks."""

import json
from typing import Any

import pytest

from jober.errors import DefinitionError
from jober.job import Job
from jober.notify import (
    WHEN,
    Decided,
    Notice,
    Notify,
    decide,
    is_slow,
    rendered,
    rendered_body,
    retry_delay_s,
    usual_s,
)
from jober.run import Run, RunState

ALL = Notify.read({"on": list(WHEN), "webhook": "https://hooks.example.org/x"}, "notify[0]")


def a_run(state: str = "success", took_s: float = 1.0, id: str = "a") -> Run:
    return Run(
        id=id,
        job="job",
        state=RunState(state),
        queue="default",
        description="true",
        trigger="schedule",
        attempt=1,
        started_at_ms=0,
        ended_at_ms=round(took_s * 1000),
    )


def told_of(
    state: str, failing_since_ms: int | None = None, took_s: float = 1, usual: float | None = None
) -> Decided:
    notice = Notice(id="9-0", job="job", at_ms=9, facts={"run": "a", "state": state})
    return decide(notice, [ALL], "Title", failing_since_ms, a_run(state, took_s), usual)


@pytest.mark.parametrize(
    ("state", "failing_since", "about", "since"),
    [
        ("failed", None, ["every-failure"], 9),
        ("timeout", 5, ["every-failure"], 5),
        ("lost", None, ["every-failure"], 9),
        ("success", None, [], None),
        ("success", 5, ["recovery"], None),
        ("skipped", 5, [], 5),
        ("cancelled", 5, [], 5),
        ("cancelled", None, [], None),
        ("missed", None, ["missed"], None),
        ("missed", 5, ["missed"], 5),
    ],
)
def test_what_an_end_comes_to(
    state: str, failing_since: int | None, about: list[str], since: int | None
) -> None:
    decided = told_of(state, failing_since)
    assert [one.about for one in decided.deliveries] == about
    assert decided.failing_since_ms == since


def test_a_failure_is_told_once_until_it_is_over() -> None:
    policy = Notify.read({"on": ["failure"], "mail": "a@b.c"}, "notify[0]")
    notice = Notice(id="9-0", job="job", at_ms=9, facts={"run": "a", "state": "failed"})
    assert decide(notice, [policy], "", None, None, None).deliveries[0].about == "failure"
    assert decide(notice, [policy], "", 5, None, None).deliveries == ()


def test_a_fire_that_made_no_run_is_missed() -> None:
    facts = {"fire_at": "2026-11-21T03:00:00Z", "count": "3", "reason": "no live host"}
    decided = decide(Notice(id="9-0", job="job", at_ms=9, facts=facts), [ALL], "", None, None, None)
    [delivery] = decided.deliveries
    assert delivery.about == "missed"
    assert delivery.facts["count"] == "3"


def test_a_run_is_slow_by_what_is_usual() -> None:
    assert [one.about for one in told_of("success", took_s=9, usual=4).deliveries] == ["slow"]
    assert told_of("success", took_s=8, usual=4).deliveries == ()
    assert not is_slow(0.5, 0.1, 2), "by less than a second"
    assert not is_slow(9, None, 2)
    assert not is_slow(None, 1, 2)


def test_the_usual_is_the_median_of_the_successes_before() -> None:
    earlier = [a_run(took_s=took, id=str(took)) for took in (1, 2, 3, 4, 100)]
    run = a_run(id="x")
    assert usual_s(run, earlier) == 3
    assert usual_s(run, [run, *earlier[1:]]) is None
    assert usual_s(run, [*earlier[1:], a_run("failed", id="f")]) is None


def test_facts_stand_in_templates_and_in_json_as_they_are() -> None:
    policy = Notify.read(
        {"webhook": "https://x.example.org", "body": {"text": "$job: $reason", "n": [1, "$$"]}},
        "notify[0]",
    )
    facts = {"job": "nightly", "reason": 'it said "no" \\ $job'}
    assert json.loads(rendered_body(policy, facts)) == {
        "text": 'nightly: it said "no" \\ $job',
        "n": [1, "$"],
    }
    assert rendered("${job} on $host", facts) == "nightly on "
    assert json.loads(rendered_body(ALL, facts)) == facts


def test_a_message_is_tried_again_ever_later_and_given_up_after_a_day() -> None:
    delays = [retry_delay_s(attempt, 0) for attempt in (1, 2, 3, 9, 10, 1000)]
    assert delays == [10, 20, 40, 2560, 3600, 3600]
    assert retry_delay_s(3, 86_400) is None


@pytest.mark.parametrize(
    ("table", "field", "problem"),
    [
        ({"on": ["failed"], "mail": "a@b.c"}, "notify[0].on", "did you mean 'failure'"),
        ({"on": [], "mail": "a@b.c"}, "notify[0].on", "it is no list of texts"),
        ({"on": ["failure"]}, "notify[0]", "either webhook or mail"),
        ({"webhook": "https://a.b", "mail": "a@b.c"}, "notify[0]", "either webhook or mail"),
        ({"webhook": "file.txt"}, "notify[0].webhook", "it is no address"),
        ({"webhook": "ftp://a.b/c"}, "notify[0].webhook", "it is no address"),
        ({"webhook": "https://a.b:99999/"}, "notify[0].webhook", "it is no address"),
        ({"webhook": "https://a.b/ c"}, "notify[0].webhook", "it is no address"),
        ({"webhook": "https://a.b", "secret": "hunter2"}, "notify[0].secret", "does not stand"),
        ({"mail": "a@b.c\nBcc: d@e.f"}, "notify[0].mail", "is no address"),
        ({"mail": "nobody"}, "notify[0].mail", "is no address"),
        ({"mail": "a@b.c", "secret": "env:X"}, "notify[0].secret", "it is of a webhook"),
        ({"webhook": "https://a.b", "subject": "x"}, "notify[0].subject", "it is of a mail"),
        ({"mail": "a@b.c", "subject": "$jab"}, "notify[0].subject", "did you mean 'job'"),
        ({"mail": "a@b.c", "text": "costs 3$"}, "notify[0].text", "a $ stands alone"),
        ({"webhook": "https://a.b", "body": {"x": ["$jab"]}}, "notify[0].body", "did you mean"),
        ({"webhook": "https://a.b", "over": 1}, "notify[0].over", "no factor above 1"),
        ({"webhok": "https://a.b"}, "notify[0]", "did you mean 'webhook'"),
    ],
)
def test_a_policy_that_is_wrong_is_told_by_its_field(
    table: dict[str, Any], field: str, problem: str
) -> None:
    with pytest.raises(DefinitionError) as error:
        Job(name="job", command="true", notify=[table])
    assert error.value.field == field
    assert problem in str(error.value)
    assert "hunter2" not in str(error.value)


def test_a_policy_is_read_again_as_it_was() -> None:
    for told in (
        {
            "on": ["slow"],
            "webhook": "https://a.b/c",
            "secret": "env:X",
            "over": 3,
            "body": {"a": 1},
        },
        {"mail": ["a@b.c"], "subject": "$job", "text": "$state"},
    ):
        policy = Notify.read(told, "notify[0]")
        assert Notify.read(policy.spec(), "notify[0]") == policy
