"""Sessions, what is tried before there is one, and secrets that are good for one use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from jober.access.secret import hashed
from jober.access.session import Kind, Session, SessionTimes
from jober.access.who import Who
from jober.schema import SCHEMA, check_schema
from jober.store import keys
from jober.store.connection import Connection
from jober.store.fields import number, packed, readable, record, text
from jober.store.users import limits_text, read_limits, read_scope, read_user

SESSIONS_AT_MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """What a try counts for, as text, and how many there may be in how many seconds."""

    of: str
    most: int
    within_s: int

    @property
    def key(self) -> str:
        # What somebody typed may be as long as it likes, and may be a password in the wrong field.
        return keys.tries(hashed(self.of)[:32])


class SessionStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def open(
        self,
        session: Session,
        times: SessionTimes,
        line: bytes,
        *,
        had: str = "",
        before: str = "",
        tries: tuple[Try, Try] | None = None,
    ) -> Session | None:
        """The session as it is kept; None where the user's password hash is another by now than
        the one that was compared with. `before` is the session that this browser had."""
        who = session.who
        fields = {"user": who.name, "kind": session.kind, "title": session.title}
        fields["schema"] = str(SCHEMA)
        if session.kind != "password":
            fields |= {
                "scope": str(who.scope),
                "tags": limits_text(who.tags),
                "roles": limits_text(who.roles),
            }
        if session.address:
            fields["from"] = session.address
        counted = [one.key for one in tries] if tries else [keys.tries("-"), keys.tries("-")]
        reply = self._redis.run(
            "session_open",
            [
                keys.session(session.hash),
                keys.user_sessions(who.name),
                keys.user(who.name),
                *counted,
            ],
            [
                session.hash,
                packed(fields),
                times.idle_s * 1000,
                times.absolute_s * 1000,
                had,
                SESSIONS_AT_MOST,
                before,
                line,
            ],
        )
        if not reply:
            return None
        return replace(session, created_at_ms=int(reply[0]), expires_at_ms=int(reply[1]))

    def known(self, hash: str, times: SessionTimes) -> Session | None:
        """The session as it is now, with the rights that its user has now."""
        reply = self._redis.run("session_read", [keys.session(hash)], [times.idle_s * 1000])
        if not reply:
            return None
        return _session(hash, record(reply[0]), record(reply[1]))

    def end(self, user: str, hash: str, line: bytes) -> int:
        """End one, or all where no hash is given; how many there were."""
        return int(self._redis.run("session_end", [keys.user_sessions(user)], [user, hash, line]))

    def count(self, user: str) -> int:
        return int(self._redis.command("ZCARD", keys.user_sessions(user)))

    def may_try(self, tries: Sequence[Try]) -> int:
        """0, having counted it, or in how many ms it may be tried again."""
        told = [value for one in tries for value in (one.most, one.within_s * 1000)]
        return int(self._redis.run("try", [one.key for one in tries], told))

    def put_ticket(self, secret: str, value: bytes, life_s: int) -> None:
        """Keep something under a secret, for one use."""
        self._redis.command("SET", keys.ticket(hashed(secret)), value, "EX", life_s)

    def take_ticket(self, secret: str) -> bytes | None:
        """What was kept; it is gone with that, whoever else asks at the same moment."""
        found: bytes | None = self._redis.command("GETDEL", keys.ticket(hashed(secret)))
        return found


def _session(hash: str, fields: Mapping[str, bytes], user: Mapping[str, bytes]) -> Session:
    name = text(fields.get("user")) or ""
    check_schema(f"a session of '{name}'", fields.get("schema"))
    credential = f"session:{hash[:8]}"
    if user:
        who = read_user(user).who(credential)
    else:
        who = Who(
            name=name,
            scope=read_scope(fields.get("scope")),
            tags=read_limits(fields.get("tags")),
            roles=read_limits(fields.get("roles")),
            credential=credential,
        )
    return Session(
        hash=hash,
        kind=cast(Kind, text(fields.get("kind")) or "link"),
        who=who,
        title=text(fields.get("title")) or name,
        created_at_ms=readable(number, fields.get("made_ms")) or 0,
        expires_at_ms=readable(number, fields.get("expires_ms")) or 0,
        address=text(fields.get("from")) or "",
    )
