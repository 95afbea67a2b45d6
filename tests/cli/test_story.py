"""What `jober dev` tells of a run that is tried again."""

from jober import Jober
from jober.cli.dev.story import Going, State, Story
from jober.event import Event
from jober.output import Frame, Stream
from jober.run import Run
from jober.store import Store
from jober.store.outputs import Piece
from tests.store.hand import Hand


class Told:
    """Keeps what it is told."""

    reads_output = True

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.lines: list[str] = []
        self.notes: list[str] = []

    def finished(self, run: Run) -> None:
        self.runs.append(run.id)

    def no_run(self, event: Event) -> None:
        raise AssertionError(event)

    def output(self, at_ms: int, run: Going, stream: Stream, line: str) -> None:
        self.lines.append(line)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def state(self, state: State) -> None:
        """Not of interest."""


def test_each_line_is_told_once_and_how_an_attempt_ended(store: Store, hand: Hand) -> None:
    def write(seq: int, data: bytes) -> None:
        frame = Frame(seq=seq, stream=Stream.STDOUT, at_ms=1, offset=0, data=data)
        store.outputs.add([Piece(run=run, frames=(frame,))])

    told = Told()
    with Jober(store.url) as jober:
        story = Story(jober, told)
        hand.job(retries=1)
        hand.agent()
        run = hand.run()
        (claim,) = hand.claim()
        look = story.follow()
        while not story.going:
            next(look)
        write(1, b"one\n")
        hand.put_off(claim, reason="exit code 3")
        while story.going:
            next(look)
        store.leases.promote()
        (claim,) = hand.claim()
        write(2, b"two\n")
        while not story.going:
            next(look)
        hand.finish(claim)
        while not told.runs:
            next(look)
    assert told.lines == ["one", "two"]
    assert told.notes == [
        "job on host1: attempt 1 ended as failed (exit code 3), and the next is now"
    ]
    assert told.runs == [run]
