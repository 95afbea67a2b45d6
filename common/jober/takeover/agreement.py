"""What the schedules decide beside what the log shows: which starts both have, and which only one.

Pure. A start of the log goes with the newest fire that is not later than it, and within the
tolerance: cron starts a command in the first seconds of a minute, systemd within the accuracy
of its timer. Jobs that the log cannot tell apart (the same user and command) are compared
together.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from jober.importing import Origin
from jober.job import Job
from jober.takeover.evidence import Start
from jober.takeover.log_line import CommandStart, alike

# A log has whole seconds, and its clock is read a moment before the command starts.
_EARLY_MS = 2_000
TOLERANCE_MS = 60_000
FIRES_AT_MOST = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadowed:
    """A job, where it comes from, and when that was changed last (None: not known)."""

    job: Job
    origin: Origin
    changed_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A moment that only one of the two has; `reason` is the likely one, None where there is
    none. `explained`: it says nothing against the schedule."""

    job: str
    at_ms: int
    by_host: bool
    reason: str | None = None
    explained: bool = False


@dataclass(slots=True, kw_only=True)
class Comparison:
    """A job's fires in the time: agreed ones as (fire, start), and those that only one has.

    `not_compared` says why, where it was not.
    """

    name: str
    origin: Origin
    agreed: list[tuple[int, int]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    not_compared: str | None = None

    @property
    def expected(self) -> int:
        return len(self.agreed) + len(self.only_jober)

    @property
    def only_host(self) -> list[Difference]:
        return [one for one in self.differences if one.by_host]

    @property
    def only_jober(self) -> list[Difference]:
        return [one for one in self.differences if not one.by_host]

    @property
    def unexplained(self) -> int:
        return sum(not one.explained for one in self.differences)

    @property
    def latest_ms(self) -> int | None:
        """By how much the latest of the agreed starts was late."""
        return max((max(0, start - fire) for fire, start in self.agreed), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What is looked at: fires with begin <= fire < end. `now_ms` is up to when the log tells; a
    fire whose start may still come is left open. `tolerance_ms` is how late any start may be."""

    begin_ms: int
    end_ms: int
    now_ms: int
    tolerance_ms: int = TOLERANCE_MS


def compare(
    jobs: Sequence[Shadowed], starts: Sequence[Start], window: Window
) -> tuple[list[Comparison], list[Start]]:
    """Each job's comparison, and the commands of the log that no job is behind."""
    found = [Comparison(name=one.job.name, origin=one.origin) for one in jobs]
    of_job, strangers = _sorted_out(jobs, starts)
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for place in range(len(jobs)):
        # Those without any start have nothing to share.
        groups[tuple(of_job[place]) or (-1 - place,)].append(place)
    for numbers, places in groups.items():
        _compare(
            [jobs[place] for place in places],
            [found[place] for place in places],
            [starts[number].at_ms for number in numbers if number >= 0],
            window,
        )
    return found, [one for one in strangers if window.begin_ms <= one.at_ms < window.end_ms]


def _sorted_out(
    jobs: Sequence[Shadowed], starts: Sequence[Start]
) -> tuple[Mapping[int, list[int]], list[Start]]:
    """By the place of a job, the numbers of its starts; and the starts of none."""
    of_job: dict[int, list[int]] = defaultdict(list)
    strangers = []
    known: dict[object, list[int]] = {}
    for number, start in enumerate(starts):
        what = start.what
        key = (what.user, what.command) if isinstance(what, CommandStart) else what
        if key not in known:
            known[key] = [place for place, one in enumerate(jobs) if _is_of(start, one.origin)]
        for place in known[key]:
            of_job[place].append(number)
        # systemd starts many services that no timer is behind.
        if not known[key] and isinstance(start.what, CommandStart):
            strangers.append(start)
    return of_job, strangers


def _is_of(start: Start, origin: Origin) -> bool:
    what = start.what
    if isinstance(what, CommandStart):
        return (
            origin.command is not None
            and what.user == origin.user
            and alike(what.command, origin.command)
        )
    if what.unit is not None:
        return what.unit == origin.unit
    return origin.unit is not None and what.description == origin.description


def _compare(
    jobs: Sequence[Shadowed],
    found: Sequence[Comparison],
    starts: Sequence[int],
    window: Window,
) -> None:
    begin_ms, end_ms = window.begin_ms, window.end_ms
    due: list[tuple[int, int]] = []
    late_ms = window.tolerance_ms
    for place, one in enumerate(jobs):
        if one.origin.by_chance:
            found[place].not_compared = "cron itself chooses its moments, by chance"
            continue
        if one.job.schedule is None:
            found[place].not_compared = "the jobs file gives it no schedule"
            continue
        late_ms = max(late_ms, window.tolerance_ms + one.origin.late_ms)
        for fire in _fires(one.job, starts, begin_ms, end_ms):
            due.append((fire, place))
            if len(due) > FIRES_AT_MOST:
                for comparison in found:
                    comparison.not_compared = f"more than {FIRES_AT_MOST:,} fires in that time"
                return
    if all(one.not_compared for one in found):
        return
    due.sort()
    fires = [fire for fire, _ in due]
    taken: dict[int, int] = {}
    for start in starts:
        if start < begin_ms - _EARLY_MS:
            continue
        at = bisect_right(fires, start + _EARLY_MS) - 1
        while at >= 0 and at in taken and start - fires[at] <= late_ms:
            at -= 1
        if at >= 0 and start - fires[at] <= late_ms:
            taken[at] = start
        elif begin_ms <= start < end_ms and not _is_before(fires, start, begin_ms, late_ms):
            found[0].differences.append(Difference(job=found[0].name, at_ms=start, by_host=True))
    for at, (fire, place) in enumerate(due):
        if at in taken:
            found[place].agreed.append((fire, taken[at]))
        elif fire + late_ms <= window.now_ms:
            found[place].differences.append(
                Difference(job=found[place].name, at_ms=fire, by_host=False)
            )
    for comparison in found:
        comparison.differences.sort(key=lambda difference: difference.at_ms)


def _is_before(fires: Sequence[int], start: int, begin_ms: int, late_ms: int) -> bool:
    """Whether a start may be the late one of a fire before the time that is looked at."""
    return start < begin_ms + late_ms and bisect_right(fires, start + _EARLY_MS) == 0


def _fires(job: Job, starts: Sequence[int], begin_ms: int, end_ms: int) -> Iterator[int]:
    """When it is due. What counts from its last run is due so long after each start of the log:
    where the first one falls is for the host to say."""
    plain = job.replace(jitter=0) if job.jitter else job
    schedule = plain.schedule
    assert schedule is not None
    if job.every is None or job.at:
        yield from schedule.between_ms(begin_ms - 1, end_ms - 1, begin_ms)
        return
    inside = [start for start in starts if begin_ms <= start < end_ms]
    yield from inside[:1]
    for start in inside:
        following = schedule.next_after_ms(start, start)
        if following is not None and following < end_ms:
            yield following
