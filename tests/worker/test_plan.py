"""What is read once for all runs of one work, and what is not."""

import json
from dataclasses import replace
from typing import Any

import pytest

from jober.job.payload import CLEAN_UP, SCRIPT_CALL
from jober.run import Claim, Work
from jober_worker.call import CallUnreadable, Function, RqTerms
from jober_worker.plan import KEPT, Plans

DELETED = {
    "run": "job-m1",
    "job": "job",
    "state": "success",
    "data": '["time.sleep", null, [1], {}]',
}
RQ = RqTerms(url="unix:///nowhere", worker="host1-aaaaaa", accept_pickle=False)


def work(name: str, *args: Any, options: str = "{}", trigger: str = "manual", **kw: Any) -> Work:
    data = json.dumps([name, None, args, kw]).encode()
    return Work(
        job="job", queue="default", data=data, options=options, trigger=trigger, timeout=None
    )


def claim(of: Work, number: int = 1) -> Claim:
    return Claim(id=f"job-m{number}", attempt=1, work=of)


def function(plans: Plans, one: Claim) -> Function:
    what, _ = plans.of(one).read(one, RQ)
    assert isinstance(what, Function)
    return what


def test_runs_of_one_work_have_one_plan_and_those_of_another_another() -> None:
    plans, add = Plans(RQ), work("operator.add", 1, 2)
    assert plans.of(claim(add, 1)) is plans.of(claim(add, 2))
    again = replace(add, data=work("operator.add", 3, 4).data)
    assert function(plans, claim(add)).args == (1, 2)
    assert function(plans, claim(again)).args == (3, 4)


def test_what_cannot_be_changed_is_read_once() -> None:
    plans, add = Plans(RQ), work("operator.add", 1, "b", None, last=2.5)
    assert function(plans, claim(add, 1)) is function(plans, claim(add, 2))


@pytest.mark.parametrize(
    "of",
    [
        work("builtins.print", []),
        work("builtins.print", 1, {"a": 1}),
        work("builtins.print", last=[1]),
        work("builtins.print", last={}),
        work(SCRIPT_CALL, "/tmp/a.py:main", [[1], 2], {"a": {}}),
        work(CLEAN_UP, "shop.clean_up", DELETED),
    ],
)
def test_arguments_that_a_function_may_change_are_those_of_one_run(of: Work) -> None:
    plans = Plans(RQ)
    first, second = function(plans, claim(of, 1)), function(plans, claim(of, 2))
    assert first == second
    mine = [*first.args, *first.kwargs.values()]
    others = [*second.args, *second.kwargs.values()]
    for value, other in zip(mine, others, strict=True):
        assert not isinstance(value, list | dict) or value is not other


def test_a_plain_rq_job_is_read_from_its_own_record() -> None:
    plans, of = Plans(RQ), work("")
    for number in (1, 2):
        data = json.dumps(["operator.add", None, [number], {}]).encode()
        one = replace(claim(of, number), record={b"data": data})
        what, _ = plans.of(one).read(one, RQ)
        assert getattr(what, "args", None) == (number,)


def test_what_cannot_be_read_fails_each_of_its_runs() -> None:
    plans, of = Plans(RQ), replace(work("a"), data=b"nothing")
    for number in (1, 2):
        one = claim(of, number)
        with pytest.raises(CallUnreadable, match="not JSON"):
            plans.of(one).read(one, RQ)


def test_a_plan_tells_of_a_service_and_of_what_ends_mean() -> None:
    plans = Plans(RQ)
    assert plans.of(claim(work("a"))).service is None
    for on in ("any", "every"):
        options = json.dumps({"service": on, "retries": 7})
        plan = plans.of(claim(work("a", options=options, trigger="service")))
        assert (plan.service, plan.policy.retries) == (on, 7)
    assert plans.of(claim(work("a", options="[", trigger="service"))).service == "any"


def test_plans_are_made_anew_where_there_are_too_many_works() -> None:
    plans, first = Plans(RQ), claim(work("a"))
    plan = plans.of(first)
    for number in range(KEPT):
        plans.of(claim(work("a", number)))
    assert plans.of(first) is not plan
    assert plans.of(first) == plan
