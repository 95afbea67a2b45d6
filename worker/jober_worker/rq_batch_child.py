"""The side of a batch of plain RQ jobs that is in their process; `rq_batch` is the agent's side.

The agent puts the jobs into a socket, one message each, and may take those back that have not been
taken out here. Each is answered before the next is taken. What a job has written is told from what
the next one writes by this: after a job that has written anything, no other is taken.
"""

import fcntl
import json
import os
import resource
import select
import socket
import sys
import termios
import time
from io import FileIO
from typing import TYPE_CHECKING, Any, NamedTuple

import msgpack

from jober.current.here import leave_run
from jober.run import Outcome
from jober.store.rq_job import take_alarms
from jober_worker.begun import Begun
from jober_worker.functions import raised
from jober_worker.kernel import MAXRSS_BYTES, forget_peak, peak_memory_bytes
from jober_worker.records import capture_records_of_process
from jober_worker.rq_child import DONE, perform_record
from jober_worker.surroundings import Surroundings

if TYPE_CHECKING:
    from jober_worker.child import Child

_NOTHING = bytes(4)
# The longest message of a job, and the longest answer that goes through the pipe.
JOB_AT_MOST = 64 * 1024
ANSWER_AT_MOST = 32 * 1024
# Where nothing is there to do, more is waited for so long.
MORE_S = 0.008
# After one that took so long, nothing more is waited for: it is followed as any run is.
LONG_S = 0.01
# How much memory one has used that took less than that is not looked at: that takes longer.
SHORT_S = 0.001


def serve(child: "Child", queue: socket.socket, answers: FileIO, file: FileIO, begun: int) -> bool:
    """Perform the jobs of the queue. False where one has left something running.

    The file tells what they have in common; an answer that is too long for the pipe goes there.
    `begun` is where each is marked before it begins (`begun.Begun`)."""
    told = json.loads(file.read())
    take_alarms()
    os.environ.update(told["variables"])
    if told["path"] not in sys.path:
        # What the agent can import, it can import in another folder (cwd) too.
        sys.path.append(told["path"])
    surroundings = Surroundings()
    marks = Begun(begun)
    os.close(begun)
    batch = _Batch(child, queue, answers, file, marks, told["url"], surroundings)
    try:
        return batch.serve()
    finally:
        child.close_streams()
        surroundings.close()


