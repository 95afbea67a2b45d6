"""The search in the log of a run: a row is found wherever it stands."""

import pytest

from jober.client.handle import RunHandle
from jober.output import Frame, Stream
from jober.store.outputs import Piece
from jober_web.pages.log import PIECE_BYTES, log_view
from tests.store.hand import Hand
from tests.web.conftest import Web

FRAME_BYTES = 32 * 1024


def written(web: Web, hand: Hand, data: bytes) -> RunHandle:
    """A run that has written that."""
    hand.job()
    id = hand.run()
    for place in range(0, len(data), FRAME_BYTES):
        frame = Frame(
            seq=place // FRAME_BYTES + 1,
            stream=Stream.STDOUT,
            at_ms=1,
            offset=place,
            data=data[place : place + FRAME_BYTES],
        )
        hand.store.outputs.add([Piece(run=id, frames=(frame,))])
    return web.jober.handle(id)


@pytest.mark.parametrize("ahead", [1, 3, 5])
def test_a_text_that_stands_across_two_of_the_pieces_that_are_searched_is_found(
    web: Web, hand: Hand, ahead: int
) -> None:
    line = b"." * 63 + b"\n"
    data = bytearray(line * (2 * PIECE_BYTES // len(line)))
    place = PIECE_BYTES - ahead
    data[place : place + 6] = b"needle"
    handle = written(web, hand, bytes(data))
    row = PIECE_BYTES - len(line)
    assert log_view(handle, q="needle").hit == row
    assert log_view(handle, before=len(data), q="needle").hit == row
