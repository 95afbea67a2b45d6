"""What an agent has in hand, and how long its runs are marked as begun."""

from jober_worker.begun import Begun
from jober_worker.execution import Execution
from jober_worker.holdings import Holdings
from tests.worker.test_runners import execution


def begun_run(marks: Begun, holdings: Holdings) -> Execution:
    run = execution("run-1", reserved=True)
    holdings.take([run])
    run.place = marks.take()
    marks.mark(run.place, run.claim.lease)
    return run


def test_what_is_over_is_marked_as_begun_until_it_is_reported() -> None:
    marks = Begun()
    marks.belong_to("host1-aaaaaa")
    holdings = Holdings(marks)
    run = begun_run(marks, holdings)
    holdings.over([run])
    assert marks.not_begun([run.claim.lease]) == []
    holdings.forget([run.claim.lease])
    assert marks.not_begun([run.claim.lease]) == [run.claim.lease]


def test_what_is_another_s_is_marked_as_begun_until_it_is_over() -> None:
    """Until then, whoever performs it may mark it, and the place is for no other run."""
    marks = Begun()
    marks.belong_to("host1-aaaaaa")
    holdings = Holdings(marks)
    run = begun_run(marks, holdings)
    holdings.forget([run.claim.lease])
    assert marks.not_begun([run.claim.lease]) == []
    holdings.over([run])
    assert marks.not_begun([run.claim.lease]) == [run.claim.lease]
