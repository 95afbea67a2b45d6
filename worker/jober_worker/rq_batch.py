"""Plain RQ jobs that one warm process performs in turn; `rq_batch_child` is the other side.

To ask a process for one job takes longer than most jobs take. So a process is given several, each
as a message in a socket, of which we keep the end that it reads from too: what it has not begun we
can take back, and the kernel sees to it that each message is had by one of us only. That is done as
soon as it is slow: where it has answered nothing for a moment, or a job is asked to stop. Then it
has one job alone, which is followed as every run in a process of its own is.

What a job writes is told from what the next one writes by this: a process that finds its job to
have written begins no other. So what is in the pipes is always of the last job that was begun.
"""

import json
import logging
import os
import select
import socket
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any

import msgpack

from jober.output import Stream
from jober.run import Outcome, RunState
from jober.store.agents import LEASE_MS
from jober_worker.call import RqCall
from jober_worker.following import Following
from jober_worker.function_process import FunctionRun
from jober_worker.functions import Data
from jober_worker.kernel import until_end
from jober_worker.pipes import Pipes
from jober_worker.records import about
from jober_worker.rq_run import at_most_s, options_of
from jober_worker.spawn import Setting
from jober_worker.wake import Wake
from jober_worker.warm import BATCH, WarmProcess

if TYPE_CHECKING:
    from jober_worker.execution import Execution, Means
    from jober_worker.rq_batches import RqBatches

log = logging.getLogger(__name__)

# So many are with the process at once, at the most.
AT_ONCE = 64
# Where it has more than a few, its answers are taken in together, so often.
FEW, TOGETHER_S = 4, 0.001
# Where it answers nothing for so long, it is left alone with the job that it has.
SLOW_S = 0.025
# But one that has just been started is waited for so long.
START_S = 5.0
# After so long a job is not begun there any more: we may have stood still, and its lease be over.
BEGIN_S = LEASE_MS / 1000 / 2
READ_BYTES = 64 * 1024
# Many jobs answer the same: what so short an answer says is read once.
SHORT = 256


@dataclass(frozen=True, slots=True)
class _Sent:
    execution: "Execution"
    message: bytes


