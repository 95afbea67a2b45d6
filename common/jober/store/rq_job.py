"""A plain RQ job, performed as RQ's own worker does it (rq 2.12: perform_job of worker/base.py).

This is for the process that the job has to itself: RQ's timeouts are alarms, and what a job gets
from RQ (`get_current_job()`, the connection of a callback) is what its author expects. Nothing is
sent to Redis unless the job or one of its callbacks asks for it.
"""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rq.job import Job, JobStatus, Retry, _job_stack
from rq.queue import Queue
from rq.results import Result
from rq.serializers import JSONSerializer, PickleSerializer
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty
from rq.utils import now

from jober.store.connection import connect


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
        connection = connect(url)
        # As RQ's worker has it: a callback may wait for Redis longer than an agent does.
        connection.connection_pool.connection_kwargs["socket_timeout"] = None
        serializer = PickleSerializer if pickled else JSONSerializer
        self._job = Job(id, connection=connection, serializer=serializer)
        self._job.restore(dict(record))

    def perform(self) -> Performed:
        """Call it, and the callback of how it ended; raises nothing."""
        job = self._job
        try:
            limit_s = job.timeout or Queue.DEFAULT_TIMEOUT
            with UnixSignalDeathPenalty(limit_s, JobTimeoutException, job_id=job.id):
                value = self._call()
            job.ended_at = now()
            job._result = value
            if isinstance(value, Retry):
                retry = {"max": value.max, "intervals": value.intervals}
                return Performed(value=value, payload=self._payload(value), retry=retry)
            job._status = JobStatus.FINISHED
            job.execute_success_callback(UnixSignalDeathPenalty, value)
            performed = Performed(value=value, payload=self._payload(value))
        except BaseException as error:
            job.ended_at = now()
            return Performed(error=self._failed(error))
        job.send_webhooks(JobStatus.FINISHED)
        return performed

    def stopped(self) -> None:
        """Call the callback of a job that was stopped; what it raises passes through."""
        self._job.execute_stopped_callback(UnixSignalDeathPenalty)

    def close(self) -> None:
        """Let go of the connection, if the job has made one."""
        self._job.connection.close()

    def _call(self) -> Any:
        # Job.perform() also makes the record stay, for which it would need Redis: CLAIM does that.
        _job_stack.push(self._job)
        try:
            return self._job._execute()
        finally:
            _job_stack.pop()

    def _failed(self, error: BaseException) -> BaseException:
        """What the failure is told as: where its callback fails in turn, that."""
        job = self._job
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
        job = self._job
        result = Result(
            job.id,
            Result.Type.SUCCESSFUL,
            connection=job.connection,
            return_value=value,
            serializer=job.serializer,
        )
        return result.serialize().get("return_value")
