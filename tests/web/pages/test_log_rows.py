"""The rows of a log: whatever page they are asked for by, each is there once."""

import random

import pytest

from jober.log_line import LogLine
from jober.output import Frame, Stream, Truncated
from jober_web.pages.log_rows import (
    PAGE_BYTES,
    ROW_BYTES,
    LogPage,
    is_found,
    log_page,
    without_first,
    without_open,
)


def _frames(*pieces: tuple[Stream, bytes], start: int = 0) -> list[Frame]:
    frames, offset = [], start
    for seq, (stream, data) in enumerate(pieces, 1):
        frames.append(Frame(seq=seq, stream=stream, at_ms=seq, offset=offset, data=data))
        offset += len(data)
    return frames


def _told(page: LogPage) -> list[tuple[int, str, str]]:
    return [(row.start, row.kind, row.text) for row in page.rows]


OUT, ERR = Stream.STDOUT, Stream.STDERR


def test_a_row_is_a_line_even_where_it_comes_in_pieces() -> None:
    page = log_page(_frames((OUT, b"one\ntw"), (OUT, b"o\nthr"), (OUT, b"ee")), 0)
    assert _told(page) == [(0, "stdout", "one"), (4, "stdout", "two"), (8, "stdout", "three")]
    assert [row.is_open for row in page.rows] == [False, False, True]
    assert (page.end, page.next) == (13, 8)


def test_a_row_ends_where_the_other_stream_comes_between() -> None:
    page = log_page(_frames((OUT, b"out "), (ERR, b"oh\n"), (OUT, b"put\n")), 0)
    assert _told(page) == [(0, "stdout", "out "), (4, "stderr", "oh"), (7, "stdout", "put")]
    assert page.next == page.end == 11


def test_missing_bytes_are_a_row_of_their_own_that_says_so() -> None:
    [first, last] = _frames((OUT, b"one\n"), (OUT, b"two\n"))
    page = log_page([first, Truncated(dropped=100), *_frames((OUT, last.data), start=104)], 0)
    assert [(row.start, row.kind) for row in page.rows] == [
        (0, "stdout"),
        (4, "cut"),
        (104, "stdout"),
    ]
    assert "100 bytes truncated" in page.rows[1].text


def test_a_log_record_is_told_with_its_level() -> None:
    line = LogLine(at_ms=5, level="ERROR", logger="app", message="first\n<b>second</b>")
    page = log_page(_frames((Stream.LOG, line.to_bytes())), 0)
    [row] = page.rows
    assert (row.kind, row.level, row.at_ms) == ("log", "error", 5)
    assert row.text == "ERROR app: first\n<b>second</b>"
    assert "&lt;b&gt;second" in row.html


def test_a_very_long_row_is_cut_where_it_is_shown_and_stays_one_row() -> None:
    page = log_page(_frames((OUT, b"x" * (ROW_BYTES + 10) + b"\n")), 0)
    [row] = page.rows
    assert len(row.text) == ROW_BYTES
    assert row.html.endswith('<span class="dim"> … 11 bytes more</span>')
    endless = log_page(_frames((OUT, b"x" * PAGE_BYTES)), 0)
    # Else the next page would begin with it for ever.
    assert endless.next == endless.end


def test_colours_go_on_over_the_lines_of_a_stream() -> None:
    page = log_page(_frames((OUT, b"\x1b[31mred\nstill\x1b[0m\n"), (ERR, b"plain\n")), 0)
    assert [str(row.html) for row in page.rows] == [
        '<span class="f1">red</span>',
        '<span class="f1">still</span>',
        "plain",
    ]


@pytest.mark.parametrize("seed", range(20))
def test_pages_one_after_another_hold_each_row_once(seed: int) -> None:
    chance = random.Random(seed)
    pieces = [
        (chance.choice((OUT, ERR)), b"".join(chance.choice((b"ab", b"\n", b"c")) for _ in range(9)))
        for _ in range(60)
    ]
    frames = _frames(*pieces)
    size = frames[-1].end

    def between(start: int, end: int) -> list[Frame]:
        found = []
        for frame in frames:
            first, last = max(start, frame.offset), min(end, frame.end)
            if first < last:
                data = frame.data[first - frame.offset : last - frame.offset]
                found.append(
                    Frame(seq=frame.seq, stream=frame.stream, at_ms=1, offset=first, data=data)
                )
        return found

    whole = _told(log_page(between(0, size), 0))
    forward: list[tuple[int, str, str]] = []
    at = 0
    while at < size:
        end = min(size, at + 50)
        page = log_page(between(at, end), at)
        page = page if end == size else without_open(page)
        forward += _told(page)
        at = page.end
    assert forward == whole

    backward: list[tuple[int, str, str]] = []
    at = size
    while at > 0:
        start = max(0, at - 50)
        page = log_page(between(start, at), start)
        page = page if start == 0 else without_first(page)
        backward = _told(page) + backward
        at = page.start
    assert backward == whole


def test_capital_letters_count_where_some_are_asked_for() -> None:
    assert is_found("An Error", "error")
    assert is_found("An Error", "Error")
    assert not is_found("an error", "Error")
