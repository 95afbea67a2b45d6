"""The moments that are decided are those of the judges: Vixie cron's rule, and systemd itself."""

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jober.importing import CrontabOptions, SystemdOptions, Unit, read_crontab, read_systemd
from jober.job import Job

# cron's own source: a field is a set of bits, and both day fields have a mark for a leading star.
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
NAMES = {"jan": 1, "dec": 12, "sun": 0, "mon": 1, "sat": 6}


def bits(text: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for item in text.split(","):
        part, _, step = item.partition("/")
        if part == "*":
            first, last = low, high
        else:
            first_text, _, last_text = part.partition("-")
            first = NAMES[first_text] if first_text in NAMES else int(first_text)
            last = first
            if last_text:
                last = NAMES[last_text] if last_text in NAMES else int(last_text)
        found |= set(range(first, last + 1, int(step or 1)))
    return found


def matches(entry: str, moment: datetime) -> bool:
    """As `find_jobs` of cron decides of a minute."""
    minute, hour, day, month, weekday = entry.split()
    sets = [
        bits(text, *ends)
        for text, ends in zip((minute, hour, day, month, weekday), RANGES, strict=True)
    ]
    days = moment.day in sets[2]
    weekdays = bool({moment.isoweekday() % 7, 7 if moment.isoweekday() == 7 else -1} & sets[4])
    starred = day.startswith("*") or weekday.startswith("*")
    return (
        moment.minute in sets[0]
        and moment.hour in sets[1]
        and moment.month in sets[3]
        and (days and weekdays if starred else days or weekdays)
    )


def field(low: int, high: int, *names: str) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    pair = st.tuples(number, number).map(sorted)
    item = st.one_of(
        st.just("*"),
        number.map(str),
        st.integers(1, high).map("*/{}".format),
        pair.map(lambda ends: f"{ends[0]}-{ends[1]}"),
        st.tuples(pair, st.integers(1, 9)).map(lambda both: f"{both[0][0]}-{both[0][1]}/{both[1]}"),
        *([st.sampled_from(names)] if names else []),
    )
    return st.lists(item, min_size=1, max_size=3).map(",".join)


lines = st.tuples(
    field(0, 59), field(0, 23), field(1, 31), field(1, 12, "jan", "dec"),
    field(0, 7, "sun", "mon", "sat"),
).map(" ".join)  # fmt: skip


@settings(max_examples=150)
@given(lines, st.integers(0, 3000))
def test_a_line_of_a_crontab_is_due_in_the_minutes_of_crons_own_rule(line: str, day: int) -> None:
    imported = read_crontab(f"{line} x\n", CrontabOptions(path="tab", timezone="UTC"))
    start = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day)
    minutes = [start + timedelta(minutes=number) for number in range(2 * 1440)]
    due = [moment for moment in minutes if matches(line, moment)]
    if not imported.jobs:
        assert not due  # it never fires at all, and is refused for that
        return
    schedule = Job.from_spec("x", {"timezone": "UTC", **imported.jobs[0].fields}).schedule
    assert schedule is not None
    last = minutes[-1]
    assert list(schedule.between(start - timedelta(seconds=1), last)) == due


EVENTS = (
    "minutely", "hourly", "daily", "weekly", "monthly", "quarterly", "semiannually", "yearly",
    "Mon..Fri 08:00", "Sat,Sun *-*-* 03:15:30", "*:0/15", "*-*-1..7 04:00", "*-*~1 05:00",
    "Mon *-*-1..7 06:00", "*-02~1..3 00:10", "2027-*-01 00:00", "*-*-* 8..18/2:30",
    "*-*-* 02:30:00", "*-*-* *:00/20:00", "*-06,12-15 12:00", "03:30 America/New_York",
    "*-*-29,30,31 23:59", "*-1/3-1 0:0",
)  # fmt: skip
BASES = ("2026-11-21 00:00:00 UTC", "2027-03-27 12:00:00 UTC", "2026-10-24 12:00:00 UTC")


@pytest.mark.parametrize("base", BASES)
def test_a_timer_is_due_when_systemd_says_so(base: str) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        told = "no systemd-analyze here: apt install systemd"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    said = subprocess.run(
        [analyze, "calendar", "--iterations=6", f"--base-time={base}", *EVENTS],
        env={**os.environ, "TZ": "Europe/Warsaw", "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    blocks = said.strip().split("\n\n")
    assert len(blocks) == len(EVENTS)
    after = datetime.strptime(base, "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
    for event, block in zip(EVENTS, blocks, strict=True):
        expected = [
            datetime.fromisoformat(found).replace(tzinfo=UTC)
            for found in re.findall(r"\(in UTC\): \w+ ([\d-]+ [\d:]+) UTC", block)
        ]
        assert list(islice(due(event, after), len(expected))) == expected, event
        assert expected


def due(event: str, after: datetime) -> list[datetime]:
    units = [
        Unit.of("a.timer", [("a.timer", f"[Timer]\nOnCalendar={event}\n")]),
        Unit.of("a.service", [("a.service", "[Service]\nExecStart=/bin/x\n")]),
    ]
    imported = read_systemd(units, SystemdOptions(timezone="Europe/Warsaw"))
    defaults = {name: value for name, (value, _) in imported.defaults.items()}
    schedule = Job.from_spec("a", {**defaults, **imported.jobs[0].fields}).schedule
    assert schedule is not None
    return list(islice(schedule.between(after, datetime(2100, 1, 1, tzinfo=UTC)), 6))
