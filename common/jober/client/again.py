"""A run once more: what its record, and the definition that it was made from, make of it."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jober.errors import JoberError, NotSigned
from jober.ids import manual_run_id
from jober.roles import priority_queue
from jober.run import NO_JOB
from jober.store import Store
from jober.store.runs import ManualRun, Original
from jober.traceparent import callers, with_caller

if TYPE_CHECKING:
    from jober.job import Job


def again(
    store: Store,
    id: str,
    args: Sequence[Any] | None,
    kwargs: Mapping[str, Any] | None,
    append: bool,
) -> tuple[str, ManualRun]:
    """The job, or NO_JOB, and the new run. Raises RunNotFound, JoberError, DefinitionError."""
    original = store.runs.original(id)
    if original.job is None:
        raise JoberError(
            f"run '{id}' is an application's own RQ job: enqueue it again with RQ "
            "(job.requeue(), or rq requeue)"
        )
    if store.signer:
        store.signer.check_run(id, original.fields)
    store.observe_time()
    word = id.rpartition("-m")[0] or id if original.spec else original.job
    made: dict[str, Any] = {
        "id": manual_run_id(word[:100], store.clock.now_ms()),
        "host": original.host,
        "data": original.data,
        "options": with_caller(original.options, callers()),
        "description": original.description,
        "timeout": original.timeout,
        "arguments": original.arguments,
        "spec": original.spec,
    }
    if original.spec or args is not None or kwargs is not None:
        job = _definition(store, id, original)
        if original.spec:
            made["queue"] = priority_queue(job.queue, job.priority)
            made["expires_s"] = job.expires
        if args is not None or kwargs is not None:
            made |= _with_arguments(job, original, args, kwargs, append)
    if b"$result" not in made["data"]:
        made["waits"] = ""  # all that it needed is among its arguments, or has been waited for
    return original.job, ManualRun(**made)


def arguments_of(store: Store, id: str) -> tuple[list[Any], dict[str, Any]] | None:
    """The arguments of a run; None where its definition is kept no more. Raises RunNotFound."""
    original = store.runs.original(id)
    if original.arguments:
        args, kwargs = json.loads(original.arguments)
        return args, kwargs
    if original.job is None:
        return None
    try:
        job = _definition(store, id, original)
    except JoberError:
        return None
    return job.args, job.kwargs


def _definition(store: Store, id: str, original: Original) -> "Job":
    """What it was made from."""
    from jober.job import Job

    assert original.job is not None
    job = None
    if original.spec:
        job = Job.from_json("run", original.spec)
    elif original.revision is not None:
        job = store.jobs.definition(original.job, original.revision)
    if job is None:
        raise JoberError(
            f"run '{id}': the definition that it was made from is kept no more, so its arguments "
            f"cannot be changed (run the job as it is now: run('{original.job}', args=…))"
        )
    if store.signer and job.payload(*_own_arguments(job, original)) != original.data:
        raise NotSigned(original.job, f"what is kept of it is not what run '{id}' was made from")
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
