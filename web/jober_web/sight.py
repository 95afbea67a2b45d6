"""What somebody sees: the jobs within their limits, the runs of these and what happens to them. No
other is there. What they see they may run and stop, where their scope is to do so.

A run is within the limits where its job is, as that is now; where the job is gone, as it was when
the run was made.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from jober.access.who import Who
from jober.client import Jober, JobRecord
from jober.client.finding import JobPage
from jober.client.handle import RunHandle
from jober.errors import JobNotFound, RunNotFound
from jober.event import Event
from jober.job import Job
from jober.job_filter import JobFilter
from jober.page import Page
from jober.run import Run
from jober_web.problems import Problem

# So many pages without one that they see are looked at, at the most.
_PAGES = 100


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


def seen_jobs(jober: Jober, who: Who, wanted: JobFilter, after: str | None, limit: int) -> JobPage:
    """A page of the jobs that are wanted, of those that they see. Its `next` is the name of one of
    them, too."""
    if not who.is_limited:
        return jober.find_jobs(wanted, after=after, limit=limit)
    # Near enough for the lists in Redis; what is not seen of it is left out here.
    near = replace(wanted, of_tags=who.tags or frozenset(), of_roles=who.roles or frozenset())
    for _ in range(_PAGES):
        found = jober.find_jobs(near, after=after, limit=limit)
        seen = tuple(record for record in found.jobs if who.sees(record.job))
        if seen or found.next is None:
            return JobPage(jobs=seen, next=seen[-1].name if seen and found.next else None)
        after = found.next
    return JobPage(jobs=(), next=None)


def seen_run(jober: Jober, who: Who, id: str) -> tuple[RunHandle, Run]:
    """A run that they see. Raises RunNotFound."""
    handle = jober.handle(id)
    run = handle.run
    if not seen_runs(jober, who, [run]):
        raise RunNotFound(id)
    return handle, run


def seen_runs(jober: Jober, who: Who, runs: Iterable[Run]) -> list[Run]:
    """Those of the runs that they see."""
    found = list(runs)
    if not who.is_limited:
        return found
    jobs = _jobs_of(jober, found)
    return [run for run in found if who.sees(jobs[run.id])]


def seen_run_page(
    jober: Jober, who: Who, ask: Callable[[str | None], Page[Run]], after: str | None
) -> Page[Run]:
    """Of the pages that `ask` answers with the first that has runs that they see, and these alone.
    Its `next` is one of them, too."""
    if not who.is_limited:
        return ask(after)
    for _ in range(_PAGES):
        found = ask(after)
        seen = tuple(seen_runs(jober, who, found))
        if seen or found.next is None:
            return Page(items=seen, next=seen[-1].id if seen and found.next else None)
        after = found.next
    return Page(items=(), next=None)


def seen_events(jober: Jober, who: Who, events: Iterable[Event]) -> list[Event]:
    """Those of the events that tell of jobs that they see."""
    found = list(events)
    if not who.is_limited or not found:
        return found
    records = jober.find_those({event.job for event in found if event.job})
    names = {record.name for record in records if who.sees(record.job)}
    return [event for event in found if event.job in names]


def must_see_all(who: Who) -> None:
    """What tells of the fleet as a whole is not for those who see a part of it. Raises Problem."""
    if who.is_limited:
        raise Problem(403, f"{who.name} is limited to some jobs, and this is of the whole fleet")


def must_define(who: Who, *jobs: Job) -> None:
    """Raises Problem where one of the definitions, as it is or as it would be, is beyond their
    limits."""
    if not who.may_change(*jobs):
        raise Problem(403, f"{who.name} may not change this: it is, or would be, beyond the limits")


def _jobs_of(jober: Jober, runs: Iterable[Run]) -> dict[str, Job | None]:
    """By run its job, as it is now; where that is gone, as it was."""
    found = list(runs)
    records = jober.find_those({run.job for run in found if run.job})
    now = {record.name: record.job for record in records}
    gone: dict[tuple[str | None, int | None], Job | None] = {}
    for run in found:
        if run.job not in now and (run.job, run.revision) not in gone:
            gone[run.job, run.revision] = jober.definition_of(run)
    return {
        run.id: now[run.job] if run.job in now else gone[run.job, run.revision] for run in found
    }
