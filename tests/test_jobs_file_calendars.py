"""Calendars in files of jobs: tables, .ics files, errors with lines, and differences."""

from pathlib import Path
from typing import Literal

import pytest

from jober.errors import DefinitionError
from jober.job import Job, each_of
from jober.jobs_file import difference, parse_jobs, read_jobs
from jober.jobs_file.ics import read_ics
from jober.schedule import Calendar

JOB = "[jobs.a]\ncommand = 'x'\ncron = '0 3 * * *'\n"


def refused(text: str, format: Literal["toml", "yaml"] = "toml") -> list[str]:
    with pytest.raises(DefinitionError) as error:
        parse_jobs(text, format, f"fleet.{format}")
    return [str(one) for one in each_of([error.value])]


def ics(*events: str) -> bytes:
    """A calendar of events, each told by its lines."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test"]
    for number, event in enumerate(events):
        uid = "" if "UID:" in event else f"UID:{number}\n"
        lines += ["BEGIN:VEVENT", *f"{uid}{event}".splitlines(), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


# Tables


def test_calendars_are_read_from_toml_and_yaml_alike() -> None:
    toml = parse_jobs(
        """
        [calendars.holidays]
        title = "Poland"
        dates = [2026-12-25, "2026-12-31..2027-01-01", "01-06"]
        [jobs.a]
        command = "x"
        cron = "0 3 * * *"
        exclude = ["holidays", "sat", 2026-12-24]
        """,
        "toml",
        "fleet.toml",
    )
    yaml = parse_jobs(
        """
        jobs:
          a: {command: x, cron: 0 3 * * *, exclude: [holidays, sat, 2026-12-24]}
        calendars:
          holidays: {title: Poland, dates: [01-06, 2026-12-31..2027-01-01, 2026-12-25]}
        """,
        "yaml",
        "fleet.yaml",
    )
    assert toml.calendars == yaml.calendars
    assert toml.jobs == yaml.jobs
    assert toml.calendars["holidays"].spec() == {
        "title": "Poland",
        "dates": ["2026-12-25", "2026-12-31..2027-01-01", "01-06"],
    }
    assert toml.jobs[0].spec()["exclude"] == ["holidays", "sat", "2026-12-24"]
    assert toml.jobs[0].missing_calendars == ()
    assert hash(toml) != hash(yaml)


def test_a_list_of_dates_is_a_calendar_too() -> None:
    found = parse_jobs("jobs: {}\ncalendars: {x: ['12-25']}", "yaml", "fleet.yaml").calendars
    assert found["x"] == Calendar.from_spec("x", ["12-25"])


def test_jobs_may_name_the_calendars_that_are_there_already() -> None:
    there = {"holidays": Calendar.from_spec("holidays", ["12-25"])}
    found = parse_jobs(f"{JOB}exclude = ['holidays']", "toml", "fleet.toml", there)
    assert found.jobs[0].missing_calendars == ()
    assert found.calendars == {}


def test_what_is_wrong_with_calendars_is_told_with_its_lines() -> None:
    text = """[calendars.good]
dates = ["12-25"]
[calendars.bad]
title = "T"
dates = [
  "12-25", "2026-02-30"]
