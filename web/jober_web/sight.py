"""What somebody sees: the jobs within their limits, and the runs of these. No other is there."""

from collections.abc import Iterable

from jober.access.who import Who
from jober.client import Jober, JobRecord
from jober.client.handle import RunHandle
from jober.errors import JobNotFound, RunNotFound
from jober.job import Job
from jober.run import Run
from jober_web.problems import Problem


def seen_job(jober: Jober, who: Who, name: str) -> JobRecord:
    """A job that they see. Raises JobNotFound."""
    try:
        record = jober.job(name)
    except JobNotFound:
        if who.is_limited:
            raise JobNotFound(name) from None  # what it might have been is not for them
        raise
    if not who.sees(record.job):
        raise JobNotFound(name)
    return record


def seen_run(jober: Jober, who: Who, id: str) -> tuple[RunHandle, Run]:
    """A run that they see. Raises RunNotFound."""
    handle = jober.handle(id)
    run = handle.run
    if who.is_limited and not who.sees(_job_of(jober, run)):
        raise RunNotFound(id)
    return handle, run


def seen_runs(jober: Jober, who: Who, runs: Iterable[Run]) -> list[Run]:
    """Those of the runs that they see."""
    found = list(runs)
    if not who.is_limited:
        return found
    names = {run.job for run in found if run.job}
    jobs = {record.name: record.job for record in jober.find_those(names)}
    return [run for run in found if run.job and who.sees(jobs.get(run.job))]


def must_see_all(who: Who) -> None:
    """What tells of the fleet as a whole is not for those who see a part of it. Raises Problem."""
    if who.is_limited:
        raise Problem(403, f"{who.name} is limited to some jobs, and this is of the whole fleet")


def must_change(who: Who, *jobs: Job | None) -> None:
    """Raises Problem where one of the jobs, or of the definitions, is beyond their limits."""
    if not who.may_change(*jobs):
        raise Problem(403, f"{who.name} may not change this: it is, or would be, beyond the limits")


def must_operate(jober: Jober, who: Who, run: Run) -> None:
    """Raises Problem where they may not stop the run, or make another like it."""
    must_change(who, _job_of(jober, run))


def _job_of(jober: Jober, run: Run) -> Job | None:
    """Its job, as it is now; where that is gone, as it was."""
    if run.job is None:
        return None
    try:
        return jober.job(run.job).job
    except JobNotFound:
        return jober.definition_of(run)