class RqBatch(FunctionRun):
    """`carry_out` does it all in the calling thread. `batches` has others that wait, takes back
    what was not begun, and is told how each has ended."""

    _ASK = BATCH

    def __init__(
        self,
        first: "Execution",
        call: RqCall,
        means: "Means",
        batches: "RqBatches",
    ) -> None:
        options = options_of(call, means.rq.worker)
        super().__init__(first.claim.id, call, options, {}, self._pass_on, means.groups, means.pool)
        self._means = means
        self._batches = batches
        # In the order in which they are performed; the first of them may have been begun.
        self._sent: deque[_Sent] = deque()
        # Whose it is what is in the pipes, and its answer where it waits for that: empty where it
        # is in the file, None for one like most; and whether it has spoken to the agent.
        self._newest = first
        self._answer: tuple[bytes | None, float, bool] | None = None
        self._may_send = True
        self._is_followed = False
        self._unpacker = msgpack.Unpacker()

    def stop(self, reason: str, *, at_once: bool = False) -> None:
        """One of its jobs is asked to stop: it is looked which."""
        self.look()

    def look(self) -> None:
        """There is something to be looked at: a job that is asked to stop, others that wait."""
        with self._lock:
            if self._wake is not None:
                self._wake.ring()

    def carry_out(self) -> None:
        """Have the first job performed, and others as long as they are quick. Raises nothing."""
        try:
            self._queue, self._its_queue = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            with self._queue, self._its_queue:
                self._send([self._newest])
                outcome = self.run() if self._sent else Outcome(state=RunState.SUCCESS)
        except BaseException as error:
            claim = self._newest.claim
            log.exception("the agent failed to carry out %s", claim.id, extra=about(claim))
            reason = f"the agent failed: {type(error).__name__}: {error}"
            outcome = Outcome(state=RunState.FAILED, exit_code=1, reason=reason)
        if outcome.state is RunState.FAILED:
            self._fail(outcome)
        self._back(len(self._sent))

    def _fail(self, outcome: Outcome) -> None:
        """It could not be started, or followed to its end."""
        if self._sent and self._answer is None:
            self._newest = self._sent.popleft().execution
        if self.pid is None:
            # What could not be started says so in its output too.
            self._pass_on(Stream.STDERR, f"{outcome.reason}\n".encode())
        self._over_with(self._newest, outcome, has_spoken=True)

    def _pass_on(self, stream: Stream, data: Data) -> None:
        self._newest.write(stream, data)

    def _asked(self) -> tuple[str, bool] | None:
        return self._newest.asked

    def _asked_for(self, setting: Setting) -> dict[str, Any]:
        shared = {"JOBER_JOB": "", "JOBER_TERM": "", "JOBER_FIRE_AT": ""}
        shared |= {"JOBER_HOST": self._means.host, "JOBER_SOCKET": self._means.listener.path}
        return {"path": os.getcwd(), "variables": shared, "url": self._means.rq.url}

    def _start_and_follow(self, setting: Setting, wake: Wake) -> Outcome:
        """Success says that all there is to tell was told."""
        pipes = self._pipes()
        answers, its_answers = os.pipe()
        os.set_blocking(answers, False)
        try:
            with tempfile.TemporaryFile("w+b", buffering=0) as file:
                file.write(json.dumps(self._asked_for(setting)).encode())
                end = file.tell()
                file.seek(0)
                try:
                    begun = self._means.begun.file
                    files = self._its_queue.fileno(), its_answers, file.fileno(), begun
                    warm = self._ask(setting, pipes, *files)
                finally:
                    os.close(its_answers)
                self._until_slow(warm, wake, answers)
                self._batches.leave(self)
                self._to_the_end(warm, pipes, wake, answers, lambda: _rest(file, end))
        finally:
            os.close(answers)
            pipes.close()
        return Outcome(state=RunState.SUCCESS)

    def _until_slow(self, warm: WarmProcess, wake: Wake, answers: int) -> None:
        """Send jobs and take in answers until it is done, or has one job at the most, and is to be
        followed to its end."""
        poll = select.poll()
        up_until_s = time.monotonic() + START_S
        with until_end(warm.pid) as end:
            for descriptor in (answers, wake.reading, end):
                poll.register(descriptor, select.POLLIN)
            if not warm.is_up:
                poll.register(warm, select.POLLIN)
            if warm.runs > 1:
                self._refill(warm)
            while True:
                ready = [descriptor for descriptor, _ in poll.poll(SLOW_S * 1000)]
                if ready == [answers] and len(self._sent) > FEW:
                    time.sleep(TOGETHER_S)
                if warm.fileno() in ready:
                    poll.unregister(warm)
                    warm.hear()
                if answers in ready and not self._hear(warm, answers):
                    break
                is_asked = wake.reading in ready and self._is_asked(wake)
                if end in ready or is_asked or self._is_slow(warm, ready, up_until_s):
                    # One that has ended while it waited for more has harmed none of them.
                    self._recall(warm, answers, is_done=end in ready and warm.runs > 1)
                    if self._sent or end in ready:
                        return
                elif self._may_send:
                    self._refill(warm)
        self._recall(warm, answers, is_done=True)

    def _is_slow(self, warm: WarmProcess, ready: Sequence[int], up_until_s: float) -> bool:
        """Nothing was heard for too long; as long as it is not up, that tells nothing."""
        return not ready and (warm.is_up or time.monotonic() >= up_until_s)

    def _is_asked(self, wake: Wake) -> bool:
        """Whether one of them is to stop, by which whoever follows it is woken up too."""
        wake.heard()
        is_asked = any(one.execution.asked for one in self._sent)
        if is_asked:
            wake.ring()
        return is_asked

    def _refill(self, warm: WarmProcess) -> None:
        room = AT_ONCE - len(self._sent)
        if room >= AT_ONCE // 2 and not self._has_served_enough(warm):
            self._send(self._batches.more(room))

    def _send(self, executions: Sequence["Execution"]) -> None:
        """Put them into its queue, as far as there is room."""
        until_s = time.monotonic() + BEGIN_S
        for number, execution in enumerate(executions):
            call, claim = execution.batched, execution.claim
            execution.enter(self)
            # Of one that runs already, it is known that it has begun.
            place = execution.take_place() if claim.reserved else -1
            told = (place, claim.id, str(claim.attempt), execution.attempt.token)
            # Where it is none any more, it is asked to stop.
            message = call and msgpack.packb((until_s, *told, call.pickled, claim.record))
            if not message or not self._put(message):
                unsent = executions[number:]
                execution.leave()
                self._batches.put_back(unsent)
                return
            self._sent.append(_Sent(execution, message))

    def _put(self, message: bytes) -> bool:
        try:
            self._queue.send(message, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        return True

    def _recall(self, warm: WarmProcess, answers: int, *, is_done: bool = False) -> None:
        """Take back what it has not begun; where it has begun nothing, and is not done, it is given
        the first again."""
        self._may_send = False
        count = 0
        while self._taken_back():
            count += 1
        self._hear(warm, answers)
        if count and count == len(self._sent) and not is_done:
            first = self._sent[0]
            if first.execution.asked is None and self._put(first.message):
                count -= 1
        self._back(count)

    def _taken_back(self) -> bool:
        try:
            return bool(self._its_queue.recv(READ_BYTES, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return False

    def _back(self, count: int) -> None:
        """The last that were sent were not begun."""
        back = [self._sent.pop().execution for _ in range(count)][::-1]
        for execution in back:
            execution.leave()
        if back:
            self._batches.put_back(back)

    def _hear(self, warm: WarmProcess, answers: int) -> bool:
        """Take in what it has answered so far; False where it is done with the batch."""
        offset_ms = self._means.now_ms() - time.monotonic() * 1000
        while True:
            try:
                data = os.read(answers, READ_BYTES)
            except BlockingIOError:
                return self._answer is None
            if not data:
                return False
            self._unpacker.feed(data)
            ends: list[tuple[Execution, Outcome]] = []
            try:
                for answer in self._unpacker:
                    if end := self._answered(warm, offset_ms, *answer):
                        ends.append(end)
            finally:
                if ends:
                    self._batches.over(ends)

    def _answered(
        self,
        warm: WarmProcess,
        offset_ms: float,
        is_last: bool,
        has_spoken: bool,
        began_s: float,
        took_s: float,
        cpu_s: float,
        answer: bytes | None,
    ) -> "tuple[Execution, Outcome] | None":
        """What has ended so; None where its end is not known yet."""
        execution = self._newest = self._sent.popleft().execution
        execution.began_ms = round(began_s * 1000 + offset_ms)
        execution.took_s = took_s
        if is_last or self._is_followed:
            self._answer = answer, cpu_s, has_spoken
            return None
        outcome = _outcome(answer, cpu_s)
        execution.may_leave = has_spoken
        warm.runs += 1
        warm.cpu_s += cpu_s
        return execution, execution.end_in_batch(outcome, has_spoken=has_spoken)

    def _over_with(self, execution: "Execution", outcome: Outcome, *, has_spoken: bool) -> None:
        self._answer = None
        self._batches.over([(execution, execution.end_in_batch(outcome, has_spoken=has_spoken))])

    def _to_the_end(
        self,
        warm: WarmProcess,
        pipes: Pipes,
        wake: Wake,
        answers: int,
        read: Callable[[], bytes],
    ) -> None:
        """Follow it until it has come out of its last job, which is told then."""
        current = self._sent[0] if self._sent and self._answer is None else None
        if current:
            self._turn_to(current.execution)
        following = Following(
            self._newest.claim.id,
            warm.pid,
            pipes,
            self.options,
            wake,
            self._asked,
            warm,
            self._newest.attempt.cancel,
        )
        outcome = ended = None
        self._is_followed = True
        try:
            following.follow()
            self._hear(warm, answers)
            if self._answer:
                answer, cpu_s, _ = self._answer
                outcome = _outcome(read() if answer == b"" else answer, cpu_s)
                warm.cpu_s += cpu_s
        finally:
            ended = self._let_go(warm, pipes, following, bool(following.answer))
        if self._answer:
            self._over_with(
                self._newest,
                self._told(outcome, ended, following, warm),
                has_spoken=self._answer[2],
            )
        elif current and not following.answer:
            self._sent.popleft()
            died = self._told(None, ended, following, warm)
            self._over_with(current.execution, died, has_spoken=True)
        # Else it was done before it began the last, which goes back to the others.

    def _turn_to(self, execution: "Execution") -> None:
        """It alone is with the process now, and is followed as a run of its own."""
        self._newest = execution
        execution.began_ms = self._means.now_ms()
        if execution.batched:
            self.options = replace(self.options, timeout_s=at_most_s(execution.batched))


def _rest(file: IO[bytes], start: int) -> bytes:
    file.seek(start)
    return file.read()


def _outcome(answer: bytes | None, cpu_s: float) -> Outcome:
    if answer is None:
        return Outcome(state=RunState.SUCCESS, exit_code=0, cpu_s=cpu_s)
    told = _told(answer) if len(answer) <= SHORT else _told.__wrapped__(answer)
    return Outcome(**told, cpu_s=cpu_s)


@lru_cache(maxsize=1000)
def _told(answer: bytes) -> dict[str, Any]:
    """What an answer says of an outcome, but for its CPU time."""
    told: dict[str, Any] = msgpack.unpackb(answer)
    told["state"] = RunState(told["state"])
    if "errors" in told:
        told["errors"] = tuple(told["errors"])
    if "return_value" in told:
        told["return_value"] = json.loads(told["return_value"])
    return told