[calendars.worse]
fle = "a.ics"
[calendars.empty]
[calendars.sat]
dates = []
[jobs.a]
command = "x"
cron = "0 3 * * *"
exclude = ["godo", "bad"]
[jobs.b]
command = "x"
cron = "0 3 * * *"
exclude = ["bad"]
"""
    found = refused(text)
    assert [one.partition(" (")[0] for one in found] == [
        "fleet.toml:5: calendars.bad.dates[1]: '2026-02-30' is not a day that there is",
        "fleet.toml:7: calendars.worse: it has no dates",
        "fleet.toml:9: calendars.empty: it has no dates",
        "fleet.toml:10: calendars: 'sat' is not the name of a calendar",
        "fleet.toml:15: job 'a': exclude: 'godo' is not a calendar that is known, "
        "did you mean 'good'?",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("calendars = 5\n[jobs]", "fleet.toml:1: calendars: 5 is no table of calendars"),
        ("calendars.x = 5\n[jobs]", "fleet.toml:1: calendars.x: 5 is not a table"),
        ("calendars.x.file = 'a.ics'\n[jobs]", "calendars.x.file: no other file is read here"),
        ("calendars.x.file = 5\n[jobs]", "calendars.x.file: 5 is not the name of a file"),
        ("calendars.x = {dates=[], fle=1}\n[jobs]", "did you mean 'file'?"),
    ],
)
def test_a_table_that_is_wrong_is_refused(text: str, told: str) -> None:
    assert told in "\n".join(refused(text))


def test_a_name_that_is_no_text_is_refused() -> None:
    assert "the name 5 is not text" in refused("jobs: {}\ncalendars: {5: []}", "yaml")[0]


def test_defaults_may_shift_and_count_for_the_jobs_that_can() -> None:
    text = (
        "[defaults]\nshift = 'next'\nmax_fires = 3\nonly_between = '01:00-04:00'\n"
        "[jobs.hand]\ncommand = 'x'\n"
        f"{JOB}[jobs.b]\ncommand = 'x'\ncron = '0 3 * * *'\nexclude = ['sat']"
    )
    hand, plain, shifted = parse_jobs(text, "toml", "fleet.toml").jobs
    assert hand.spec() == {"command": "x"}
    assert (plain.shift, plain.max_fires, plain.only_between) == ("skip", 3, "01:00-04:00")
    assert shifted.shift == "next"


# Files of iCalendar


def test_a_file_beside_the_jobs_is_read_and_kept_as_dates(tmp_path: Path) -> None:
    (tmp_path / "days").mkdir()
    (tmp_path / "days" / "h.ics").write_bytes(
        ics("DTSTART;VALUE=DATE:20261225", "DTSTART;VALUE=DATE:20261226")
    )
    path = tmp_path / "fleet.toml"
    path.write_text(f"[calendars.h]\nfile = 'days/h.ics'\ndates = ['01-06']\n{JOB}exclude = ['h']")
    found = read_jobs(path).calendars["h"]
    assert found.spec() == {"dates": ["2026-12-25..2026-12-26", "01-06"]}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (None, "'h.ics' cannot be read: no such file or directory"),
        (b"", "'h.ics' cannot be used: it is not iCalendar: no VCALENDAR is in it"),
        (b"\xff\xfe\x00", "it is not iCalendar"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "no VCALENDAR"),
        (b"BEGIN:VEVENT\nEND:VEVENT\n", "no VCALENDAR"),
        (ics("SUMMARY:Big"), "its event 'Big': it has no DTSTART"),
        (ics("DTSTART;VALUE=DATE:20261325"), "its DTSTART cannot be read: Wrong date"),
        (ics("DTSTART;VALUE=DATE:20261225\nDTSTART:20261225T000000Z"), "more than one DTSTART"),
        (ics("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=FOO"), "its RRULE cannot be read"),
        (ics("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=HOURLY"), "FREQ is one of DAILY"),
        (ics("DTSTART;VALUE=DATE:20000101\nRRULE:FREQ=DAILY"), "it has 36,525 days"),
        (ics("DTSTART;TZID=Europe:20260101T000000"), "'Europe', is not a time zone"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_the_line_that_names_it(
    tmp_path: Path, data: bytes | None, told: str
) -> None:
    if data is not None:
        (tmp_path / "h.ics").write_bytes(data)
    path = tmp_path / "fleet.toml"
    path.write_text(f"{JOB}\n[calendars.h]\nfile = 'h.ics'\n")
    with pytest.raises(DefinitionError) as error:
        read_jobs(path)
    assert told in str(error.value)
    assert f"{path}:6: calendars.h.file: " in str(error.value)


@pytest.mark.parametrize(
    ("event", "days"),
    [
        ("DTSTART;VALUE=DATE:20261225", ["2026-12-25"]),
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227", ["2026-12-24..2026-12-26"]),
        ("DTSTART;VALUE=DATE:20261224\nDURATION:P2D", ["2026-12-24..2026-12-25"]),
        ("DTSTART:20261225T230000Z\nDTEND:20261226T000000Z", ["2026-12-25"]),
        ("DTSTART:20261225T230000Z\nDTEND:20261226T000001Z", ["2026-12-25..2026-12-26"]),
        ("DTSTART;TZID=Asia/Tokyo:20261225T010000\nDURATION:PT1H", ["2026-12-25"]),
        ("DTSTART:20261225T100000\nDTEND:20261224T100000", ["2026-12-25"]),
        ("DTSTART;VALUE=DATE:20261225\nSTATUS:CANCELLED", []),
        (
            "DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;COUNT=3\n"
            "EXDATE;VALUE=DATE:20271225\nRDATE;VALUE=DATE:20300101",
            ["2026-12-25", "2028-12-25", "2030-01-01"],
        ),
        (
            "DTSTART;TZID=Europe/Warsaw:20261225T200000\nDURATION:PT6H\n"
            "RRULE:FREQ=MONTHLY;UNTIL=20270225T190000Z",
            ["2026-12-25..2026-12-26", "2027-01-25..2027-01-26", "2027-02-25..2027-02-26"],
        ),
        (
            "DTSTART;VALUE=DATE:20260525\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;UNTIL=20280101",
            ["2026-05-25", "2027-05-31"],
        ),
    ],
)
def test_an_event_covers_the_days_that_it_touches_on_its_own_clock(
    event: str, days: list[str]
) -> None:
    assert read_ics(ics(event)) == days


def test_a_yearly_event_is_expanded_from_2000_to_2099() -> None:
    days = read_ics(ics("DTSTART;VALUE=DATE:19501225\nRRULE:FREQ=YEARLY"))
    assert (days[0], days[-1], len(days)) == ("2000-12-25", "2099-12-25", 100)


def test_an_occurrence_that_was_moved_or_cancelled_is_not_where_the_rule_has_it() -> None:
    rule = "UID:x\nDTSTART;VALUE=DATE:20261221\nRRULE:FREQ=WEEKLY;COUNT=3"
    moved = "UID:x\nRECURRENCE-ID;VALUE=DATE:20261228\nDTSTART;VALUE=DATE:20261229"
    gone = "UID:x\nRECURRENCE-ID;VALUE=DATE:20270104\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20270104"
    assert sorted(read_ics(ics(rule, moved, gone))) == ["2026-12-21", "2026-12-29"]


# What applying would change


def test_the_difference_tells_of_calendars_what_it_tells_of_jobs() -> None:
    def calendars(**dates: list[str]) -> dict[str, Calendar]:
        return {name: Calendar.from_spec(name, one) for name, one in dates.items()}

    current = calendars(same=["12-25"], other=["12-25", "01-06"], gone=["01-01"], named=["05-01"])
    wanted = calendars(new=["12-24"], other=["12-25", "05-03"], same=["12-25"])
    job = Job.from_spec("a", {"command": "x", "every": 5, "exclude": ["named"]}, current)
    kept = difference({}, [job], False, current, wanted)
    assert kept.added_calendars == (wanted["new"],)
    ((old, new),) = kept.changed_calendars
    assert (old, new) == (current["other"], wanted["other"])
    assert kept.changed_calendars[0].added == ("05-03",)
    assert kept.changed_calendars[0].removed == ("01-06",)
    assert (kept.removed_calendars, kept.kept_calendars) == ((), ("gone", "named"))
    assert kept.unchanged_calendars == ("same",)
    pruned = difference({}, [job], True, current, wanted)
    assert (pruned.removed_calendars, pruned.kept_calendars) == (("gone",), ("named",))
    assert not difference({}, [], False, {}, wanted).is_empty
    assert difference({}, [], False, current, {}).is_empty
    assert difference({}, [], True, wanted, wanted).is_empty
