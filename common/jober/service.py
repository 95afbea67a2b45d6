"""A service: a job of which a run goes on always, on any one host or on every one. Pure values.

A *place* is where one run of it is kept going: a host by its name, or ANY of them.
"""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from jober.clock import iso
from jober.run import RunState
from jober.words import count, duration, relative

ANY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePolicy:
    """How a service is kept alive; `on` is "any" or "every", `queue` says which hosts match."""

    on: str
    queue: str
    prefer: str
    restart_delay_ms: int
    restart_max_delay_ms: int
    healthy_after_ms: int

    @classmethod
    def read(cls, text: str) -> Self:
        """What `to_json` wrote, here or in a later version."""
        return cls(**_known(cls, text))

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    def restart_in_ms(self, failures: int) -> int:
        """How long after an end the next run begins, where so many runs before it have failed in
        a row."""
        doubled: int = self.restart_delay_ms * 2 ** min(failures, 32)
        return min(doubled, self.restart_max_delay_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceState:
    """What is remembered of a place. `run` is its newest run; `failures` counts the ends in a row
    since one was healthy; `restart_at_ms` is set once the run has ended; `stopping` is why the
    leader had it stopped, where it had."""

    run: str
    restarts: int = 0
    failures: int = 0
    healthy: bool = False
    restart_at_ms: int | None = None
    stopping: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        """What `to_json` wrote, here or in a later version."""
        return cls(**_known(cls, text))

    def to_json(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRun:
    """The newest run of a place. `is_current`: it was made from what the definition says now."""

    id: str
    state: RunState
    host: str | None
    is_current: bool
    started_at_ms: int | None = None
    ended_at_ms: int | None = None
    exit_code: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlace:
    """A place as Redis has it. `text` is what `state` was read from; `run` is None where its
    record is no more."""

    name: str
    text: str
    state: PlaceState
    run: ServiceRun | None

    @property
    def word(self) -> str:
        """How it stands: `healthy`, `starting` (it runs, and was not healthy yet), `waiting` (for
        an agent or a slot), `stopping`, or `restarting` (it has ended)."""
        if self.run is None or self.run.state.is_final:
            return "restarting"
        if self.state.stopping:
            return "stopping"
        if self.run.state is not RunState.RUNNING:
            return "waiting"
        return "healthy" if self.state.healthy else "starting"

    def details(self, now_ms: int) -> str:
        """What is told after its word: ` on db1 for 3 min, 2 restarts`."""
        run, restart_at_ms = self.run, self.state.restart_at_ms
        told = f" on {run.host}" if run is not None and run.host else ""
        if self.word == "restarting":
            if restart_at_ms is not None:
                told += f" {relative(restart_at_ms, now_ms)}"
            if run is not None and run.reason:
                told += f": {run.reason}"
        elif run is not None and run.started_at_ms is not None:
            told += f" for {duration((now_ms - run.started_at_ms) / 1000)}"
        if self.state.restarts:
            told += f", {count(self.state.restarts, 'restart')}"
        return told

    def to_dict(self) -> dict[str, Any]:
        """The stable names that scripts rely on (`--json`)."""
        run = self.run
        return {
            "state": self.word,
            "host": run.host if run else None,
            "run": self.state.run,
            "restarts": self.state.restarts,
            "failures": self.state.failures,
            "started_at": iso(run.started_at_ms) if run else None,
            "restart_at": iso(self.state.restart_at_ms),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service as Redis has it."""

    name: str
    revision: int
    paused: bool
    policy: ServicePolicy
    places: tuple[ServicePlace, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStart:
    """Make the next run of a place, on a host (`may_move`: or on another), or on any."""

    id: str
    host: str | None = None
    may_move: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAction:
    """One step for one place: what is known of it goes from the text `before` to `after` (None:
    nothing is), with a run to start, or one to `stop` and why, or an event to tell."""

    job: str
    revision: int
    place: str
    before: str
    after: PlaceState | None
    start: ServiceStart | None = None
    stop: str | None = None
    event: str | None = None
    facts: dict[str, str] = field(default_factory=dict)


def _known(cls: type["ServicePolicy"] | type["PlaceState"], text: str) -> dict[str, Any]:
    """What a text tells of the fields that there are here."""
    names = {one.name for one in fields(cls)}
    return {name: value for name, value in json.loads(text).items() if name in names}
