"""Fires and starts go together one to one, and what is left over has its reason."""

from datetime import datetime

import pytest

from jober.importing import Origin
from jober.job import Job
from jober.schedule.zone import zone
from jober.takeover.agreement import Comparison, Shadowed, Window, compare
from jober.takeover.evidence import Evidence, Start
from jober.takeover.log_line import CommandStart, MarkKind, UnitWord
from jober.takeover.reasons import Reasons

WARSAW = zone("Europe/Warsaw")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


BEGIN, END = ms("2026-11-21T00:00Z"), ms("2026-11-21T06:00Z")
WINDOW = Window(begin_ms=BEGIN, end_ms=END, now_ms=END + 600_000)


def job(cron: str, name: str = "x", /, **origin: object) -> Shadowed:
    known = Origin(**{"file": "tab", "line": 1, "user": "root", "command": name, **origin})  # type: ignore[arg-type]
    fields = {"command": "x", "cron": cron, "timezone": "UTC"}
    return Shadowed(job=Job.from_spec(name, fields), origin=known)


def starts(*moments: str, command: str = "x") -> list[Start]:
    return [
        Start(at_ms=ms(f"2026-11-21T{at}Z"), what=CommandStart("root", command, str(pid)))
        for pid, at in enumerate(moments)
    ]


def one(shadowed: Shadowed, found: list[Start], window: Window = WINDOW) -> Comparison:
    (comparison,), _ = compare([shadowed], found, window)
    return comparison


def shown(comparison: Comparison) -> tuple[int, list[str], list[str]]:
    host, jober = (
        [
            f"{datetime.fromtimestamp(each.at_ms / 1000, WARSAW.aware(0).tzinfo):%M:%S}"
            for each in side
        ]
        for side in (comparison.only_host, comparison.only_jober)
    )
    return len(comparison.agreed), host, jober


def test_a_start_goes_with_the_fire_before_it_within_the_tolerance() -> None:
    found = starts("00:00:01", "01:00:59", "02:01:01", "02:59:59", "04:00:00", "04:00:02")
    assert shown(one(job("0 * * * *"), found)) == (
        4, ["01:01", "00:02"], ["00:00", "00:00"],
    )  # fmt: skip
    assert one(job("0 * * * *"), found).latest_ms == 59_000


def test_each_minute_a_late_start_is_no_other_minutes() -> None:
    found = starts("00:00:01", "00:01:01", "00:03:01", "00:04:01")
    window = Window(begin_ms=BEGIN, end_ms=BEGIN + 300_000, now_ms=END)
    assert shown(one(job("* * * * *"), found, window)) == (4, [], ["02:00"])


def test_what_may_still_start_is_left_open_and_what_began_before_is_not_counted() -> None:
    window = Window(begin_ms=BEGIN + 30_000, end_ms=END, now_ms=ms("2026-11-21T03:00:30Z"))
    found = starts("00:00:50", "01:00:01", "02:00:01")
    assert shown(one(job("0 0-3 * * *"), found, window)) == (2, [], [])


def test_of_two_lines_with_the_same_command_each_has_its_own_fires() -> None:
    pair = [job("0 1 * * *", "x"), job("0 1,2 * * *", "y", command="x")]
    found, strangers = compare(pair, starts("01:00:01", "01:00:02", "02:00:01"), WINDOW)
    assert [len(each.agreed) for each in found] == [1, 2]
    assert not any(each.differences for each in found) and not strangers


def test_starts_that_no_job_is_behind_are_told_apart() -> None:
    _, strangers = compare([job("0 1 * * *")], starts("01:00:01", command="y"), WINDOW)
    assert [start.what for start in strangers] == [CommandStart("root", "y", "0")]


def test_a_timer_may_be_late_by_its_accuracy_and_its_random_delay() -> None:
    origin = {"unit": "x.service", "line": None, "command": None, "user": None}
    timer = job("0 * * * *", late_ms=600_000, **origin)
    word = UnitWord("Starting", "x.service", "X")
    found = [Start(at_ms=BEGIN + 3_600_000 * hour + 650_000, what=word) for hour in range(6)]
    window = Window(begin_ms=BEGIN, end_ms=END, now_ms=END + 900_000)
    assert shown(one(timer, found, window)) == (6, [], [])


def test_an_interval_is_counted_from_one_start_to_the_next() -> None:
    every = Shadowed(
        job=Job.from_spec("x", {"command": "x", "every": 3600}),
        origin=Origin(file="x.timer", unit="x.service"),
    )
    word = UnitWord("Starting", "x.service", "X")
    at = [ms(f"2026-11-21T{moment}Z") for moment in ("00:17:00", "01:17:30", "03:40:00")]
    found = one(every, [Start(at_ms=moment, what=word) for moment in at])
    assert [fire for fire, _ in found.agreed] == [at[0], at[0] + 3_600_000]
    assert [each.at_ms for each in found.only_host] == [at[2]]
    assert [each.at_ms for each in found.only_jober] == [
        at[1] + 3_600_000, at[2] + 3_600_000,
    ]  # fmt: skip


