"""What a diagnosis is made of. None is what could not be asked: a user of Redis may not."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jober.fire import FirePolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What a Redis tells of itself. `info` is its INFO, flat; `settings` its CONFIG GET."""

    info: Mapping[str, str]
    settings: Mapping[str, str] | None
    user: str | None  # who we are there, by its ACL
    with_password: bool
    is_local: bool  # reached over this host's loopback or a socket
    round_trips_ms: tuple[float, ...]
    clock_ahead_ms: float  # of this host's clock
    refused: Mapping[str, str] = field(default_factory=dict)  # what jober needs, and the answer

    def number(self, name: str) -> int | None:
        """A number of INFO."""
        text = self.info.get(name, "")
        return int(text) if text.isdecimal() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedJob:
    """What the rules of jobs want to know of one."""

    name: str
    policy: FirePolicy
    paused: bool
    anchor_ms: int
    calendars_missing: tuple[str, ...] = ()
    sealed_by: str = ""  # the id of the key that has signed it
