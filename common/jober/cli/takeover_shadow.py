"""`jober takeover shadow`: what the jobs would have done, beside what the host did by itself."""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, cast

from jober.cli import terminal
from jober.cli.options import Argument, JsonOption, Option, WrongCall
from jober.cli.takeover import AllOption, HostOption, PrefixOption, RootOption, TimezoneOption
from jober.cli.takeover_report import Report, as_dict, news, print_report, totals
from jober.client.moments import read_moment_ms, read_span_s
from jober.clock import Clock, SystemClock, iso
from jober.errors import DefinitionError
from jober.importing import Imported, jobs_text
from jober.job import Job
from jober.jobs_file import parse_jobs, read_jobs
from jober.schedule.zone import Zone, zone
from jober.takeover import Root, TakeoverOptions, read_host
from jober.takeover.agreement import TOLERANCE_MS, Shadowed, Window, compare
from jober.takeover.log_files import LogReader
from jober.takeover.reasons import Reasons
from jober.words import duration

_LOOK_S = 1.0
# Of the time, no more than a tenth is spent looking.
_SHARE = 9
_CLEAR_LINE = "\r\x1b[K"


def shadow(
    file: Annotated[
        str | None,
        Argument(
            metavar="FILE",
            help="The jobs file that `jober takeover` wrote, as it is by now. (default: what it "
            "would write)",
        ),
    ] = None,
    since: Annotated[
        str | None,
        Option(
            "--since",
            metavar="T",
            help="Look at the log from then on: a moment, or so long ago as 12h. (default: 7d, "
            "or now with --for)",
            show_default=False,
        ),
    ] = None,
    until: Annotated[
        str | None,
        Option(
            "--until",
            metavar="T",
            help="And up to then. (default: now)",
            show_default=False,
        ),
    ] = None,
    lasting: Annotated[
        str | None,
        Option(
            "--for",
            metavar="SPAN",
            help="Go on for so long from now, as 24h, and tell each start as it comes; Ctrl-C "
            "ends it with the report.",
            show_default=False,
        ),
    ] = None,
    log: Annotated[
        list[str] | None,
        Option(
            "--log",
            metavar="FILE",
            help="A syslog file, packed or not; may be given again. (default: syslog, cron, "
            "cron.log and messages of /var/log, else the journal)",
            show_default=False,
        ),
    ] = None,
    tolerance: Annotated[
        float,
        Option(
            "--tolerance",
            metavar="SECONDS",
            help="How late a start may be: a minute is what cron itself counts in. A timer may "
            "be later by its AccuracySec and RandomizedDelaySec.",
        ),
    ] = TOLERANCE_MS / 1000,
    root: RootOption = "/",
    host: HostOption = None,
    prefix: PrefixOption = None,
    timezone: TimezoneOption = None,
    every: AllOption = False,
    json: JsonOption = False,
) -> None | int:
    """Compare the jobs with what the host ran by itself, as its log tells.

    The schedules decide, and run nothing. Told are, for each job, the fires that the log has
    too, those that only cron (or systemd) has, and those that only the job has, each with the
    likely reason; and then how to switch. The exit status is 1 where anything speaks against
    a schedule, or nothing could be compared. All is found again in the log: to go on after
    Ctrl-C, call it with --since.

    Examples:
      jober takeover shadow web1.toml
      jober takeover shadow web1.toml --since 2d --json
      jober takeover shadow web1.toml --for 24h
      jober takeover shadow --root /mnt/web1 --host web1 --until 2026-11-21T12:00
    """
    if not 0 < tolerance <= 3600:
        raise WrongCall("--tolerance is more than 0 seconds, and an hour at most")
    clock = SystemClock()
    begin_ms, end_ms = _asked_time(since, until, lasting, clock.now_ms())
    place = Root(root)
    options = TakeoverOptions(host=host, timezone=timezone, prefix=prefix, every=every)
    found = read_host(place, options)
    jobs = _shadowed(found, file, place)
    where = zone(cast(str, found.defaults["timezone"][0]))
    reader = LogReader(place, where, begin_ms, log or ())
    looking = _Looking(
        jobs=jobs,
        reader=reader,
        zone=where,
        begin_ms=begin_ms,
        end_ms=end_ms,
        tolerance_ms=round(tolerance * 1000),
        to_its_end=until is None and lasting is None and not place.is_this_host,
    )
    if lasting is not None:
        _live(looking, clock, quiet=json)
    report = looking.report(clock.now_ms())
    if json:
        terminal.print_json(as_dict(report))
    else:
        print_report(terminal.stdout(), report, place, file)
        left_ms = end_ms - clock.now_ms()
        if lasting is not None and left_ms > 0:
            _tell_how_to_go_on(file, begin_ms, left_ms)
    return 0 if report.is_good else 1


