"""A part of what a run has written, of a log of any size."""

import random

import pytest

from jober import Jober
from jober.client.handle import RunHandle
from jober.embedded import RedisServer
from jober.output import Frame, Stream, Truncated
from jober.store.outputs import Piece
from tests.store.hand import Hand


def _written(hand: Hand, *datas: bytes, dropped: tuple[int, ...] = ()) -> str:
    hand.job()
    run = hand.run()
    frames, offset = [], 0
    for seq, data in enumerate(datas, 1):
        stream = Stream.STDERR if seq % 3 == 0 else Stream.STDOUT
        frames.append(Frame(seq=seq, stream=stream, at_ms=seq, offset=offset, data=data))
        offset += len(data)
    hand.store.outputs.add([Piece(run=run, frames=tuple(frames))])
    hand.store.outputs.add([Piece(run=run, frames=(), drop=dropped)])
    return run


def _told(handle: RunHandle, start: int, end: int) -> list[str]:
    return [
        f"-{item.dropped}" if isinstance(item, Truncated) else item.data.decode()
        for item in handle.output.between(start, end)
    ]


def test_a_range_is_cut_out_of_the_frames_that_hold_it(
    redis_server: RedisServer, hand: Hand
) -> None:
    run = _written(hand, b"0123", b"45", b"6789")
    with Jober(redis_server.url) as jober:
        handle = jober.handle(run)
        assert handle.output.size() == 10
        assert _told(handle, 0, 10) == ["0123", "45", "6789"]
        assert _told(handle, 2, 7) == ["23", "45", "6"]
        assert _told(handle, 4, 6) == ["45"]
        assert _told(handle, 9, 99) == ["9"]
        assert _told(handle, 10, 99) == []
        assert [item.data for item in handle.stderr.between(0, 10) if isinstance(item, Frame)] == [
            b"6789"
        ]


def test_where_bytes_are_missing_a_mark_of_just_those_stands(
    redis_server: RedisServer, hand: Hand
) -> None:
    run = _written(hand, b"0123", b"45", b"6789", b"ab", dropped=(2, 3))
    with Jober(redis_server.url) as jober:
        handle = jober.handle(run)
        assert _told(handle, 0, 12) == ["0123", "-6", "ab"]
        assert _told(handle, 5, 8) == ["-3"]
        assert _told(handle, 8, 11) == ["-2", "a"]


@pytest.mark.parametrize("seed", range(5))
def test_any_range_of_any_log_is_what_was_written_there(
    redis_server: RedisServer, hand: Hand, seed: int
) -> None:
    chance = random.Random(seed)
    datas = [bytes(chance.randrange(65, 91) for _ in range(chance.randrange(1, 40)))] * 1
    datas += [bytes([65 + seq % 26]) * chance.randrange(1, 40) for seq in range(200)]
    run = _written(hand, *datas)
    whole = b"".join(datas)
    with Jober(redis_server.url) as jober:
        handle = jober.handle(run)
        for _ in range(30):
            start = chance.randrange(len(whole))
            end = start + chance.randrange(1, 500)
            assert "".join(_told(handle, start, end)).encode() == whole[start:end]


def test_a_run_that_has_written_nothing_has_no_bytes(redis_server: RedisServer, hand: Hand) -> None:
    hand.job()
    run = hand.run()
    with Jober(redis_server.url) as jober:
        assert jober.handle(run).output.size() == 0
        assert _told(jober.handle(run), 0, 100) == []


def test_the_arguments_of_a_run_are_its_own_or_those_of_its_definition(
    redis_server: RedisServer, hand: Hand
) -> None:
    with Jober(redis_server.url) as jober:
        jober.add_job("job", call="operator:add", args=[1, 2])
        hand.agent()
        assert jober.run("job").arguments == ([1, 2], {})
        assert jober.run("job", args=[3, 4]).arguments == ([3, 4], {})
        assert jober.run("operator:add", args=[5, 6]).arguments == ([5, 6], {})
