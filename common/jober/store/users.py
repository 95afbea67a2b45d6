"""Users, as they are kept."""

import json
from collections.abc import Mapping

from jober.access.scope import Scope
from jober.access.user import User
from jober.schema import SCHEMA, check_schema
from jober.store import keys
from jober.store.connection import Connection
from jober.store.fields import moment_ms, packed, readable, record, text

USERS_AT_MOST = 10_000


def limits_text(names: frozenset[str] | None) -> str:
    """Tags or roles that somebody is limited to, as they are kept; empty for no limit."""
    return "" if names is None else json.dumps(sorted(names))


def read_limits(value: bytes | None) -> frozenset[str] | None:
    """What `limits_text` wrote; what cannot be read limits to nothing at all."""
    if not value:
        return None
    names = readable(lambda raw: json.loads(raw or b""), value)
    if not isinstance(names, list):
        return frozenset()
    return frozenset(name for name in names if isinstance(name, str))


def read_scope(value: bytes | None) -> Scope:
    """A scope as kept; the least one where it cannot be read."""
    return readable(lambda raw: Scope((raw or b"").decode()), value) or Scope.VIEWER


def read_user(fields: Mapping[str, bytes]) -> User:
    """Raises NewerSchema."""
    name = text(fields.get("name")) or ""
    check_schema(f"the user '{name}'", fields.get("schema"))
    return User(
        name=name,
        scope=read_scope(fields.get("scope")),
        tags=read_limits(fields.get("tags")),
        roles=read_limits(fields.get("roles")),
        password=text(fields.get("password")) or "",
        created_at_ms=readable(moment_ms, fields.get("created_at")) or 0,
        changed_at_ms=readable(moment_ms, fields.get("changed_at")) or 0,
        logged_in_at_ms=readable(moment_ms, fields.get("logged_in_at")),
    )


class UserStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def user(self, name: str) -> User | None:
        fields = record(self._redis.command("HGETALL", keys.user(name)))
        return read_user(fields) if fields else None

    def names(self, limit: int, after: str | None = None) -> list[str]:
        """Names in order, those after that one."""
        lowest = "-" if after is None else f"({after}"
        found = self._redis.command("ZRANGEBYLEX", keys.USERS, lowest, "+", "LIMIT", 0, limit)
        return [name.decode() for name in found]

    def page(self, limit: int, after: str | None = None) -> list[User]:
        """Users in order of their names, those after that one."""
        names = self.names(limit, after)
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for name in names:
                pipeline.hgetall(keys.user(name))
            found = pipeline.execute()
        return [read_user(record(fields)) for fields in found if fields]

    def any(self) -> bool:
        """Whether there is one."""
        return bool(self._redis.command("EXISTS", keys.USERS))

    def add(self, user: User, line: bytes) -> str:
        """'done', 'exists' or 'too many'."""
        fields = {
            "scope": str(user.scope),
            "tags": limits_text(user.tags),
            "roles": limits_text(user.roles),
            "password": user.password,
            "schema": str(SCHEMA),
        }
        return self._put(user.name, "add", fields, line)

    def change(
        self,
        name: str,
        fields: Mapping[str, str],
        line: bytes | None,
        *,
        ends_sessions: bool = False,
        but: str = "",
        had: str = "",
    ) -> str:
        """'done', 'same', or 'missing' where there is no such user, or their password hash is
        another than the one that they `had`. `but` is the session that stays."""
        return self._put(name, "change", fields, line, ends_sessions, but, had)

    def _put(
        self,
        name: str,
        mode: str,
        fields: Mapping[str, str],
        line: bytes | None,
        ends_sessions: bool = False,
        but: str = "",
        had: str = "",
    ) -> str:
        reply = self._redis.run(
            "user_put",
            [keys.USERS, keys.user(name)],
            [
                name,
                mode,
                packed(dict(fields)),
                int(ends_sessions),
                but,
                had,
                USERS_AT_MOST,
                packed([]) if line is None else line,
            ],
        )
        return {1: "done", 0: "same", -1: "exists", -2: "missing", -3: "too many"}[int(reply)]

    def remove(self, name: str, line: bytes) -> bool:
        """With sessions and tokens; False where there is none."""
        known = [keys.USERS, keys.user(name), keys.user_tokens(name), keys.TOKENS]
        return bool(self._redis.run("user_remove", known, [name, line]))