def _asked_time(
    since: str | None, until: str | None, lasting: str | None, now_ms: int
) -> tuple[int, int]:
    """From when to when (ms), by --since, --until and --for. Raises WrongCall."""
    if lasting is not None and until is not None:
        raise WrongCall("--for and --until exclude each other")
    default = iso(now_ms) if lasting is not None else "7d"
    begin_ms = read_moment_ms(default if since is None else since, "--since", now_ms)
    end_ms = now_ms if until is None else read_moment_ms(until, "--until", now_ms)
    if lasting is not None:
        end_ms = now_ms + round(read_span_s(lasting, "--for") * 1000)
    if end_ms <= begin_ms:
        raise WrongCall("that time has no length: its end is not after its begin")
    return begin_ms, end_ms


def _tell_how_to_go_on(file: str | None, begin_ms: int, left_ms: int) -> None:
    call = " ".join(["jober takeover shadow", *([file] if file else [])])
    terminal.note(
        f"ended with {duration(left_ms / 1000)} to go; to go on: {call} "
        f"--since {iso(begin_ms)} --for {-(-left_ms // 60_000)}m"
    )


def _shadowed(found: Imported, file: str | None, root: Root) -> list[Shadowed]:
    """The jobs, as the file has them, that come from something on the host."""
    jobs: Sequence[Job] = (
        parse_jobs(jobs_text(found, "toml"), "toml", "takeover").jobs
        if file is None
        else read_jobs(file).jobs
    )
    origins = {one.name: one.origin for one in found.jobs if one.origin is not None}
    others = [job.name for job in jobs if job.name not in origins]
    missing = sorted(origins.keys() - {job.name for job in jobs})
    if others:
        terminal.note(f"not compared, since nothing here is behind it: {', '.join(others)}")
    if missing:
        terminal.note(f"not compared, since {file} does not have it: {', '.join(missing)}")
    if len(others) == len(jobs):
        raise DefinitionError(
            "no job is of a crontab or timer of this host",
            file=file or root.path,
            mend="run it as root on that host, or say --root, --host and --prefix as you did "
            "for `jober takeover`",
        )
    return [
        Shadowed(job=job, origin=origin, changed_ms=root.changed_ms(origin.file))
        for job in jobs
        if (origin := origins.get(job.name)) is not None
    ]


@dataclass(slots=True, kw_only=True)
class _Looking:
    """The comparison as far as the log tells. `to_its_end`: a disk tells nothing of the time
    after its last line; of a host that runs, silence tells something."""

    jobs: Sequence[Shadowed]
    reader: LogReader
    zone: Zone
    begin_ms: int
    end_ms: int
    tolerance_ms: int
    to_its_end: bool

    def report(self, now_ms: int) -> Report:
        self.reader.read()
        evidence = self.reader.evidence
        window = self._window(now_ms)
        found, strangers = compare(self.jobs, evidence.starts(), window)
        Reasons(evidence, self.zone).give(self.jobs, found)
        return Report(
            comparisons=found,
            strangers=strangers,
            window=window,
            asked_ms=self.begin_ms,
            sources=self.reader.sources,
            zone=self.zone,
        )

    def _window(self, now_ms: int) -> Window:
        """From --since on, or from the first line where there is nothing older."""
        minutes = self.reader.evidence.minutes()
        begin_ms, end_ms = self.begin_ms, min(self.end_ms, now_ms)
        if minutes and not self.reader.reaches_back:
            begin_ms = max(begin_ms, minutes[0] * 60_000)
        if minutes and self.to_its_end:
            now_ms = min(now_ms, minutes[-1] * 60_000 + 60_000)
            end_ms = min(end_ms, now_ms)
        return Window(
            begin_ms=begin_ms,
            end_ms=max(begin_ms, end_ms),
            now_ms=now_ms,
            tolerance_ms=self.tolerance_ms,
        )


def _live(looking: _Looking, clock: Clock, *, quiet: bool) -> None:
    """Tell each start as it comes, until the end and a tolerance more, or Ctrl-C."""
    shown: set[tuple[str, int, str]] = set()
    is_terminal = sys.stderr.isatty() and not quiet
    try:
        while True:
            now_ms = clock.now_ms()
            report = looking.report(now_ms)
            for line in [] if quiet else news(report, shown):
                sys.stderr.write(_CLEAR_LINE if is_terminal else "")
                terminal.stdout().print(line, soft_wrap=True)
                sys.stdout.flush()
            if now_ms >= looking.end_ms + looking.tolerance_ms:
                return
            if is_terminal:
                left = duration(max(0, looking.end_ms - now_ms) / 1000)
                told = f"{left} to go: {totals(report)} (Ctrl-C ends it)"
                width = os.get_terminal_size(sys.stderr.fileno()).columns or 80
                sys.stderr.write(f"{_CLEAR_LINE}{told[: width - 1]}")
                sys.stderr.flush()
            time.sleep(max(_LOOK_S, (clock.now_ms() - now_ms) / 1000 * _SHARE))
    except KeyboardInterrupt:
        pass
    finally:
        if is_terminal:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()