class _Batch:
    def __init__(
        self,
        child: "Child",
        queue: socket.socket,
        answers: FileIO,
        file: FileIO,
        begun: Begun,
        url: str,
        surroundings: Surroundings,
    ) -> None:
        self._child = child
        self._queue = queue
        self._answers = answers
        self._file = file
        self._begun = begun
        self._streams = sys.stdout, sys.stderr
        self._pipes = [(stream, os.fstat(stream).st_ino) for stream in (1, 2)]
        self._url = url
        self._surroundings = surroundings
        self._message = bytearray(JOB_AT_MOST)
        self._measures = forget_peak()
        self._before: tuple[Outcome, bytes | None] = DONE, None
        self._children = resource.getrusage(resource.RUSAGE_CHILDREN)

    def serve(self) -> bool:
        wait_s = MORE_S
        while (message := self._next(wait_s)) is not None:
            # The first is told what the start of the process has used as well.
            cpu_s = 0.0 if self._child.is_first else time.process_time()
            self._child.is_first = False
            began_s = time.monotonic()
            until_s, *asked = msgpack.unpackb(message)
            if began_s > until_s:
                return True  # it is left there, as far as the agent can tell
            is_clean, has_spoken, outcome = self._perform(*asked)
            took_s = time.monotonic() - began_s
            used = self._measured(took_s, time.process_time() - cpu_s)
            is_last = not is_clean or self._has_written()
            answer = self._answer(outcome, used)
            if answer and len(answer) > ANSWER_AT_MOST:
                is_last = True
                self._file.write(answer)
                answer = b""
            has_left = has_spoken or used.has_children
            told = (is_last, has_left, began_s, took_s, used.cpu_s, answer)
            self._answers.write(msgpack.packb(told))
            if is_last:
                return is_clean
            self._surroundings.restore()
            wait_s = 0.0 if took_s >= LONG_S else MORE_S
        return True

    def _next(self, wait_s: float) -> memoryview | None:
        try:
            size = self._queue.recv_into(self._message, 0, socket.MSG_DONTWAIT)
        except BlockingIOError:
            if not wait_s or not select.select([self._queue], (), (), wait_s)[0]:
                return None
            return self._next(0.0)
        return memoryview(self._message)[:size]

    def _perform(
        self,
        place: int,
        id: str,
        attempt: str,
        token: str,
        pickled: bool,
        record: dict[bytes, bytes],
    ) -> tuple[bool, bool, Outcome]:
        """Whether it has left nothing, whether it has spoken to the agent, and how it ended."""
        if place >= 0:
            self._begun.mark(place, f"{id}:{attempt}")
        self._set(b"JOBER_RUN_ID", id)
        self._set(b"RQ_JOB_ID", id)
        self._set(b"JOBER_ATTEMPT", attempt)
        self._set(b"JOBER_TOKEN", token)
        capture_records_of_process()
        try:
            outcome = perform_record(id, record, self._url, pickled=pickled)
        finally:
            has_spoken = leave_run()
        return self._child.come_out(outcome), has_spoken, outcome

    def _answer(self, outcome: Outcome, used: "_Used") -> bytes | None:
        """The answer; where the outcome is that of the job before, it is as that."""
        if used.peak:
            return _answer(outcome, used)
        if outcome is not self._before[0]:
            self._before = outcome, _answer(outcome, used)
        return self._before[1]

    def _set(self, name: bytes, value: str) -> None:
        self._surroundings.set(name, value.encode())

    def _has_written(self) -> bool:
        """Whether anything is in the pipes, or nobody can tell: they are not what they were."""
        out, err = self._streams
        if sys.stdout is not out or sys.stderr is not err or out.closed or err.closed:
            return True
        try:
            for stream, pipe in self._pipes:
                if os.fstat(stream).st_ino != pipe:
                    return True
                if fcntl.ioctl(stream, termios.FIONREAD, _NOTHING) != _NOTHING:
                    return True
        except OSError:
            return True
        return False

    def _measured(self, took_s: float, cpu_s: float) -> "_Used":
        before, self._children = self._children, resource.getrusage(resource.RUSAGE_CHILDREN)
        children, peak = self._children, 0
        has_children = children != before
        if has_children:
            cpu_s += children.ru_utime + children.ru_stime - before.ru_utime - before.ru_stime
        if took_s >= SHORT_S and self._measures:
            peak = peak_memory_bytes() or 0
            forget_peak()
        if children.ru_maxrss > before.ru_maxrss:
            peak = max(peak, children.ru_maxrss * MAXRSS_BYTES)
        return _Used(round(cpu_s, 6), peak, has_children)


class _Used(NamedTuple):
    """What a job has used, and whether it has had processes that have ended."""

    cpu_s: float
    peak: int
    has_children: bool


def _answer(outcome: Outcome, used: _Used) -> bytes | None:
    """What is told of an outcome beside its CPU time; None of one like most."""
    if outcome is DONE and not used.peak:
        return None
    told: dict[str, Any] = {"state": str(outcome.state)}
    for name in ("exit_code", "reason", "traceback", "errors", "rq_result", "rq_retry"):
        value = getattr(outcome, name)
        if value is not None and value != ():
            told[name] = value
    if outcome.return_value is not None:
        told["return_value"] = json.dumps(outcome.return_value)
    if used.peak:
        told["peak_memory_bytes"] = used.peak
    return _packed(told)


def _packed(told: dict[str, Any]) -> bytes:
    try:
        packed: bytes = msgpack.packb(told)
    except Exception as error:
        outcome = raised(error)
        packed = msgpack.packb(
            {"state": str(outcome.state), "exit_code": 1, "reason": outcome.reason}
        )
    return packed
