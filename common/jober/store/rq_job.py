"""A plain RQ job, performed as RQ's own worker does it (rq 2.12: perform_job of worker/base.py).

This is for the process that the job has to itself: RQ's timeouts are alarms, and what a job gets
from RQ (`get_current_job()`, the connection of a callback) is what its author expects. Nothing is
sent to Redis unless the job or one of its callbacks asks for it; and RQ's own object, which takes
longer to make than most jobs take, is made only for who asks for it.
"""

import asyncio
import signal
import sys
import threading
import traceback
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import rq.job
from rq.defaults import UNSERIALIZABLE_RETURN_VALUE_PAYLOAD
from rq.exceptions import DeserializationError
from rq.job import Job, JobStatus, Retry
from rq.queue import Queue
from rq.serializers import JSONSerializer, PickleSerializer
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty
from rq.utils import as_text, import_attribute, now, parse_timeout

from jober.run import is_plain
from jober.store.connection import connect
from jober.store.fields import decompressed

# What is called or sent at the end of a job that has it needs RQ's object.
_AT_END = (
    *(b"success_callback_name", b"failure_callback_name", b"stopped_callback_name"),
    b"webhooks",
)


class _Performing(threading.local):
    """RQ's stack of the jobs that a thread performs: its object is made when it is asked for."""

    def __init__(self) -> None:
        self._jobs: list[Any] = []

    def push(self, job: Any) -> None:
        self._jobs.append(job)

    def pop(self) -> Any:
        return self._jobs.pop() if self._jobs else None

    @property
    def top(self) -> Any:
        found = self._jobs[-1] if self._jobs else None
        return found.job if isinstance(found, PlainJob) else found


_performing = _Performing()
setattr(rq.job, "_job_stack", _performing)  # noqa: B010


def ends_alone(record: Mapping[bytes, bytes]) -> bool:
    """Whether nothing is called or sent at the end of the job."""
    return not any(map(record.get, _AT_END))


# Those of signal make an object of what they are told, which takes ten times as long.
_getsignal: Callable[[int], Any] = vars(sys.modules["_signal"])["getsignal"]
_SIGALRM = int(signal.SIGALRM)


class _Alarm:
    """RQ's UnixSignalDeathPenalty for a job, which sets its handler only where it is not there: to
    set it and take it back takes longer than many a job. To be used by one job at a time."""

    __slots__ = ("_limit_s",)
    _limits_s: ClassVar[list[int]] = []

    def __init__(self, limit_s: int) -> None:
        self._limit_s = limit_s

    def __enter__(self) -> None:
        self._limits_s[:] = [self._limit_s]
        if _getsignal(_SIGALRM) is not _overdue:
            signal.signal(signal.SIGALRM, _overdue)
        signal.alarm(self._limit_s)

    def __exit__(self, *raised: object) -> None:
        try:
            signal.alarm(0)
        except JobTimeoutException:
            pass  # it came when all was done

    @classmethod
    def overdue(cls) -> JobTimeoutException:
        return JobTimeoutException(
            f"Task exceeded maximum timeout value ({cls._limits_s[0]} seconds)"
        )


def _overdue(number: int, frame: object) -> None:
    raise _Alarm.overdue()


def take_alarms() -> None:
    """Set the handler of a job's timeout, for who performs many and sets back what they change."""
    signal.signal(signal.SIGALRM, _overdue)


@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """How it ended: by an `error`, or with a `value`, which is `payload` as RQ keeps it (base64,
    by the serializer of the job). It may be an rq.Retry: then `retry` is its numbers."""

    error: BaseException | None = None
    value: Any = None
    payload: str | None = None
    retry: Mapping[str, Any] | None = None

    @property
    def timed_out(self) -> bool:
        return isinstance(self.error, JobTimeoutException)


