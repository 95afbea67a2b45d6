"""How a shadow is told: job by job, each difference with its reason, and what to do next."""

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from jober.cli.table import Column, print_heading, print_table
from jober.clock import iso
from jober.schedule.zone import Zone
from jober.takeover import Root
from jober.takeover.agreement import Comparison, Difference, Window
from jober.takeover.evidence import Start
from jober.takeover.log_line import CommandStart
from jober.takeover.switching import disabling
from jober.words import count, duration, plain

# So many lines tell how a job differs, and so many the commands that are of no job.
_DIFFERENCES = 10
_STRANGERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of it. `asked_ms` is from when on the log was wanted."""

    comparisons: Sequence[Comparison]
    strangers: Sequence[Start]
    window: Window
    asked_ms: int
    sources: Sequence[str]
    zone: Zone

    @property
    def agreed(self) -> int:
        return sum(len(one.agreed) for one in self.comparisons)

    @property
    def differences(self) -> int:
        return sum(len(one.differences) for one in self.comparisons)

    @property
    def unexplained(self) -> int:
        return sum(one.unexplained for one in self.comparisons)

    @property
    def is_good(self) -> bool:
        """Something was compared, and nothing speaks against a schedule."""
        return self.agreed > 0 and self.unexplained == 0

    def wall(self, moment_ms: int) -> str:
        return f"{self.zone.aware(moment_ms):%Y-%m-%d %H:%M:%S}"


def totals(report: Report) -> str:
    """`412 fires agree, 3 differ (1 without a reason of the host)`."""
    told = f"{count(report.agreed, 'fire')} agree{'s' if report.agreed == 1 else ''}"
    if not report.differences:
        return f"{told}, none differs"
    verb = "differs" if report.differences == 1 else "differ"
    if report.unexplained == 0:
        return f"{told}, {report.differences} {verb}, for reasons that lie with the host"
    return f"{told}, {report.differences} {verb}, {report.unexplained} against a schedule"


def news(report: Report, shown: set[tuple[str, int, str]]) -> Iterator[Text]:
    """A line for each moment that was not shown yet, in their order; they are then in `shown`."""
    lines: list[tuple[int, Text]] = []
    for one in report.comparisons:
        for fire, start in one.agreed:
            if (one.name, fire, "agreed") not in shown:
                shown.add((one.name, fire, "agreed"))
                late = f"agrees, {duration(max(0, start - fire) / 1000)} later"
                lines.append((start, _line(report, fire, one.name, Text(late, style="green"))))
        for difference in one.differences:
            key = (one.name, difference.at_ms, "host" if difference.by_host else "jober")
            if key not in shown:
                shown.add(key)
                at_ms = difference.at_ms
                lines.append((at_ms, _line(report, at_ms, one.name, _told(difference))))
    for _, line in sorted(lines, key=lambda both: both[0]):
        yield line


def as_dict(report: Report) -> dict[str, Any]:
    """A report, for scripts."""
    return {
        "from": iso(report.window.begin_ms),
        "to": iso(report.window.end_ms),
        "asked_from": iso(report.asked_ms),
        "timezone": report.zone.name,
        "tolerance_s": report.window.tolerance_ms / 1000,
        "log": list(report.sources),
        "good": report.is_good,
        "agreed": report.agreed,
        "differ": report.differences,
        "unexplained": report.unexplained,
        "jobs": [
            {
                "job": one.name,
                "source": str(one.origin),
                "not_compared": one.not_compared,
                "expected": one.expected,
                "agreed": len(one.agreed),
                "latest_s": None if one.latest_ms is None else one.latest_ms / 1000,
                "only_host": [_difference(each) for each in one.only_host],
                "only_jober": [_difference(each) for each in one.only_jober],
            }
            for one in report.comparisons
        ],
        "others": [
            {"user": user, "command": command, "starts": number}
            for (user, command), number in _others(report)
        ],
    }


def print_report(console: Console, report: Report, root: Root, file: str | None) -> None:
    """All of it, and how to go on."""
    window = report.window
    console.print(
        Text(
            f"{report.wall(window.begin_ms)} to {report.wall(window.end_ms)} "
            f"({report.zone.name}), beside {', '.join(report.sources) or 'an empty log'}",
            style="bold",
        ),
        soft_wrap=True,
    )
    if window.begin_ms > report.asked_ms:
        console.print(
            f"The log reaches back to there, and not to {report.wall(report.asked_ms)}.",
            soft_wrap=True,
        )
    console.print()
    _print_jobs(console, report)
    _print_differences(console, report)
    _print_others(console, report)
    console.print()
    style = "green" if report.is_good else "red" if report.unexplained else "yellow"
    console.print(Text(f"{totals(report)}.", style=style), soft_wrap=True)
    if not report.agreed:
        console.print("Nothing could be compared yet: look again later, or with --since or --log.")
    elif report.is_good:
        _print_next(console, report, root, file)
    else:
        console.print(
            "Switch nothing of what differs without a reason: mend the job, and look again.",
            soft_wrap=True,
        )


def _print_jobs(console: Console, report: Report) -> None:
    columns = [
        Column(title="JOB"),
        Column(title="AGREE", justify="right"),
        Column(title="ONLY HOST", justify="right"),
        Column(title="ONLY JOBER", justify="right"),
        Column(title="LATEST", justify="right", drop=1),
        Column(title="FROM", cut=True, drop=2),
    ]
    rows: list[list[str | Text]] = []
    for one in report.comparisons:
        late = "" if one.latest_ms is None else f"+{duration(one.latest_ms / 1000)}"
        if one.not_compared:
            late = one.not_compared
        rows.append(
            [
                one.name,
                Text(f"{len(one.agreed):,}", style="green" if one.agreed else ""),
                _number(one.only_host),
                _number(one.only_jober),
                late,
                str(one.origin),
            ]
        )
    print_table(console, columns, rows)


def _print_differences(console: Console, report: Report) -> None:
    if not report.differences:
        return
    print_heading(console, "What differs")
    for one in report.comparisons:
        told = 0
        for _, group in groupby(one.differences, key=lambda each: (each.by_host, each.reason)):
            alike = list(group)
            if told == _DIFFERENCES:
                console.print(f"  and more of {one.name} (--json has all)", soft_wrap=True)
                break
            told += 1
            line = _line(report, alike[0].at_ms, one.name, _told(alike[0]))
            if len(alike) > 1:
                line.append(f" (×{len(alike):,}, to {report.wall(alike[-1].at_ms)})")
            for place, part in enumerate(line.wrap(console, max(20, console.width - 4))):
                part.rstrip()
                console.print(Text("    " if place else "") + part, soft_wrap=True)


def _print_others(console: Console, report: Report) -> None:
    others = _others(report)
    if not others:
        return
    print_heading(console, "cron also ran, and no job is behind it")
    for (user, command), number in others[:_STRANGERS]:
        console.print(f"  ({user}) {plain(command)}  ×{number:,}", soft_wrap=True)
    if len(others) > _STRANGERS:
        console.print(f"  and {len(others) - _STRANGERS:,} more (--json has all)")


def _print_next(console: Console, report: Report, root: Root, file: str | None) -> None:
    name = shlex.quote(file or "jobs.toml")
    host = root.hostname or "the host"
    print_heading(console, f"To switch, on {host}, in a minute in which none of them is due")
    steps = [] if file else [f"jober takeover -o {name}"]
    steps += [f"jober apply {name} --dry-run"]
    steps += disabling([one.origin for one in report.comparisons], root)
    steps += [f"jober apply {name}", "jober runs --since 1h"]
    for step in steps:
        console.print(f"  {step}", soft_wrap=True)


def _others(report: Report) -> list[tuple[tuple[str, str], int]]:
    found: Counter[tuple[str, str]] = Counter()
    for start in report.strangers:
        if isinstance(start.what, CommandStart):
            found[start.what.user, start.what.command] += 1
    return found.most_common()


def _difference(one: Difference) -> dict[str, Any]:
    return {"at": iso(one.at_ms), "reason": one.reason, "explained": one.explained}


def _line(report: Report, at_ms: int, name: str, told: Text) -> Text:
    return Text(f"  {report.wall(at_ms)}  {name}  ") + told


def _told(one: Difference) -> Text:
    whose = "only the host" if one.by_host else "only jober"
    reason = one.reason or "no reason was found in the log"
    return Text(f"{whose}: {reason}", style="yellow" if one.explained else "red")


def _number(differences: Sequence[Difference]) -> Text:
    against = any(not one.explained for one in differences)
    return Text(
        f"{len(differences):,}", style="red" if against else "yellow" if differences else "dim"
    )
