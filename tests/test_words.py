"""Moments and durations, as people say them."""

from datetime import UTC, datetime

import pytest

from jober.clock import to_ms
from jober.words import duration, moment, moment_and_hint, plain, relative

NOW = to_ms(datetime(2026, 11, 21, 8, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 ms"),
        (0.0042, "4 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (3_725, "1 h 2 min"),
        (86_399.9, "1 d"),
        (90_061, "1 d 1 h"),
        (-3, "0 ms"),
    ],
)
def test_a_duration_has_two_units_at_the_most(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (400, "now"),
        (3_900, "in 4 s"),
        (-59_000, "59 s ago"),
        (-3 * 60_000, "3 min ago"),
        (7_300_000, "in 2 h"),
        (-50 * 3_600_000, "2 d ago"),
    ],
)
def test_how_far_off_a_moment_is_has_one_unit(ms: int, words: str) -> None:
    assert relative(NOW + ms, NOW) == words


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (datetime(2026, 11, 21, 7, 59, 5, tzinfo=UTC), "07:59:05"),
        (datetime(2026, 11, 22, 3, 0, tzinfo=UTC), "Sun 03:00"),
        (datetime(2026, 11, 1, 3, 0, tzinfo=UTC), "1 Nov 03:00"),
        (datetime(2027, 1, 1, 3, 0, tzinfo=UTC), "2027-01-01 03:00"),
    ],
)
def test_a_moment_is_as_short_as_it_is_clear(then: datetime, words: str) -> None:
    assert moment(to_ms(then), NOW, UTC) == words


def test_no_moment_is_told_as_nothing() -> None:
    assert moment_and_hint(None, NOW) == ""


def test_nothing_that_a_terminal_would_obey_is_left_in_a_text() -> None:
    assert plain("ąę 1") == "ąę 1"
    assert plain("a\tb\nc\x1b[31md") == "a b c\N{REPLACEMENT CHARACTER}[31md"
