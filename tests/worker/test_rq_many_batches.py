"""How many batches of plain RQ jobs go on at once, and what waits for one."""

import os
from collections.abc import Sequence
from dataclasses import replace

import rq

from jober.run import Claim, Outcome
from jober_worker.ahead import Ahead
from jober_worker.execution import Execution
from jober_worker.listener import Listener
from jober_worker.rq_batches import RqBatches
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker import rq_tasks as tasks
from tests.worker.test_runners import MEANS, WORK

SLOTS = 50
CORES = min(SLOTS, os.cpu_count() or 1)


def job(number: int, reserved: bool = True, listener: Listener = MEANS.listener) -> Execution:
    record = {b"data": WORK.data}
    claim = Claim(id=f"job-{number}", attempt=1, work=WORK, record=record, reserved=reserved)
    return Execution(claim, replace(MEANS, listener=listener))


class Batches:
    """With all that are to be begun, in their order."""

    def __init__(self, *took_s: float) -> None:
        self.begun: list[str] = []
        self.ahead = Ahead(SLOTS)
        for seconds in took_s:
            self.ahead.took(seconds)
        self.batches = RqBatches(SLOTS, MEANS, self.ahead, self._begin, self._over)

    def _begin(self, executions: Sequence[Execution]) -> None:
        self.begun += [one.claim.id for one in executions]

    def _over(self, ends: Sequence[tuple[Execution, Outcome]]) -> None:
        raise AssertionError(f"{[execution.claim.id for execution, _ in ends]} are not over")


def ids(numbers: range) -> list[str]:
    return [f"job-{number}" for number in numbers]


def test_as_long_as_nobody_knows_how_long_jobs_take_there_is_a_batch_for_each_core() -> None:
    of = Batches()
    of.batches.put([job(number) for number in range(100)])
    assert of.begun == ids(range(CORES))


def test_of_quick_jobs_there_is_a_batch_for_each_core() -> None:
    of = Batches(0.0001, 0.0001)
    of.batches.put([job(number) for number in range(100)])
    assert of.begun == ids(range(CORES))


def test_of_jobs_that_take_longer_there_is_one_for_each_slot() -> None:
    of = Batches(0.01)
    of.batches.put([job(number) for number in range(100)])
    assert of.begun == ids(range(SLOTS))


def test_as_soon_as_it_is_known_that_they_take_longer_there_are_more() -> None:
    of = Batches()
    of.batches.put([job(number) for number in range(100)])
    of.ahead.took(0.01)
    of.batches.more(0)
    assert of.begun == ids(range(SLOTS))


def test_a_batch_gets_its_share_of_those_that_wait_in_their_order() -> None:
    of = Batches(0.01)
    of.batches.put([job(number) for number in range(SLOTS + 3 * SLOTS)])
    share = [one.claim.id for one in of.batches.more(64)]
    assert share == ids(range(SLOTS, SLOTS + 3))


def test_what_is_put_back_is_the_first_again() -> None:
    of = Batches(0.0001)
    of.batches.put([job(number) for number in range(CORES + 10)])
    share = of.batches.more(4)
    of.batches.put_back(share)
    assert of.batches.more(4) == share


def test_what_is_asked_to_stop_is_for_no_batch() -> None:
    of = Batches(0.0001)
    listener = Listener()
    listener.open()
    listener.part.start()
    jobs = [job(number, listener=listener) for number in range(CORES + 2)]
    of.batches.put(jobs)
    jobs[CORES].stop("cancelled")
    listener.close()
    assert of.batches.more(2) == [jobs[-1]]
    assert of.begun == ids(range(CORES + 1))


def test_what_is_taken_back_is_reserved_and_others_are_begun_in_place_of_what_was_to_be() -> None:
    of = Batches(0.0001)
    assert of.batches.oldest_s() is None
    jobs = [job(number, reserved=number != CORES) for number in range(CORES + 5)]
    of.batches.put(jobs)
    assert of.batches.oldest_s() == jobs[CORES].begun_s
    assert of.batches.take_back(jobs[:CORES]) == jobs[CORES + 1 :]
    of.batches.put([job(99)])
    assert of.begun[CORES:] == [jobs[CORES].claim.id, "job-99"][:CORES]


def test_jobs_that_wait_for_something_wait_side_by_side(fleet: Fleet) -> None:
    fleet.agent("adder1", "adder", "--accept-pickle", "--slots", "6")
    redis = fleet.jober.store.connection.client
    queue = rq.Queue("adder", connection=redis)
    jobs = queue.enqueue_many([rq.Queue.prepare_data(tasks.tried_until, ("go",)) for _ in range(6)])
    wait_until(lambda: all(redis.exists(f"tried:{one.id}") for one in jobs), 60, "all have begun")
    redis.rpush("go", *"123456")
    wait_until(lambda: all(one.get_status() == "finished" for one in jobs), 60, "their ends")
