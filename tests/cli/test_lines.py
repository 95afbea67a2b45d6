"""The first and the last lines of an output, whatever frames it came in."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jober.cli.lines import Head, tail
from jober.output import Frame, Stream, Truncated


def frames(*pieces: bytes, stream: Stream = Stream.STDOUT) -> list[Frame]:
    found: list[Frame] = []
    for seq, data in enumerate(pieces, 1):
        offset = found[-1].end if found else 0
        found.append(Frame(seq=seq, stream=stream, at_ms=0, offset=offset, data=data))
    return found


def head_of(pieces: list[bytes], lines: int) -> bytes:
    head = Head(lines)
    return b"".join(head.take(piece) for piece in pieces)


def tail_of(pieces: list[bytes], lines: int) -> bytes:
    return b"".join(item.data for item in tail(frames(*pieces), lines) if isinstance(item, Frame))


@pytest.mark.parametrize(
    ("pieces", "first", "last"),
    [
        ([b"1\n2\n3\n"], b"1\n2\n", b"2\n3\n"),
        ([b"1", b"\n2\n", b"3"], b"1\n2\n", b"2\n3"),
        ([b"1\n", b"", b"2\n"], b"1\n2\n", b"1\n2\n"),
        ([b"\n\n\n"], b"\n\n", b"\n\n"),
        ([b"1"], b"1", b"1"),
        ([], b"", b""),
    ],
)
def test_two_lines_from_either_end(pieces: list[bytes], first: bytes, last: bytes) -> None:
    assert head_of(pieces, 2) == first
    assert tail_of(pieces, 2) == last


@given(st.lists(st.binary(max_size=8).map(lambda b: b.replace(b"\x01", b"\n"))), st.integers(0, 9))
def test_lines_do_not_depend_on_the_frames_they_came_in(pieces: list[bytes], n: int) -> None:
    whole = b"".join(pieces)
    lines = whole.split(b"\n")
    rest = lines.pop()
    lines = [line + b"\n" for line in lines] + ([rest] if rest else [])
    assert head_of(pieces, n) == b"".join(lines[:n])
    assert tail_of(pieces, n) == b"".join(lines[len(lines) - min(n, len(lines)) :])


def test_a_mark_among_the_last_lines_stays_where_it_is() -> None:
    one, _, three = frames(b"1\n", b"22\n", b"3\n")
    mark = Truncated(dropped=3)
    assert tail([one, mark, three], 1) == [mark, three]
    assert tail([one, mark, three], 2) == [one, mark, three]


def test_a_frame_that_is_cut_tells_where_its_rest_begins() -> None:
    [only] = frames(b"1\n22\n3\n")
    [rest] = tail([only], 2)
    assert rest == replace(only, offset=2, data=b"22\n3\n")
