"""What of jobs and runs is shown to whoever asks: with a scope of tags or roles, not all."""

from collections.abc import Iterable

from jober.client import Jober, JobRecord
from jober.errors import JobNotFound, RunNotFound
from jober.job_filter import JobFilter
from jober.run import Run
from jober_web.access.who import Who


def seen_job(jober: Jober, who: Who, name: str) -> JobRecord:
    """A job that they see. Raises JobNotFound for any other, as if it were not there."""
    record = jober.job(name)
    if not who.sees(record.job):
        raise JobNotFound(name)
    return record


def seen_run(jober: Jober, who: Who, id: str) -> Run:
    """A run of a job that they see. Raises RunNotFound for any other."""
    run = jober.handle(id).run
    if not seen_runs(jober, who, [run]):
        raise RunNotFound(id)
    return run


def seen_runs(jober: Jober, who: Who, runs: Iterable[Run]) -> list[Run]:
    """Those of jobs that they see; who sees not all, sees none without a job."""
    found = list(runs)
    if not (who.tags or who.roles):
        return found
    names = {run.job for run in found if run.job}
    seen = {record.name for record in jober.find_those(names) if who.sees(record.job)}
    return [run for run in found if run.job in seen]


def filter_of(who: Who, **wanted: object) -> JobFilter:
    """What is looked for, among what they see."""
    return JobFilter(of_tags=who.tags, of_roles=who.roles, **wanted)  # type: ignore[arg-type]
