"""What happens in the fleet, as it is told: the ends of runs, their output, fires that made none.

It reads the log of events, and the output of the runs that go on, in one thread: a few
questions to Redis each quarter of a second.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from jober.agent_info import AgentInfo, LeaderInfo
from jober.client import Jober
from jober.clock import to_ms
from jober.errors import RunNotFound
from jober.event import Event
from jober.output import Stream
from jober.run import Run
from jober.words import plain, relative

TICK_S = 0.25
_LOOK_MS = 1000
_NEXT = 6
_FAR_MS = 1 << 53
# More than this from one run in one look is too much to read anyway.
_BYTES_PER_LOOK = 64 * 1024
_LINE_AT_MOST = 2000


@dataclass(slots=True, kw_only=True)
class Going:
    """A run that goes on."""

    id: str
    job: str
    host: str
    since_ms: int
    seq: int = 0
    rests: dict[Stream, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How things stand."""

    now_ms: int
    leader: LeaderInfo | None
    agents: tuple[AgentInfo, ...]
    going: tuple[Going, ...]
    next_fires: tuple[tuple[str, int], ...]


class Teller(Protocol):
    """Who shows it. `reads_output`: whether it wants to be told what runs write."""

    reads_output: bool

    def finished(self, run: Run) -> None: ...

    def no_run(self, event: Event) -> None:
        """A fire was missed or skipped."""

    def output(self, at_ms: int, run: Going, stream: Stream, line: str) -> None: ...

    def note(self, text: str) -> None: ...

    def state(self, state: State) -> None: ...


class Story:
    """Listens, and tells a teller."""

    def __init__(self, jober: Jober, teller: Teller) -> None:
        self._jober = jober
        self._teller = teller
        self._going: dict[str, Going] = {}
        # Of runs that wait for another attempt: the last frame that was told.
        self._seqs: dict[str, int] = {}
        self._looked_ms = 0
        self._leader: LeaderInfo | None = None
        self._agents: tuple[AgentInfo, ...] = ()
        self._next: tuple[tuple[str, int], ...] = ()

    def follow(self) -> Iterator[None]:
        """Tell what happens; yields about four times a second. Raises RedisUnavailable."""
        clock = self._jober.store.clock
        ticked = clock.monotonic()
        for event in self._jober.store.events.follow("0", wait_s=TICK_S):
            if event is not None:
                self._hear(event)
            if event is None or clock.monotonic() - ticked >= TICK_S:
                ticked = clock.monotonic()
                self._tick()
                yield

    @property
    def going(self) -> tuple[Going, ...]:
        """The runs that go on."""
        return tuple(self._going.values())

    def _hear(self, event: Event) -> None:
        if event.type in ("fire.missed", "fire.skipped"):
            self._teller.no_run(event)
        elif event.type == "run.started" and event.run:
            self._going[event.run] = Going(
                id=event.run,
                job=event.job or event.run,
                host=event.facts.get("host", ""),
                since_ms=event.at_ms,
                seq=self._seqs.pop(event.run, 0),
            )
        elif event.type == "run.retrying" and event.run:
            going = self._end(event)
            if going is not None:
                self._seqs[event.run] = going.seq
            self._teller.note(_again(event))
        elif event.type == "run.finished" and event.run:
            self._end(event)
            self._seqs.pop(event.run, None)
            try:
                self._teller.finished(self._jober.store.runs.get(event.run))
            except RunNotFound:
                return

    def _end(self, event: Event) -> Going | None:
        """An attempt has ended: tell the rest of its output."""
        going = self._going.pop(event.run or "", None)
        if going is not None:
            self._read(going)
            self._flush(going, event.at_ms)
        return going

    def _tick(self) -> None:
        for going in self._going.values():
            self._read(going)
        now_ms = self._jober.store.clock.now_ms()
        if now_ms - self._looked_ms >= _LOOK_MS:
            self._looked_ms = now_ms
            self._agents = tuple(self._jober.agents())
            self._leader = self._jober.leader()
            _, due = self._jober.store.jobs.due(_FAR_MS, _NEXT)
            self._next = tuple((job.name, job.due_ms) for job in due)
        self._teller.state(
            State(
                now_ms=now_ms,
                leader=self._leader,
                agents=self._agents,
                going=self.going,
                next_fires=self._next,
            )
        )

    def _read(self, going: Going) -> None:
        """Tell what the run has written since it was last looked at."""
        if not self._teller.reads_output:
            return
        outputs = self._jober.store.outputs
        read = 0
        for frame in outputs.read(going.id, going.seq):
            going.seq = frame.seq
            read += len(frame.data)
            if read > _BYTES_PER_LOOK:
                going.seq = outputs.last_seq(going.id)
                going.rests.clear()
                self._teller.note(
                    f"{going.job}@{going.host} writes too much to show it all: "
                    f"jober logs -f {going.id}"
                )
                return
            *lines, rest = (going.rests.get(frame.stream, b"") + frame.data).split(b"\n")
            going.rests[frame.stream] = rest[:_LINE_AT_MOST]
            for line in lines:
                self._tell_line(frame.at_ms, going, frame.stream, line)

    def _flush(self, going: Going, at_ms: int) -> None:
        """Tell the last lines that have no end."""
        for stream, rest in going.rests.items():
            if rest:
                self._tell_line(at_ms, going, stream, rest)

    def _tell_line(self, at_ms: int, going: Going, stream: Stream, line: bytes) -> None:
        text = line[:_LINE_AT_MOST].decode("utf-8", "replace").rstrip("\r")
        self._teller.output(at_ms, going, stream, text)


def _again(event: Event) -> str:
    """`sum on web1: attempt 1 ended as failed (exit code 3), and the next is in 10 s`."""
    facts = event.facts
    reason = facts.get("reason")
    told = f" ({plain(reason)})" if reason else ""
    due_ms = to_ms(datetime.fromisoformat(facts["retry_at"]))
    return (
        f"{event.job} on {facts['host']}: attempt {facts['attempt']} ended as {facts['state']}"
        f"{told}, and the next is {relative(due_ms, event.at_ms)}"
    )
