"""`jober simulate`: the fires of a jobs file on a virtual clock."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Annotated, Any, cast

from rich.console import Console
from rich.text import Text

from jober.cli import terminal
from jober.cli.fleet import fleet
from jober.cli.heat_map import ROWS_AT_MOST, By, heat_map, print_heat_map, rows_of
from jober.cli.moment import read_moment_ms
from jober.cli.options import Argument, JsonOption, Option, RedisOption, WrongCall
from jober.cli.table import Column, print_table
from jober.clock import SystemClock, iso
from jober.errors import JobNotFound
from jober.job import Job
from jober.jobs_file import read_jobs
from jober.run import RunState
from jober.schedule.zone import Zone, zone
from jober.simulation import BusyMinute, JobFires, Overlaps, Simulation, simulate
from jober.words import count, duration

_HISTORY = 20
_NAMES = 6


def simulate_file(
    file: Annotated[str, Argument(metavar="FILE", help="A jobs file: .toml, .yaml or .yml.")],
    start: Annotated[
        str | None,
        Option(
            "--from",
            metavar="T",
            help="From this moment on, as 2026-11-21 or 2026-11-21T08:00. (default: now)",
            show_default=False,
        ),
    ] = None,
    end: Annotated[
        str | None,
        Option(
            "--to",
            metavar="T",
            help="Up to, and without, this moment. (default: a day later)",
            show_default=False,
        ),
    ] = None,
    timezone: Annotated[
        str,
        Option("--timezone", metavar="TZ", help="The zone of these moments, and of the map."),
    ] = "UTC",
    durations: Annotated[
        list[str] | None,
        Option(
            "--duration",
            metavar="[NAME=]SECONDS",
            help="How long a run takes, of one job or of all. (default: not known, so that no "
            "overlaps are told)",
            show_default=False,
        ),
    ] = None,
    history: Annotated[
        bool,
        Option("--history", help=f"Take the median of each job's last {_HISTORY} runs."),
    ] = False,
    by: Annotated[
        str | None,
        Option(
            "--by",
            metavar="minute|hour",
            help="Columns of the map. (default: minute for up to two days, else hour)",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
    redis: RedisOption = None,
) -> None:
    """Tell when the jobs of a file fire.

    A map of the fires, the busiest minutes, the fires of each job, and with durations the
    fires that would find an earlier run still going. Nothing is changed, and no Redis is
    needed but for --history. An interval without a start is counted from --from.

    Examples:
      jober simulate fleet.toml --from 2026-11-21 --to 2026-11-22
      jober simulate fleet.toml --duration 90 --duration backup=3600
      jober simulate fleet.toml --to 2026-12-31 --by hour --history --json
    """
    where = zone(timezone)
    start_ms, end_ms = _span(start, end, where)
    columns = _by(by, start_ms, end_ms)
    jobs = read_jobs(file).jobs
    lasting = _past(jobs, redis) if history else {}
    lasting |= _given(durations or (), jobs)
    found = simulate(jobs, start_ms, end_ms, lasting)
    if json:
        terminal.print_json(as_dict(found, where, columns))
    else:
        _print(terminal.stdout(), found, where, columns, followed=bool(lasting))


def as_dict(found: Simulation, where: Zone, by: By) -> dict[str, Any]:
    """A simulation, for scripts: `buckets` leaves out those without any fire."""
    size_ms = 60_000 if by == "minute" else 3_600_000
    buckets: dict[int, int] = {}
    for minute, fires in sorted(found.minutes.items()):
        begin = minute - minute % size_ms
        buckets[begin] = buckets.get(begin, 0) + fires
    return {
        "from": iso(found.start_ms),
        "to": iso(found.end_ms),
        "timezone": where.name,
        "fires": found.fires,
        "by": by,
        "buckets": [{"at": iso(at), "fires": fires} for at, fires in buckets.items()],
        "busiest": [
            {"at": iso(one.at_ms), "fires": one.fires, "jobs": dict(one.jobs)}
            for one in found.busiest
        ],
        "jobs": [_job_as_dict(one) for one in found.jobs],
    }


def _job_as_dict(one: JobFires) -> dict[str, Any]:
    overlaps = None
    if one.overlaps is not None:
        overlaps = {
            "overlap": one.job.overlap,
            "duration_s": one.overlaps.duration_ms / 1000,
            "overlapping": one.overlaps.overlapping,
            "skipped": one.overlaps.skipped,
            "wait": one.overlaps.waits,
            "cancel_old": one.overlaps.cancels,
            "run_beside": one.overlaps.beside,
            "longest_wait_s": one.overlaps.longest_wait_ms / 1000,
            "most_at_once": one.overlaps.most_at_once,
            "first": [iso(at) for at in one.overlaps.examples_ms],
        }
    return {
        "job": one.job.name,
        "schedule": one.job.schedule_text,
        "fires": one.fires,
        "first": iso(one.first_ms),
        "last": iso(one.last_ms),
        "overlaps": overlaps,
    }


def _span(start: str | None, end: str | None, where: Zone) -> tuple[int, int]:
    if start is None:
        now_ms = SystemClock().now_ms()
        start_ms = now_ms - now_ms % 60_000
    else:
        start_ms = read_moment_ms(start, "--from", where)
    end_ms = start_ms + 86_400_000 if end is None else read_moment_ms(end, "--to", where)
    if end_ms <= start_ms:
        raise WrongCall("--to is not after --from")
    return start_ms, end_ms


def _by(text: str | None, start_ms: int, end_ms: int) -> By:
    if text not in (None, "minute", "hour"):
        raise WrongCall(f"--by is minute or hour, and not '{text}'")
    if text is None:
        return "minute" if end_ms - start_ms <= 2 * 86_400_000 else "hour"
    return cast(By, text)


def _given(texts: Sequence[str], jobs: Sequence[Job]) -> dict[str, int]:
    """Milliseconds by the name of a job; what is said of one goes before what is said of all."""
    names = [job.name for job in jobs]
    of_all: dict[str, int] = {}
    of_one: dict[str, int] = {}
    for text in texts:
        name, named, seconds = text.rpartition("=")
        try:
            lasting = round(float(seconds) * 1000)
        except (ValueError, OverflowError):
            lasting = 0
        if lasting <= 0:
            raise WrongCall(f"--duration '{text}' is not SECONDS or NAME=SECONDS")
        if named and name not in names:
            raise JobNotFound(name, names)
        if named:
            of_one[name] = lasting
        else:
            of_all = dict.fromkeys(names, lasting)
    return of_all | of_one


def _past(jobs: Sequence[Job], redis: str | None) -> dict[str, int]:
    """The median of the last runs that succeeded, in milliseconds; of jobs that have any."""
    found: dict[str, int] = {}
    with fleet(redis) as jober:
        for job in jobs:
            runs = jober.runs(job.name, limit=_HISTORY)
            took = [run.duration_s for run in runs if run.state is RunState.SUCCESS]
            known = [seconds for seconds in took if seconds is not None]
            if known:
                found[job.name] = max(round(median(known) * 1000), 1)
    if not found:
        terminal.note("no run of these jobs is known, so no overlaps are told")
    return found


def _print(console: Console, found: Simulation, where: Zone, by: By, *, followed: bool) -> None:
    times = f"{_wall(found.start_ms, where)} to {_wall(found.end_ms, where)} ({where.name})"
    due = sum(job.fires > 0 for job in found.jobs)
    console.print(
        Text(f"{count(found.fires, 'fire')} of {count(due, 'job')}, {times}", style="bold")
    )
    console.print()
    if rows_of(found.start_ms, found.end_ms, by) > ROWS_AT_MOST:
        mend = "--by hour, or a shorter time" if by == "minute" else "simulate a shorter time"
        terminal.note(f"the map would have more than {ROWS_AT_MOST} rows ({mend})")
    elif found.fires:
        print_heat_map(console, heat_map(found.minutes, found.start_ms, found.end_ms, where, by))
        console.print()
    if found.busiest:
        _print_busiest(console, found.busiest, where)
        console.print()
    _print_jobs(console, found.jobs, where)
    if followed:
        console.print()
        _print_overlaps(console, found.jobs, where)


def _print_busiest(console: Console, busiest: Sequence[BusyMinute], where: Zone) -> None:
    rows = [[_wall(one.at_ms, where), f"{one.fires:,}", _names(one.jobs)] for one in busiest]
    columns = [
        Column(title="BUSIEST MINUTES"),
        Column(title="FIRES", justify="right"),
        Column(title="JOBS", cut=True),
    ]
    print_table(console, columns, rows)


def _names(jobs: Mapping[str, int]) -> str:
    told = [f"{name} ×{fires}" if fires > 1 else name for name, fires in jobs.items()]
    more = f" and {len(told) - _NAMES} more" if len(told) > _NAMES else ""
    return ", ".join(told[:_NAMES]) + more


def _print_jobs(console: Console, jobs: Sequence[JobFires], where: Zone) -> None:
    columns = [
        Column(title="JOB"),
        Column(title="FIRES", justify="right"),
        Column(title="SCHEDULE", cut=True, drop=1),
        Column(title="FIRST", drop=2),
        Column(title="LAST", drop=3),
    ]
    rows = [
        [
            one.job.name,
            f"{one.fires:,}",
            one.job.schedule_text,
            "" if one.first_ms is None else _wall(one.first_ms, where),
            "" if one.last_ms is None else _wall(one.last_ms, where),
        ]
        for one in sorted(jobs, key=lambda one: -one.fires)
    ]
    print_table(console, columns, rows)


def _print_overlaps(console: Console, jobs: Sequence[JobFires], where: Zone) -> None:
    followed = [(one, one.overlaps) for one in jobs if one.overlaps is not None]
    meeting = [(one, overlaps) for one, overlaps in followed if overlaps.overlapping]
    if not meeting:
        console.print(
            f"No fire finds an earlier run still going, of {count(len(followed), 'job')}."
        )
        return
    columns = [
        Column(title="OVERLAPS"),
        Column(title="A RUN TAKES", justify="right"),
        Column(title="FIRES", justify="right"),
        Column(title="WHAT BECOMES OF THEM", cut=True),
        Column(title="FIRST", drop=1),
    ]
    rows = [
        [
            one.job.name,
            duration(overlaps.duration_ms / 1000),
            f"{overlaps.overlapping:,} of {one.fires:,}",
            _outcome(one.job, overlaps),
            _wall(overlaps.examples_ms[0], where),
        ]
        for one, overlaps in sorted(meeting, key=lambda both: -both[1].overlapping)
    ]
    print_table(console, columns, rows)


def _outcome(job: Job, overlaps: Overlaps) -> str:
    told = []
    if overlaps.skipped:
        told.append(f"{overlaps.skipped:,} skipped")
    if overlaps.waits:
        told.append(f"{overlaps.waits:,} wait, at most {duration(overlaps.longest_wait_ms / 1000)}")
    if overlaps.cancels:
        told.append(f"{overlaps.cancels:,} cancel the run before")
    if overlaps.beside:
        told.append(f"{overlaps.beside:,} run beside it, {overlaps.most_at_once} at once at most")
    return f"{'; '.join(told)} (overlap = {job.overlap})"


def _wall(moment_ms: int, where: Zone) -> str:
    wall = where.aware(moment_ms)
    return f"{wall:%Y-%m-%d %H:%M:%S}" if moment_ms % 60_000 else f"{wall:%Y-%m-%d %H:%M}"
