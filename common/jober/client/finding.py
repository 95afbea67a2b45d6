"""Jobs that are looked for among very many, and the fires that are to come."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice

from jober.client.access import Access
from jober.client.arguments import checked
from jober.job_filter import JobFilter
from jober.schedule import Schedule
from jober.store.jobs import JobRecord
from jober.store.later_job import LaterJob
from jober.store.overview import OVERDUE_MS
from jober.workflow import Graph, Links


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """A page of jobs by name. `next` is what the next page comes `after`; None where there is no
    more. Where many were looked at in vain, a page is shorter than was asked for. `later` are those
    of it that a later jober has written."""

    jobs: tuple[JobRecord, ...]
    next: str | None
    later: tuple[LaterJob, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """The fires of a job that are to come before some moment, in ms; where it `is_cut`, the first
    of them."""

    job: str
    fires_ms: tuple[int, ...]
    is_cut: bool


class Finding(Access):
    """Some of the jobs."""

    @checked
    def find_jobs(
        self, wanted: JobFilter | None = None, *, after: str | None = None, limit: int = 50
    ) -> JobPage:
        """A page of the jobs that are wanted (default: all), those after the name `after`."""
        names, following = self.store.found_jobs.page(wanted or JobFilter(), after, limit)
        jobs, later = self.store.jobs.readable(names)
        return JobPage(jobs=tuple(jobs), next=following, later=tuple(later))

    @checked
    def find_those(self, names: Collection[str]) -> list[JobRecord]:
        """Of the jobs with these names, those that there are, and that this jober can read."""
        return self.store.jobs.readable(list(names))[0]

    @checked
    def graph_around(self, name: str, limit: int = 100) -> Graph | None:
        """Which jobs come before and after one, step by step; None where they are more than
        `limit`. As `graph`, but no other jobs are read."""
        known: dict[str, Links] = {}
        new = [name]
        while new:
            found, later = self.store.jobs.readable(new)
            known |= {record.name: record.job.links for record in found}
            known |= {one.name: Links() for one in later}
            naming = self.store.found_jobs.linked(new)
            near = [record.job.links.named for record in found] + naming
            new = sorted({one for names in near for one in names} - known.keys())
            if len(known) + len(new) > limit:
                return None
        return Graph(dict(sorted(known.items())))

    @checked
    def overdue(self, limit: int = 5) -> list[str]:
        """The names of some jobs that have been due for 10 s and more, the longest first: nobody
        has decided on their fires."""
        return self.store.found_jobs.due(self.store.clock.now_ms() - OVERDUE_MS, limit)

    @checked
    def coming(self, at_ms: int, n: int = 1000, limit: int = 200) -> list[Coming]:
        """The fires that are to come up to a moment, of the `limit` jobs that are due soonest;
        `n` in all at the most, and of each job about as many as of any other."""
        now_ms = self.store.clock.now_ms()
        records, _ = self.store.jobs.readable(self.store.found_jobs.due(at_ms, limit))
        share = max(1, n // max(1, len(records)))
        found = []
        for record in records:
            fires = coming_fires(record, now_ms, share + 1)
            fires = [fire for fire in fires if fire <= at_ms]
            if fires:
                first = tuple(fires[:share])
                cut = len(fires) > share
                found.append(Coming(job=record.name, fires_ms=first, is_cut=cut))
        return found


def coming_fires(record: JobRecord, now_ms: int, number: int) -> list[int]:
    """The next fires of a job, in epoch ms. Pure."""
    schedule = record.job.schedule
    if schedule is None:
        return []
    if record.job.max_fires is not None:
        number = min(number, max(0, record.job.max_fires - record.fires))
    after = max(record.cursor_ms, record.floor_ms, now_ms)
    return list(islice(fires_after(schedule, after, record.anchor_ms), number))


def fires_after(schedule: Schedule, after_ms: int, anchor_ms: int) -> Iterator[int]:
    """The fires later than a moment; intervals count from the anchor."""
    fire = schedule.next_after_ms(after_ms, anchor_ms)
    while fire is not None:
        yield fire
        fire = schedule.next_after_ms(fire, anchor_ms)
