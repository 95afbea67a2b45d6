"""The threads that carry out runs: who is begun, in which order, and who is taken back."""

import threading
from pathlib import Path

from jober.run import Claim, Work
from jober.secret_file import Secrets
from jober_worker.allow import AllowList
from jober_worker.begun import Begun as Marks
from jober_worker.call import RqTerms
from jober_worker.execution import Execution, Means
from jober_worker.gate import Gate
from jober_worker.listener import Listener
from jober_worker.log_folder import LogFolder
from jober_worker.plan import Plans
from jober_worker.run_output import RunOutput
from jober_worker.runners import Runners
from jober_worker.warm import WarmPool
from tests.waiting import wait_until
from tests.worker.programs import GROUPS

RQ = RqTerms(url="unix:///nowhere", worker="host1-aaaaaa", accept_pickle=False)
WORK = Work(
    job="job",
    queue="default",
    data=b'["operator.add", null, [1, 2], {}]',
    options="{}",
    trigger="manual",
    timeout=None,
)


def no_output(run: str, attempt: int) -> RunOutput:
    raise AssertionError(f"{run} writes nothing")


MEANS = Means(
    host="host1",
    gate=Gate(AllowList(), None, "host1", frozenset),
    listener=Listener(),
    logs=LogFolder(Path("/nowhere")),
    begun=Marks(),
    groups=GROUPS,
    pool=WarmPool(GROUPS, 1),
    rq=RQ,
    secrets=Secrets(program="jober-worker", folders=(), environ={}),
    plans=Plans(RQ),
    output=no_output,
    now_ms=lambda: 0,
    on_progress=lambda _: None,
)


def execution(id: str, reserved: bool = False) -> Execution:
    return Execution(Claim(id=id, attempt=1, work=WORK, reserved=reserved), MEANS)


class Begun:
    """What is begun, in its order; each goes on until the gate is open."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.ids: list[str] = []
        self.gate = threading.Event()
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()
        if is_open:
            self.gate.set()

    def __call__(self, one: Execution) -> None:
        with self._lock:
            self.ids.append(one.claim.id)
            self._now += 1
            self.most = max(self.most, self._now)
        self.gate.wait()
        with self._lock:
            self._now -= 1


def test_what_is_put_in_is_begun_in_that_order() -> None:
    begun = Begun()
    runners = Runners(1, begun)
    ids = [str(number) for number in range(50)]
    for start in range(0, 50, 5):
        runners.put([execution(id) for id in ids[start : start + 5]])
    wait_until(lambda: len(begun.ids) == 50, told="all are begun")
    assert begun.ids == ids


def test_no_more_go_on_at_once_than_there_are_slots() -> None:
    begun = Begun(is_open=False)
    runners = Runners(2, begun)
    for number in range(5):
        runners.put([execution(str(number))])
    wait_until(lambda: len(begun.ids) == 2, told="two are begun")
    begun.gate.set()
    wait_until(lambda: len(begun.ids) == 5, told="all are begun")
    assert begun.most == 2


def test_what_is_taken_back_is_reserved_and_is_never_begun() -> None:
    begun = Begun(is_open=False)
    runners = Runners(1, begun)
    assert runners.oldest_s() is None
    runners.put([execution("first")])
    wait_until(lambda: begun.ids, told="the first is begun")
    waiting = [execution(id, reserved=id != "own") for id in ("a", "own", "b")]
    runners.put(waiting)
    assert runners.oldest_s() == waiting[0].begun_s
    assert [one.claim.id for one in runners.take_back()] == ["a", "b"]
    assert runners.take_back() == []
    runners.put([execution("last")])
    begun.gate.set()
    wait_until(lambda: "last" in begun.ids, told="the last is begun")
    assert begun.ids == ["first", "own", "last"]
