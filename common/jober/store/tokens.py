"""API tokens, as they are kept."""

from collections.abc import Mapping
from typing import Any

from jober.access.secret import is_same
from jober.access.token import Token
from jober.access.user import User
from jober.schema import SCHEMA, check_schema
from jober.store import keys
from jober.store.connection import Connection
from jober.store.fields import number, packed, readable, record, text
from jober.store.users import limits_text, read_limits, read_scope, read_user

TOKENS_AT_MOST = 10_000


class TokenStore:
    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    def make(self, token: Token, life_s: int, line: bytes) -> tuple[int, int] | str:
        """When it was made and when it expires (ms); 'no user', or 'too many'."""
        fields = {
            "name": token.name,
            "scope": str(token.scope),
            "tags": limits_text(token.tags),
            "roles": limits_text(token.roles),
            "hash": token.hash,
            "schema": str(SCHEMA),
        }
        if token.user:
            fields["user"] = token.user
        reply: Any = self._redis.run(
            "token_put",
            [keys.TOKENS, keys.token(token.id)],
            [token.id, packed(fields), life_s * 1000, token.user or "", TOKENS_AT_MOST, line],
        )
        if isinstance(reply, int):
            return "no user" if reply == -1 else "too many"
        return int(reply[0]), int(reply[1])

    def page(self, limit: int, first: int = 0, user: str | None = None) -> list[Token]:
        """Tokens in the order in which they expire, from the one at that place; of one user."""
        known = keys.TOKENS if user is None else keys.user_tokens(user)
        ids = self._redis.command("ZRANGE", known, first, first + limit - 1)
        with self._redis.guard():
            pipeline = self._redis.client.pipeline(transaction=False)
            for id in ids:
                pipeline.hgetall(keys.token(id.decode()))
            found = pipeline.execute()
        return [
            _token(id.decode(), record(fields))
            for id, fields in zip(ids, found, strict=True)
            if fields
        ]

    def revoke(self, id: str, user: str | None, line: bytes) -> bool:
        """False where there is none (of that user)."""
        known = [keys.TOKENS, keys.token(id)]
        return bool(self._redis.run("token_revoke", known, [id, user or "", line]))

    def known(self, id: str, hash: str) -> tuple[Token, User | None] | None:
        """The token that has such a secret, and its user, where it has one."""
        reply = self._redis.run("token_read", [keys.token(id)], [hash])
        if not reply:
            return None
        token = _token(id, record(reply[0]))
        user = read_user(record(reply[1])) if reply[1] else None
        return (token, user) if is_same(token.hash, hash) else None


def _token(id: str, fields: Mapping[str, bytes]) -> Token:
    check_schema(f"the token '{id}'", fields.get("schema"))
    return Token(
        id=id,
        name=text(fields.get("name")) or "",
        scope=read_scope(fields.get("scope")),
        tags=read_limits(fields.get("tags")),
        roles=read_limits(fields.get("roles")),
        user=text(fields.get("user")),
        hash=text(fields.get("hash")) or "",
        created_at_ms=readable(number, fields.get("made_ms")) or 0,
        expires_at_ms=readable(number, fields.get("expires_ms")) or 0,
        used_at_ms=readable(number, fields.get("used_ms")),
    )