class PlainJob:
    """The job of a record, all fields of `rq:job:<id>`. `pickled` says how it was serialised: that
    decides how it is read, and whoever may write a pickle may run code here."""

    def __init__(self, id: str, record: Mapping[bytes, bytes], url: str, *, pickled: bool) -> None:
        self._id = id
        self._record = record
        self._url = url
        self._serializer: Any = PickleSerializer if pickled else JSONSerializer
        self._call: tuple[Any, Any, Any, Any] | None = None
        self._ends_alone = ends_alone(record)
        if not self._ends_alone:
            _ = self.job  # a record that makes no sense is told before anything is called

    @cached_property
    def job(self) -> Job:
        """RQ's object of it."""
        connection = connect(self._url)
        # As RQ's worker has it: a callback may wait for Redis longer than an agent does.
        connection.connection_pool.connection_kwargs["socket_timeout"] = None
        job = Job(self._id, connection=connection, serializer=self._serializer)
        job.restore(dict(self._record))
        if self._call is not None:
            job._func_name, job._instance, job._args, job._kwargs = self._call
        return job

    def perform(self) -> Performed:
        """Call it, and the callback of how it ended; raises nothing."""
        try:
            with _Alarm(self._limit_s()):
                value = self._called()
            self._has_ended(value)
            if isinstance(value, Retry):
                retry = {"max": value.max, "intervals": value.intervals}
                return Performed(value=value, payload=self._payload(value), retry=retry)
            if not self._ends_alone:
                self.job._status = JobStatus.FINISHED
                self.job.execute_success_callback(UnixSignalDeathPenalty, value)
            performed = Performed(value=value, payload=self._payload(value))
        except BaseException as error:
            self._has_ended()
            return Performed(error=error if self._ends_alone else self._failed(error))
        if not self._ends_alone:
            self.job.send_webhooks(JobStatus.FINISHED)
        return performed

    def _limit_s(self) -> int:
        return _limit_s(self._record.get(b"timeout"))

    def _called(self) -> Any:
        # Job.perform() also makes the record stay, for which it would need Redis: CLAIM does that.
        _performing.push(self)
        try:
            name, instance, args, kwargs = self._read()
            if not name:
                raise ValueError("Cannot execute job: function is None")
            function = getattr(instance, name) if instance else _function(name)
            value = function(*args, **kwargs)
            if asyncio.iscoroutine(value):
                return asyncio.new_event_loop().run_until_complete(value)
            return value
        finally:
            _performing.pop()

    def _read(self) -> tuple[Any, Any, Any, Any]:
        data = decompressed(self._record[b"data"])
        try:
            self._call = call = self._serializer.loads(data)
            name, instance, args, kwargs = call
        except Exception as error:
            self._call = None
            raise DeserializationError from error
        return name, instance, args, kwargs

    def _has_ended(self, value: Any = None) -> None:
        """Tell RQ's object, where there is one."""
        if "job" in self.__dict__:
            self.job.ended_at = now()
            self.job._result = value

    def stopped(self) -> None:
        """Call the callback of a job that was stopped; what it raises passes through."""
        self.job.execute_stopped_callback(UnixSignalDeathPenalty)

    def close(self) -> None:
        """Let go of the connection, if the job has made one."""
        if "job" in self.__dict__:
            self.job.connection.close()

    def _failed(self, error: BaseException) -> BaseException:
        """What the failure is told as: where its callback fails in turn, that."""
        job = self.job
        job._status = JobStatus.FAILED
        try:
            job.execute_failure_callback(
                UnixSignalDeathPenalty, type(error), error, error.__traceback__
            )
        except BaseException as worse:
            error = worse
        if job.webhooks and not job.should_retry:
            job.send_webhooks(
                JobStatus.FAILED, exc_string="".join(traceback.format_exception(error))
            )
        return error

    def _payload(self, value: Any) -> str | None:
        """As rq.results.Result.serialize() has it."""
        if value is None:
            return None
        if is_plain(value):
            return _short(value, self._serializer)
        try:
            told: bytes = self._serializer.dumps(value)
        except BaseException:
            told = self._serializer.dumps(UNSERIALIZABLE_RETURN_VALUE_PAYLOAD)
        return b64encode(told).decode()


@lru_cache(maxsize=100, typed=True)
def _short(value: str | int, serializer: Any) -> str:
    return b64encode(serializer.dumps(value)).decode()


@lru_cache(maxsize=100)
def _limit_s(told: bytes | None) -> int:
    return (parse_timeout(as_text(told)) if told else None) or Queue.DEFAULT_TIMEOUT


def _function(name: str) -> Callable[..., Any]:
    """RQ's import_attribute, which takes long though nothing is to be imported."""
    module, _, attribute = name.rpartition(".")
    if module in sys.modules:
        found: Callable[..., Any] | None = getattr(sys.modules[module], attribute, None)
        if found is not None:
            return found
    imported: Callable[..., Any] = import_attribute(name)
    return imported
