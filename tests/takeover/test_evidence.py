"""What a log says is read alike, whoever wrote it and however its lines are stamped."""

from datetime import UTC, datetime

import pytest

from jober.schedule.zone import zone
from jober.takeover.evidence import Evidence, Start, read_lines
from jober.takeover.log_line import CommandStart, MarkKind, UnitWord, alike

WARSAW = zone("Europe/Warsaw")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def evidence(*lines: str, newest: str = "2026-11-21T12:00Z") -> Evidence:
    found = Evidence()
    read_lines([f"{line}\n" for line in lines], ms(newest), WARSAW, found)
    return found


def moments(*lines: str, newest: str = "2026-11-21T12:00Z") -> list[str]:
    starts = evidence(*lines, newest=newest).starts()
    return [f"{datetime.fromtimestamp(one.at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}" for one in starts]


@pytest.mark.parametrize(
    ("line", "user", "command", "pid"),
    [
        ("Nov 21 03:00:01 h CRON[12]: (root) CMD (   cd / && x)", "root", "   cd / && x", "12"),
        ("2026-11-21T03:00:01.5+01:00 h CRON[12]: (a.b) CMD (f (x))", "a.b", "f (x)", "12"),
        ("Nov 21 03:00:01 h CROND[12]: (root) CMD (x)", "root", "x", "12"),
        ("Nov 21 03:00:01 h /USR/SBIN/CRON[12]: (root) CMD (x)", "root", "x", "12"),
        ("Nov 21 03:00:01 h crond[1]: USER root pid 77 cmd df -h", "root", "df -h", "77"),
    ],
)
def test_a_start_is_read_from_the_line_of_any_cron(
    line: str, user: str, command: str, pid: str
) -> None:
    (start,) = evidence(line).starts()
    assert start.what == CommandStart(user, command, pid)
    assert start.at_ms // 1000 == ms("2026-11-21T02:00:01Z") // 1000


def test_the_same_line_in_two_files_is_one_start() -> None:
    line = "Nov 21 03:00:01 h CRON[12]: (root) CMD (x)"
    assert len(moments(line, line)) == 1
    assert len(moments(line, line.replace("[12]", "[13]"))) == 2


def test_a_year_is_told_by_when_the_file_was_written() -> None:
    line = "{} h CRON[1]: (root) CMD (x)"
    written = "2027-01-02T00:00Z"
    assert moments(
        line.format("Dec 31 23:59:01"), line.format("Jan  1 00:00:01"), newest=written
    ) == ["2026-12-31 22:59:01", "2026-12-31 23:00:01"]
    assert moments(line.format("Feb 29 12:00:00"), newest="2024-03-05T00:00Z") == [
        "2024-02-29 11:00:00"
    ]
    assert moments(line.format("Jan  3 12:00:00"), newest=written) == ["2027-01-03 11:00:00"]
    assert moments(line.format("Jan  5 12:00:00"), newest=written) == ["2026-01-05 11:00:00"]


def test_an_hour_that_the_clock_shows_twice_is_passed_twice() -> None:
    shown = ("02:30:01", "02:59:01", "02:00:01", "02:30:01", "03:00:01")
    lines = [f"Oct 25 {at} h CRON[{pid}]: (root) CMD (x)" for pid, at in enumerate(shown)]
    assert [moment[11:] for moment in moments(*lines)] == [
        "00:30:01", "00:59:01", "01:00:01", "01:30:01", "02:00:01",
    ]  # fmt: skip
    # What is read later goes on from what was read.
    found = Evidence()
    before = 0
    for line in lines:
        before = read_lines([line], ms("2026-11-21T12:00Z"), WARSAW, found, before)
    assert [start.at_ms for start in found.starts()] == [
        start.at_ms for start in evidence(*lines).starts()
    ]


def test_of_what_systemd_says_of_one_start_the_first_word_counts() -> None:
    say = "Nov 21 03:00:{:02} h systemd[1]: {} x.service - Do x{}"
    oneshot = [say.format(1, "Starting", "..."), say.format(9, "Finished", ".")]
    plain = [say.format(20, "Started", ".")]
    both = [say.format(30, "Starting", "..."), say.format(31, "Started", ".")]
    assert evidence(*oneshot, *plain, *both).starts() == [
        Start(at_ms=ms(f"2026-11-21T02:00:{at}Z"), what=UnitWord(word, "x.service", "Do x"))
        for at, word in (("01", "Starting"), ("20", "Started"), ("30", "Starting"))
    ]
    (old,) = evidence("Nov 21 03:00:01 h systemd[1]: Starting Do x...").starts()
    assert old.what == UnitWord("Starting", None, "Do x")


def test_boots_beginnings_of_cron_and_set_clocks_are_marked() -> None:
    lines = [
        "Nov 21 03:00:00 h kernel: Linux version 6.1.0",
        "Nov 21 03:00:01 h cron[9]: (CRON) INFO (Running @reboot jobs)",
        "Nov 21 03:10:00 h systemd[1]: Time has been changed",
        "Nov 21 03:00:30 h crond[9]: (CRON) STARTUP (1.5.7)",
    ]
    assert [(mark.kind, mark.at_ms) for mark in evidence(*lines).marks()] == [
        (MarkKind.BOOT, ms("2026-11-21T02:00:00Z")),
        (MarkKind.CRON, ms("2026-11-21T02:00:01Z")),
        (MarkKind.CLOCK, ms("2026-11-21T02:00:30Z")),  # it went back by ten minutes
        (MarkKind.CRON, ms("2026-11-21T02:00:30Z")),
        (MarkKind.CLOCK, ms("2026-11-21T02:10:00Z")),
    ]


@pytest.mark.parametrize(
    ("logged", "command", "is_alike"),
    [
        ("  x  ", "x", True),
        ("a^Ib", "a\tb", True),
        ("a#011b", "a\tb", True),
        (r"echo \303\251", "echo é", True),
        ("x", "xy", False),
        ("x" * 800, "x" * 900, True),  # a syslog may cut it
        ("x" * 400, "x" * 900, False),
    ],
)
def test_a_command_is_known_again_as_it_is_logged(
    logged: str, command: str, is_alike: bool
) -> None:
    assert alike(logged, command) is is_alike


def test_lines_that_are_none_of_ours_are_passed_over() -> None:
    found = evidence(
        "", "x", "Nov 21", "Foo 99 99:99:99 h x: y", "Feb 30 03:00:00 h CRON[1]: (a) CMD (b)",
        "2026-99-99T00:00:00Z h CRON[1]: (a) CMD (b)", "Nov 21 03:00:00 h CRON[1]: (a) LIST (a)",
    )  # fmt: skip
    assert found.starts() == [] and found.marks() == []
