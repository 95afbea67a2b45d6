"""A run once more: what its record, and the definition that it was made from, make of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jober.errors import JoberError
from jober.ids import manual_run_id
from jober.roles import priority_queue
from jober.run import NO_JOB
from jober.signing_errors import RunNotSigned
from jober.store import Store
from jober.store.runs import ManualRun, Original
from jober.traceparent import callers, with_caller

if TYPE_CHECKING:
    from jober.job import Job

# Kinds of jobs whose arguments cannot be told from what they are given to, once they are made.
_OPEN = ("command", "shell")


def again(
    store: Store,
    id: str,
    args: Sequence[Any] | None,
    kwargs: Mapping[str, Any] | None,
    append: bool,
) -> tuple[str, ManualRun]:
    """The job, or NO_JOB, and the new run. Raises RunNotFound, JoberError, DefinitionError."""
    original = store.runs.original(id)
    of_job = original.job
    if of_job is None:
        raise JoberError(
            f"run '{id}' is an application's own RQ job: enqueue it again with RQ "
            "(job.requeue(), or rq requeue)"
        )
    asked = False
    signed = store.signer.signed_run(id, original.fields) if store.signer else None
    if signed is not None:
        # Of the rest of its record nobody knows who has written it.
        spec = original.spec if of_job == NO_JOB else None
        original = replace(original, host=signed[1].host or None, spec=spec)
        asked = signed[1].asked
    caller = None if store.signer and store.signer.orders_alone else callers()
    store.observe_time()
    word = id.rpartition("-m")[0] or id if original.spec else of_job
    made: dict[str, Any] = {
        "id": manual_run_id(word[:100], store.clock.now_ms()),
        "host": original.host,
        "asked": asked,
        "data": original.data,
        "options": with_caller(original.options, caller),
        "description": original.description,
        "timeout": original.timeout,
        "arguments": original.arguments,
        "spec": original.spec,
    }
    if original.spec or args is not None or kwargs is not None:
        job = _definition(store, id, original, is_signed=signed is not None)
        if original.spec:
            made["queue"] = signed[0].queue if signed else priority_queue(job.queue, job.priority)
            made["expires_s"] = job.expires
        if args is not None or kwargs is not None:
            if signed and original.spec and not append and job.kind in _OPEN:
                raise RunNotSigned(id, "nobody has signed which of its words are arguments")
            made |= _with_arguments(job, original, args, kwargs, append)
    if b"$result" not in made["data"]:
        made["waits"] = ""  # all that it needed is among its arguments, or has been waited for
    return of_job, ManualRun(**made)


def arguments_of(store: Store, id: str) -> tuple[list[Any], dict[str, Any]] | None:
    """The arguments of a run; None where its definition is kept no more. Raises RunNotFound."""
    original = store.runs.original(id)
    if original.arguments:
        args, kwargs = json.loads(original.arguments)
        return args, kwargs
    if original.job is None:
        return None
    try:
        job = _definition(store, id, original, is_signed=False)
    except JoberError:
        return None
    return job.args, job.kwargs


def _definition(store: Store, id: str, original: Original, *, is_signed: bool) -> "Job":
    """What it was made from; where that `is_signed`, nothing else."""
    from jober.job import Job

    assert original.job is not None
    job = None
    if original.spec:
        job = Job.from_json("run", original.spec)
    elif is_signed:
        record = store.jobs.get(original.job)
        assert store.signer is not None, "who has signed it is known"
        store.signer.check(record.name, record.fields)
        job = record.job
    elif original.revision is not None:
        job = store.former.at(original.job, original.revision)
    if job is None:
        raise JoberError(
            f"run '{id}': the definition that it was made from is kept no more, so its arguments "
            f"cannot be changed (run the job as it is now: run('{original.job}', args=…))"
        )
    if is_signed and job.payload(*_own_arguments(job, original)) != original.data:
        kept = "what is kept beside it" if original.spec else "the definition as it is signed now"
        raise RunNotSigned(id, f"it was not made from {kept}")
    return job


def _own_arguments(job: "Job", original: Original) -> tuple[Any, Any]:
    return json.loads(original.arguments) if original.arguments else (job.args, job.kwargs)


def _with_arguments(
    job: "Job",
    original: Original,
    args: Sequence[Any] | None,
    kwargs: Mapping[str, Any] | None,
    append: bool,
) -> dict[str, Any]:
    """The fields of the new run that tell of its arguments."""
    own_args, own_kwargs = _own_arguments(job, original)
    new_args = own_args if args is None else [*own_args, *args] if append else list(args)
    new_kwargs = own_kwargs
    if kwargs is not None:
        new_kwargs = {**own_kwargs, **kwargs} if append else dict(kwargs)
    new = job.replace(args=new_args, kwargs=new_kwargs)
    told: dict[str, Any] = {"data": new.payload(), "description": new.description}
    if original.job == NO_JOB:
        return {**told, "spec": new.to_json()}
    return {**told, "arguments": json.dumps([new.args, new.kwargs], ensure_ascii=False)}
