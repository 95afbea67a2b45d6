"""Of the runs that a killed agent had reserved: those that it had begun are lost, where they may
not run twice, and all others run elsewhere, or there again."""

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import rq

from jober_worker.begun import PLACES, Begun
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, agent_of, joined, patched_agent
from tests.worker.held import begun, hold, let_go
from tests.worker.test_reserving import KEEPS, ONE_SLOT

# It reserves what may not run twice too, and does not tell of what has begun until it is over.
RESERVES = "from jober_worker.ahead import Ahead\nAhead.runs_once = property(lambda self: 5)\n"
RESERVES += "Ahead.runs = property(lambda self: 5)\n"
SILENT = "r.TELL_S = 1e9\n"
PICKLES = "sys.argv += ['--accept-pickle']\n"


def runs_of_a_job(fleet: Fleet, folder: Path) -> list[str]:
    fleet.jober.add_job("hold", call="tests.worker.held:hold", roles=[ROLE], overlap="allow")
    return [
        fleet.jober.run("hold", kwargs={"folder": str(folder), "number": n}).id for n in range(5)
    ]


def rq_jobs(fleet: Fleet, folder: Path) -> list[str]:
    queue = rq.Queue(ROLE, connection=fleet.jober.store.connection.client)
    calls = [rq.Queue.prepare_data(hold, (str(folder), n)) for n in range(5)]
    return [job.id for job in queue.enqueue_many(calls)]


def states(fleet: Fleet, runs: Sequence[str]) -> list[str]:
    return [str(fleet.jober.handle(run).state) for run in runs]


@pytest.mark.parametrize("put", [runs_of_a_job, rq_jobs])
def test_what_a_killed_agent_had_begun_is_lost_and_all_else_runs_once(
    fleet: Fleet, tmp_path: Path, put: Callable[[Fleet, Path], list[str]]
) -> None:
    fleet.scheduler()
    guardian = patched_agent(fleet, ONE_SLOT + PICKLES + RESERVES + KEEPS + SILENT)
    first = joined(fleet)
    redis = fleet.jober.store.connection
    redis.command("SET", "rq:suspended", 1)
    runs = put(fleet, tmp_path)
    redis.command("DEL", "rq:suspended")
    wait_until(lambda: begun(tmp_path, 0), 60, "the first is begun")
    others = ["reserved"] * 4
    wait_until(lambda: states(fleet, runs) == ["running", *others], told="others are reserved")
    let_go(tmp_path, 0)
    wait_until(lambda: begun(tmp_path, 1), 60, "the second is begun")
    wait_until(lambda: states(fleet, runs) == ["success", *others], told="the first is reported")
    os.kill(agent_of(guardian), signal.SIGKILL)
    for number in range(1, 5):
        let_go(tmp_path, number)
    told = ["success", "lost", *["success"] * 3]
    wait_until(lambda: states(fleet, runs) == told, 60, "the end of all")
    assert [begun(tmp_path, number) for number in range(5)] == [1] * 5
    assert {fleet.jober.handle(run).run.attempt for run in runs} == {1}
    assert fleet.jober.handle(runs[1]).run.agent == first


def test_marks_outlive_the_process_that_has_made_them() -> None:
    marks = Begun()
    child = os.fork()
    if child == 0:
        marks.belong_to("host1-aaaaaa")
        marks.mark(marks.take(), "run-1:1")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert marks.owner == "host1-aaaaaa"
    assert marks.not_begun(["run-1:1", "run-1:2", "run-2:1"]) == ["run-1:2", "run-2:1"]


def test_a_run_of_which_all_is_known_is_marked_no_more() -> None:
    marks = Begun()
    marks.belong_to("host1-aaaaaa")
    place = marks.take()
    marks.mark(place, "run-1:1")
    marks.free(place)
    assert marks.not_begun(["run-1:1"]) == ["run-1:1"]


def test_where_more_have_begun_than_there_are_places_any_may_have() -> None:
    marks = Begun()
    marks.belong_to("host1-aaaaaa")
    for number in range(PLACES - 1):
        marks.mark(marks.take(), f"run-{number}:1")
    assert marks.not_begun(["other:1"]) == ["other:1"]
    marks.mark(marks.take(), "one-more:1")
    assert marks.not_begun(["other:1"]) == []


def test_the_marks_of_an_agent_are_not_those_of_the_one_before() -> None:
    marks = Begun()
    marks.belong_to("host1-aaaaaa")
    marks.mark(marks.take(), "run-1:1")
    marks.belong_to("host1-bbbbbb")
    assert marks.owner == "host1-bbbbbb"
    assert marks.not_begun(["run-1:1"]) == ["run-1:1"]


def test_whoever_has_the_descriptor_marks_in_the_same_memory() -> None:
    marks = Begun()
    marks.belong_to("host1-aaaaaa")
    Begun(marks.file).mark(marks.take(), "run-1:1")
    assert marks.not_begun(["run-1:1"]) == []
