"""Whole logs, which are files on hosts: a client asks an agent of the host for a piece of one, and
the agent answers through a list that expires soon. One piece is on its way at a time, so that a log
of any length takes no more of Redis than one piece."""

import json
from dataclasses import dataclass
from typing import Any

import msgpack

from jober.ids import ulid
from jober.output import Frame, Stream
from jober.store import keys
from jober.store.connection import Connection

PIECE_BYTES = 512 * 1024
PIECE_SPANS = 4096
REPLY_TTL_S = 30
# Asked so often, an agent that does not answer within so long each time is taken to be away.
TRIES = 2
WAIT_S = 3.0
UNHEARD_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an agent is asked for: of an attempt the bytes from `start` to before `end`."""

    reply: str
    run: str
    attempt: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`frames` hold the piece, with offsets in the attempt and no seq; none are there at its end.
    `attempts` tells how far each attempt goes that has a log there; `path` is the folder of the
    run. `problem` says why there is no more, where something is wrong."""

    path: str
    attempts: tuple[tuple[int, int], ...] = ()
    frames: tuple[Frame, ...] = ()
    problem: str | None = None


class HostLogStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def ask(self, agent: str, run: str, attempt: int, start: int, end: int) -> Answer | None:
        """The answer of an agent, or None where it does not answer."""
        for _ in range(TRIES):
            reply = ulid(self._redis.clock.now_ms())
            command = {
                "command": "log",
                "reply": reply,
                "run": run,
                "attempt": attempt,
                "start": start,
                "end": end,
            }
            heard = self._redis.command("PUBLISH", keys.rq_pubsub(agent), json.dumps(command))
            # One that has just joined may not listen yet.
            wait_s = WAIT_S if heard else UNHEARD_S
            found = self._redis.command("BLPOP", keys.reply(reply), wait_s)
            if found:
                return _answer(found[1])
        return None

    def answer(self, asked: Asked, answer: Answer) -> None:
        """Answer a client, which may have gone."""
        told = [
            answer.path,
            answer.attempts,
            [[str(f.stream), f.at_ms, f.offset, f.data] for f in answer.frames],
            answer.problem,
        ]
        key = keys.reply(asked.reply)
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=True)
            pipeline.rpush(key, msgpack.packb(told))
            pipeline.expire(key, REPLY_TTL_S)
            pipeline.execute()


def read_asked(command: dict[str, Any]) -> Asked | None:
    """What a command asks for; None where it is none: anybody may publish anything."""
    try:
        return Asked(
            reply=str(command["reply"]),
            run=str(command["run"]),
            attempt=int(command["attempt"]),
            start=max(0, int(command["start"])),
            end=int(command["end"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _answer(payload: bytes) -> Answer:
    path, attempts, frames, problem = msgpack.unpackb(payload)
    return Answer(
        path=path,
        attempts=tuple((int(number), int(end)) for number, end in attempts),
        frames=tuple(
            Frame(seq=0, stream=Stream(stream), at_ms=at_ms, offset=offset, data=data)
            for stream, at_ms, offset, data in frames
        ),
        problem=problem,
    )