def test_what_cron_chooses_by_chance_is_not_compared() -> None:
    found = one(job("~ * * * *", by_chance=True), starts("01:17:01"))
    assert found.not_compared and not found.differences


# Reasons

NOON = ms("2026-11-21T12:00Z")


def reason(
    evidence: Evidence, at: str, changed: str | None = None, *, by_host: bool = False
) -> tuple[str | None, bool]:
    """Of an only start, or an only fire, at that moment."""
    hour, minute = at[11:13], at[14:16]
    shadowed = Shadowed(
        job=job(f"{int(minute)} {int(hour)} * * *").job,
        origin=job("* * * * *").origin,
        changed_ms=None if changed is None else ms(changed),
    )
    begin = ms(at) - 1000
    found = [Start(at_ms=ms(at) - 600_000, what=CommandStart("root", "x", "1"))] if by_host else []
    window = Window(begin_ms=begin - 700_000, end_ms=begin + 2000, now_ms=begin + 9e9)  # type: ignore[arg-type]
    comparisons, _ = compare([shadowed], found, window)
    Reasons(evidence, WARSAW).give([shadowed], comparisons)
    given = [each for each in comparisons[0].differences if each.by_host is by_host]
    assert len(given) == 1
    return given[0].reason, given[0].explained


def lively(*besides: tuple[str, MarkKind], without: tuple[str, str] | None = None) -> Evidence:
    """A line in each minute of the night, but of those between."""
    found = Evidence()
    silent = (0, 0) if without is None else (ms(without[0]), ms(without[1]))
    for at in range(ms("2026-11-21T00:00Z"), ms("2026-11-21T06:00Z"), 60_000):
        if not silent[0] <= at < silent[1]:
            found.add(at, None)
            found.add(at, CommandStart("root", "other", "1"))
    for at_text, kind in besides:
        found.add(ms(at_text), kind)
    return found


@pytest.mark.parametrize(
    ("evidence", "reason_begins", "explained"),
    [
        (lively(), None, False),
        (
            lively(without=("2026-11-21T01:00Z", "2026-11-21T04:00Z")),
            "no line of any program in the log from 2026-11-21 02:00 to 2026-11-21 05:00: the "
            "host was down or slept",
            True,
        ),
        (
            lively(
                ("2026-11-21T04:00Z", MarkKind.BOOT),
                without=("2026-11-21T01:00Z", "2026-11-21T04:00Z"),
            ),
            "no line of any program in the log from 2026-11-21 02:00 to 2026-11-21 05:00: the "
            "host was down, and then booted",
            True,
        ),
        (
            lively(without=("2026-11-21T01:00Z", "2026-11-22T04:00Z")),
            "no line of any program in the log from 2026-11-21 02:00 on",
            True,
        ),
        (
            lively(("2026-11-21T03:10Z", MarkKind.CLOCK)),
            "the clock was set at 2026-11-21 04:10",
            True,
        ),
    ],
)
def test_a_fire_that_the_host_did_not_have_has_its_reason(
    evidence: Evidence, reason_begins: str | None, explained: bool
) -> None:
    told, is_explained = reason(evidence, "2026-11-21T03:00:00Z")
    assert is_explained is explained
    assert told == reason_begins if told is None else told.startswith(str(reason_begins))


def test_where_cron_did_not_run_it_began_later_with_none_of_its_starts_between() -> None:
    evidence = Evidence()
    for minute in range(120):
        evidence.add(ms("2026-11-21T02:00Z") + minute * 60_000, None)
    evidence.add(ms("2026-11-21T03:30Z"), MarkKind.CRON)
    assert reason(evidence, "2026-11-21T03:00:00Z") == (
        "cron was not running: it began at 2026-11-21 04:30", True,
    )  # fmt: skip


def test_a_crontab_that_was_changed_after_it_explains_a_difference() -> None:
    assert reason(lively(), "2026-11-21T03:00:00Z", "2026-11-21T05:00Z") == (
        "tab was changed at 2026-11-21 06:00, after this", True,
    )  # fmt: skip


def test_a_start_that_no_fire_is_behind_is_explained_by_a_boot_just_before() -> None:
    assert reason(lively(), "2026-11-21T03:00:00Z", by_host=True) == (None, False)
    booted = lively(("2026-11-21T02:45Z", MarkKind.BOOT))
    assert reason(booted, "2026-11-21T03:00:00Z", by_host=True) == (
        "the host had booted at 2026-11-21 03:45", True,
    )  # fmt: skip
