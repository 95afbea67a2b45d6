"""The side of a plain RQ job that is in its own process; `rq_run` is the agent's side."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from jober.run import Outcome, RunState, is_plain
from jober.store.rq_job import PlainJob
from jober_worker.functions import raised
from jober_worker.return_value import plain_value

# The outcome of most.
DONE = Outcome(state=RunState.SUCCESS, exit_code=0)


def perform(asked: dict[str, Any]) -> Outcome:
    """Do what `rq_run` has asked for: call the job, or its callback of the end (`stopped`)."""
    record = {b64decode(name): b64decode(value) for name, value in asked["record"].items()}
    return perform_record(
        asked["id"], record, asked["url"], pickled=asked["pickled"], stopped=asked["stopped"]
    )


def perform_record(
    id: str, record: Mapping[bytes, bytes], url: str, *, pickled: bool, stopped: bool = False
) -> Outcome:
    """The same for a record as it is."""
    try:
        job = PlainJob(id, record, url, pickled=pickled)
    except BaseException as error:
        return raised(error)
    try:
        return _stopped(job) if stopped else _perform(job)
    finally:
        job.close()


@lru_cache(maxsize=100, typed=True)
def _returned(value: str | int, payload: str | None) -> Outcome:
    """The same object for the same."""
    return replace(DONE, return_value=value, rq_result=payload)


def _perform(job: PlainJob) -> Outcome:
    done = job.perform()
    if done.error is not None:
        outcome = raised(done.error)
        return replace(outcome, state=RunState.TIMEOUT) if done.timed_out else outcome
    if done.retry is not None:
        return Outcome(
            state=RunState.FAILED,
            exit_code=1,
            reason=f"it asked to be tried again: {done.value!r}",
            rq_result=done.payload,
            rq_retry=done.retry,
        )
    if done.value is None:
        return DONE
    if is_plain(done.value):
        return _returned(done.value, done.payload)
    plain, note = plain_value(done.value)
    return Outcome(
        state=RunState.SUCCESS,
        exit_code=0,
        return_value=plain,
        reason=note,
        rq_result=done.payload,
    )


def _stopped(job: PlainJob) -> Outcome:
    try:
        job.stopped()
    except BaseException as error:
        return raised(error)
    return Outcome(state=RunState.SUCCESS, exit_code=0)
