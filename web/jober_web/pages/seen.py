"""What of jobs and runs is shown to whoever asks: with a scope of tags or roles, not all."""

from collections.abc import Callable
from dataclasses import replace

from jober.client import Jober, RunHandle
from jober.client.finding import JobPage
from jober.errors import RunNotFound
from jober.job_filter import JobFilter
from jober.page import Page
from jober.run import Run
from jober_web.access.who import Who
from jober_web.sight import seen_job, seen_runs

__all__ = ["seen_job", "seen_page", "seen_run", "seen_run_page", "seen_runs"]

# So many pages without one that they see are looked at, at the most.
_PAGES = 100


def seen_run(jober: Jober, who: Who, id: str) -> tuple[RunHandle, Run]:
    """A run of a job that they see. Raises RunNotFound for any other."""
    handle = jober.handle(id)
    run = handle.run
    if not seen_runs(jober, who, [run]):
        raise RunNotFound(id)
    return handle, run


def seen_run_page(
    jober: Jober, who: Who, ask: Callable[[str | None], Page[Run]], after: str | None
) -> Page[Run]:
    """Of the pages that `ask` answers with the first that has runs of jobs that they see, and these
    alone. Its `next` is one of them, too."""
    if not who.is_limited:
        return ask(after)
    for _ in range(_PAGES):
        found = ask(after)
        seen = tuple(seen_runs(jober, who, found))
        if seen or found.next is None:
            return Page(items=seen, next=seen[-1].id if seen and found.next else None)
        after = found.next
    return Page(items=(), next=None)


def seen_page(jober: Jober, who: Who, wanted: JobFilter, after: str | None, limit: int) -> JobPage:
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
