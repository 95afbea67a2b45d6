"""The fires of jobs between two moments: counted by the minute, none of them kept.

Jobs of the same schedule (and, where runs are followed, of the same duration and limits) are
walked once and counted together, so a thousand jobs of `* * * * *` cost as much as one.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jober.errors import JoberError
from jober.job import Job
from jober.schedule import Schedule
from jober.simulation.overlap import Overlaps, Runs

FIRES_AT_MOST = 5_000_000
MINUTE_MS = 60_000
BUSIEST = 10


class TooManyFires(JoberError):
    """There are more than `limit` fires; by `reached_ms`, that many were counted."""

    def __init__(self, limit: int, start_ms: int, end_ms: int, job: str) -> None:
        self.limit = limit
        hours = (end_ms - start_ms) / 3_600_000
        super().__init__(
            f"more than {limit:,} fires in these {hours:,.0f} hours, when '{job}' was reached "
            "(simulate a shorter time: an hour or a day of such jobs tells the same)"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFires:
    """The fires of one job: how many, the first and the last, and how its runs would overlap.

    `overlaps` is None where no duration was given.
    """

    job: Job
    fires: int
    first_ms: int | None
    last_ms: int | None
    overlaps: Overlaps | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BusyMinute:
    """A minute, its fires, and the fires of each job in it, most first."""

    at_ms: int
    fires: int
    jobs: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """All fires with start <= fire < end. `minutes` holds the count of each minute that has
    any, by its first millisecond."""

    start_ms: int
    end_ms: int
    minutes: Mapping[int, int]
    jobs: tuple[JobFires, ...]
    busiest: tuple[BusyMinute, ...]

    @property
    def fires(self) -> int:
        return sum(job.fires for job in self.jobs)


_Key = tuple[Schedule, str, int | None, int | None]


def simulate(
    jobs: Iterable[Job],
    start_ms: int,
    end_ms: int,
    durations_ms: Mapping[str, int] | None = None,
    limit: int = FIRES_AT_MOST,
) -> Simulation:
    """Every fire of the jobs from `start_ms` on and before `end_ms`.

    An interval without a start of its own is counted from `start_ms`, which is its first fire.
    `durations_ms` tells how long a run of each job takes, by name; a timeout cuts it. Raises
    TooManyFires beyond `limit`.
    """
    jobs = list(jobs)
    durations = {} if durations_ms is None else durations_ms
    alike: dict[_Key, list[Job]] = defaultdict(list)
    for job in jobs:
        if job.schedule is not None:
            alike[_key(job.schedule, job, durations)].append(job)
    minutes: Counter[int] = Counter()
    found: dict[str, JobFires] = {}
    left = limit
    for key, same in alike.items():
        walk = _walk(key, len(same), start_ms, end_ms, left, minutes)
        if walk is None:
            raise TooManyFires(limit, start_ms, end_ms, same[0].name)
        count, first, last, overlaps = walk
        left -= count * len(same)
        for job in same:
            found[job.name] = JobFires(
                job=job, fires=count, first_ms=first, last_ms=last, overlaps=overlaps
            )
    for job in jobs:
        if job.schedule is None:
            found[job.name] = JobFires(job=job, fires=0, first_ms=None, last_ms=None, overlaps=None)
    return Simulation(
        start_ms=start_ms,
        end_ms=end_ms,
        minutes=minutes,
        jobs=tuple(found[job.name] for job in jobs),
        busiest=tuple(_busiest(alike, minutes, start_ms, end_ms)),
    )


def _key(schedule: Schedule, job: Job, durations: Mapping[str, int]) -> _Key:
    duration = durations.get(job.name)
    if duration is None:
        return schedule, "", None, None
    if job.timeout is not None:
        duration = min(duration, round(job.timeout * 1000))
    limit = job.host_limit if job.host_limit is not None else job.fleet_limit
    return schedule, job.overlap, limit, duration


def _walk(
    key: _Key, weight: int, start_ms: int, end_ms: int, left: int, minutes: Counter[int]
) -> tuple[int, int | None, int | None, Overlaps | None] | None:
    """Count the fires of one schedule that `weight` jobs have; None where `left` is too few."""
    schedule, overlap, limit, duration = key
    runs = None if duration is None else Runs(overlap, limit, duration)
    most = left // weight
    count = 0
    first = last = None
    # A fire in this minute is counted when the minute is over.
    minute, in_minute = 0, 0
    for fire in schedule.between_ms(start_ms - 1, end_ms - 1, start_ms):
        count += 1
        if count > most:
            return None
        if first is None:
            first = fire
        last = fire
        if fire >= minute + MINUTE_MS:
            if in_minute:
                minutes[minute] += in_minute * weight
            minute, in_minute = fire - fire % MINUTE_MS, 0
        in_minute += 1
        if runs is not None:
            runs.fire(fire)
    if in_minute:
        minutes[minute] += in_minute * weight
    return count, first, last, None if runs is None else runs.result()


def _busiest(
    alike: Mapping[_Key, list[Job]], minutes: Mapping[int, int], start_ms: int, end_ms: int
) -> Iterable[BusyMinute]:
    top = heapq.nsmallest(BUSIEST, minutes.items(), key=lambda item: (-item[1], item[0]))
    for minute, fires in top:
        low, high = max(minute, start_ms), min(minute + MINUTE_MS, end_ms)
        counts: dict[str, int] = {}
        for (schedule, *_), same in alike.items():
            count = schedule.count_between_ms(low - 1, high - 1, start_ms, limit=MINUTE_MS)
            if count:
                counts.update((job.name, count) for job in same)
        by_count = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        yield BusyMinute(at_ms=minute, fires=fires, jobs=dict(by_count))
