"""Leadership in Redis: LEAD and RESIGN."""

from dataclasses import dataclass

from jober.agent_info import LeaderInfo
from jober.record_errors import LeaderUnreadable
from jober.schema import SCHEMA
from jober.store import keys
from jober.store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadReply:
    """What an attempt to lead found: whose token stands, and for how many ms yet."""

    token: str
    left_ms: int
    elected: bool

    def is_of(self, node: str) -> bool:
        return self.token.split(":", 1)[1] == node


class LeaderStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def lead(self, node: str, lease_ms: int) -> LeadReply:
        """Become leader where there is none; renew where it is us."""
        token, left, _now, elected = self._redis.run(
            "lead", [keys.LEADER, keys.TERM, keys.SCHEMA], [node, lease_ms, SCHEMA]
        )
        return LeadReply(token=token.decode(), left_ms=left, elected=bool(elected))

    def resign(self, token: str) -> bool:
        """Give the lead back, so that a standby need not wait for the lease to end."""
        return bool(self._redis.run("resign", [keys.LEADER], [token]))

    def current(self) -> LeaderInfo | None:
        token = self._redis.command("GET", keys.LEADER)
        try:
            return LeaderInfo.from_token(token.decode()) if token else None
        except ValueError:
            raise LeaderUnreadable(keys.LEADER) from None
