"""A fleet with something of everything, for who asks whatever there is to ask."""

from jober.output import Frame, Stream
from jober.run import RunState
from jober.store.outputs import Piece
from tests.store.hand import Hand
from tests.web.conftest import Web


def seed(web: Web, hand: Hand) -> dict[str, list[str]]:
    """Jobs, runs, agents, limits and calendars; the names there are, by the parameter of a path."""
    jober = web.jober
    jober.set_limit("database", 2)
    jober.set_calendar("closed", ["12-25", "2026-12-31"])
    agent = hand.agent()
    hand.job("nightly", cron="0 3 * * *", timezone="Europe/Warsaw", exclude=["closed"])
    hand.job(
        "sum", command=None, call="operator:add", args=[1, 2], tags=["night"], limits=["database"]
    )
    hand.job("after", needs=["nightly"], on_success=["sum"])
    hand.job("everywhere", on="every", every=60, overlap="allow")
    hand.job("kept", service=True)
    hand.job("guarded", protected=True)
    ended = hand.run("sum")
    [claim] = hand.claim(agent)
    hand.store.outputs.add([Piece(run=ended, frames=frames())])
    hand.finish(claim, RunState.SUCCESS, return_value=3)
    running = hand.run("nightly")
    hand.claim(agent)
    waiting = hand.run("guarded")
    return {
        "name": [*(record.name for record in jober.jobs()), "database", "closed", "absent"],
        "id": [ended, running, waiting, "absent-m1"],
        "host": ["host1", "absent"],
    }


def frames() -> tuple[Frame, ...]:
    """Output of all kinds: text, what is none, and a record of a logger."""
    pieces = [
        (Stream.STDOUT, b"one\ntwo\n"),
        (Stream.STDERR, b"\xff\xfe\nthree"),
        (Stream.LOG, b'{"at": 1, "level": "INFO", "logger": "a", "message": "four"}\n'),
    ]
    made, offset = [], 0
    for seq, (stream, data) in enumerate(pieces, 1):
        made.append(Frame(seq=seq, stream=stream, at_ms=seq, offset=offset, data=data))
        offset += len(data)
    return tuple(made)
