"""The results of needed runs, put into the arguments of the run that waited for them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jober.errors import DefinitionError, JoberError
from jober.job import PROGRAMS, Job
from jober.run import GOOD, NO_JOB
from jober.store import Store
from jober.store.workflows import Found
from jober.workflow import results_in, with_results


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWithResults:
    """What a run is to do, and how that is told; and the same with the names of the results."""

    data: bytes
    description: str
    template: bytes


class Lacking(JoberError):
    """A result that a run is to be given is not there."""


def call_with_results(
    store: Store, found: Found, settled: Mapping[str, Sequence[str]]
) -> CallWithResults | None:
    """What the run is to do once the results stand in its arguments; None where none is to. Raises
    Lacking, and DefinitionError where they make no good arguments."""
    run = found.run
    given = store.workflows.arguments(run.id)
    if given is None and not run.waits.jobs:
        return None
    job = _definition(store, found)
    if job is None:
        if given is None:
            return None
        raise Lacking("the definition that it was made from is not kept any more")
    args, kwargs = given or (job.args, job.kwargs)
    args = job.args if args is None else args
    kwargs = job.kwargs if kwargs is None else kwargs
    wanted = list(dict.fromkeys(results_in([args, kwargs])))
    if not wanted:
        return None
    several = {one.job for one in run.upstreams if one.on_several}
    results = {
        name: _result(store, name, settled.get(name, ()), run.id, name in several)
        for name in wanted
    }
    template = job.payload(args, kwargs)
    args, kwargs = with_results(args, results), with_results(kwargs, results)
    try:
        return CallWithResults(
            data=job.payload(args, kwargs),
            description=job.describe(args, kwargs),
            template=template,
        )
    except DefinitionError as error:
        raise Lacking(f"with the results in place: {error}") from None


def _definition(store: Store, found: Found) -> Job | None:
    if found.run.job == NO_JOB:
        return Job.from_json("run", store.runs.original(found.run.id).spec or "{}")
    return store.former.at(found.run.job, found.revision)


def _result(store: Store, job: str, runs: Sequence[str], wanting: str, several: bool) -> Any:
    if not runs:
        raise Lacking(f"the result of {job} is not there: {wanting} has waited for no run of it")
    told = store.workflows.returned(runs)
    if not several:
        return _value(job, runs[-1], told[runs[-1]])
    # Of those on which it succeeded, where a quorum is enough.
    host_of = {
        id: told[id]["host"] or told[id]["target"] or "" for id in runs if told[id]["state"] in GOOD
    }
    return {
        host_of[id]: _value(job, id, told[id]) for id in sorted(host_of, key=host_of.__getitem__)
    }


def _value(job: str, id: str, told: Mapping[str, str | None]) -> Any:
    if told["return_value"] is not None:
        return json.loads(told["return_value"])
    if told["data"] is None:
        raise Lacking(f"the result of {job} is not there: {id} is not known any more")
    if (told["reason"] or "").startswith("the return value was not kept"):
        raise Lacking(f"the result of {job} is not there: of {id}, {told['reason']}")
    try:
        function = json.loads(told["data"])[0]
    except (ValueError, LookupError):
        function = None
    if function in PROGRAMS:
        raise Lacking(
            f"the result of {job} is not there: {id} is a program, and returns nothing "
            "(only a function has a result)"
        )
    return None
