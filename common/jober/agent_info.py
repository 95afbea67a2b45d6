"""What an agent tells of itself."""

from dataclasses import dataclass
from typing import Any

from jober.clock import iso

# An agent gives a sign every 2 s; one that has not for longer may be gone.
SILENT_MS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentInfo:
    """One agent as it registers and shows. Moments are milliseconds since the epoch."""

    id: str
    host: str
    pid: int
    roles: frozenset[str]
    slots: int
    version: str
    # "up"; or it takes no new runs: "draining" as it ends, "cordoned" until its host is uncordoned
    state: str = "up"
    own_roles: frozenset[str] = frozenset()  # those that it was started with
    running: int = 0
    load: float = 0.0  # the load average over one minute
    started_at_ms: int = 0
    seen_at_ms: int = 0
    # What its [allow] says of what may run there: "listed" alone, or "anything"; "" is not known.
    allows: str = ""
    # The ids of the keys that may define what it runs; of none, it runs whatever is in Redis.
    trusts: tuple[str, ...] = ()
    clock_ahead_ms: int | None = None  # its host's clock, against Redis's
    problem: str = ""  # that it has now

    def silent_ms(self, now_ms: int) -> int:
        """For how long it has given no sign, where that is longer than it should; else 0."""
        since_ms = now_ms - self.seen_at_ms
        return since_ms if since_ms > SILENT_MS else 0

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "host": self.host,
            "pid": self.pid,
            "roles": sorted(self.roles),
            "own_roles": sorted(self.own_roles or self.roles),
            "slots": self.slots,
            "running": self.running,
            "state": self.state,
            "load": self.load,
            "version": self.version,
            "started_at": iso(self.started_at_ms),
            "seen_at": iso(self.seen_at_ms),
            "allows": self.allows or None,
            "trusts": list(self.trusts),
            "clock_ahead_ms": self.clock_ahead_ms,
            "problem": self.problem or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOrders:
    """What an operator has ordered of a host: that it takes no new runs; other roles than its
    agents were started with, or None."""

    cordoned: bool = False
    roles: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderInfo:
    """Who schedules, and since when. The term is the fencing number of that reign."""

    node: str
    host: str
    pid: int
    term: int
    since_ms: int

    @property
    def token(self) -> str:
        """What `jober:leader` holds while this reign lasts."""
        return f"{self.term}:{self.node}"

    @classmethod
    def from_token(cls, token: str) -> "LeaderInfo":
        """Read `<term>:<host>:<pid>:<nonce>`; a term begins as the moment of the election."""
        term, node = token.split(":", 1)
        host, pid, _nonce = node.rsplit(":", 2)
        return cls(node=node, host=host, pid=int(pid), term=int(term), since_ms=int(term))

    def to_dict(self) -> dict[str, Any]:
        return {
            "node": self.node,
            "host": self.host,
            "pid": self.pid,
            "term": self.term,
            "since": iso(self.since_ms),
        }
