"""Secrets are masked wherever they stand, however they are cut into pieces."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from jober.output import Stream
from jober.run import Outcome, RunState
from jober_worker.functions import Data
from jober_worker.masking import MaskedWriter, Masking

# Of few letters, so that values overlap and begin one another.
values = st.text("ab", min_size=4, max_size=9)
noise = st.binary(max_size=6) | st.text("ab", max_size=6).map(str.encode)


def masking(*secrets: str) -> Masking:
    named = {f"S{n}": secret for n, secret in enumerate(secrets)}
    return Masking(named, named)


def written(masks: Masking, pieces: list[bytes]) -> list[bytes]:
    done: list[bytes] = []
    writer = MaskedWriter(masks, lambda _, data: done.append(bytes(data)))
    for piece in pieces:
        writer.write(Stream.STDOUT, piece)
    writer.end()
    return done


@given(st.lists(values, min_size=1, max_size=4), st.lists(noise, max_size=12), st.data())
@example(["abab", "ababab"], [b"abab", b"ab"], None)
def test_however_a_stream_is_cut_the_same_is_masked(
    secrets: list[str], parts: list[bytes], data: st.DataObject | None
) -> None:
    if data is not None:
        for secret in data.draw(st.lists(st.sampled_from(secrets), max_size=4)):
            parts.insert(data.draw(st.integers(0, len(parts))), secret.encode())
    whole = b"".join(parts)
    longest_first = sorted(map(str.encode, secrets), key=len, reverse=True)
    expected = re.sub(b"|".join(longest_first), b"***", whole)
    assert b"".join(written(masking(*secrets), parts)) == expected
    assert b"".join(written(masking(*secrets), [bytes([b]) for b in whole])) == expected
    assert masking(*secrets).whole(whole) == expected


def test_what_could_begin_a_secret_is_held_back_and_nothing_else() -> None:
    done: list[bytes] = []
    writer = MaskedWriter(masking("hunter2"), lambda _, data: done.append(bytes(data)))
    writer.write(Stream.STDOUT, b"password: ")
    assert done == [b"password: "]
    writer.write(Stream.STDOUT, b"hunt")
    writer.write(Stream.STDOUT, b"er")
    assert done == [b"password: "]
    writer.write(Stream.STDOUT, b"s\n")
    assert b"".join(done) == b"password: hunters\n"


def test_each_stream_is_masked_for_itself() -> None:
    done: list[tuple[Stream, bytes]] = []

    def write(stream: Stream, data: Data) -> None:
        done.append((stream, bytes(data)))

    writer = MaskedWriter(masking("hunter2"), write)
    writer.write(Stream.STDOUT, b"hun")
    writer.write(Stream.STDERR, b"ter2")
    writer.write(Stream.STDOUT, b"ter2")
    writer.end()
    assert done == [(Stream.STDERR, b"ter2"), (Stream.STDOUT, b"***")]


def test_bytes_that_are_no_text_are_masked_and_passed_as_well() -> None:
    odd = b"\xff\x00\xfe\r\n".decode("utf-8", "surrogateescape")
    noise = bytes(range(256))
    pieces = [noise + b"\xff\x00", b"\xfe\r\n" + noise]
    assert b"".join(written(masking(odd), pieces)) == noise + b"***" + noise


def test_a_value_that_is_too_short_is_named_and_left_as_it_is() -> None:
    masks = Masking(["PIN", "TOKEN", "UNSET"], {"PIN": "123", "TOKEN": "1234"})
    assert masks.too_short == ["PIN"]
    assert masks.whole(b"123 1234") == b"123 ***"
    assert not Masking(["PIN"], {"PIN": "123"})


def test_how_a_run_ended_is_masked_in_all_it_tells() -> None:
    outcome = Outcome(
        state=RunState.FAILED,
        reason="no entry for hunter2",
        traceback='raise KeyError("hunter2")',
        return_value={"hunter2": ["so hunter2", 2, None]},
    )
    assert masking("hunter2").outcome(outcome) == Outcome(
        state=RunState.FAILED,
        reason="no entry for ***",
        traceback='raise KeyError("***")',
        return_value={"***": ["so ***", 2, None]},
    )


def test_a_text_that_was_cut_within_a_secret_does_not_show_its_beginning() -> None:
    assert masking("hunter2").text("x" * 10 + "hunte") == "x" * 10 + "***"
    assert masking("hunter2").text("hum h") == "hum h"
