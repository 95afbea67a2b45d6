"""A user: somebody who logs in with a password."""

import re
from dataclasses import dataclass
from typing import Any

from jober.access.scope import Scope
from jober.access.who import Who
from jober.clock import iso
from jober.errors import DefinitionError

USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One user as kept; `password` is the hash, as `PasswordHash` writes it."""

    name: str
    scope: Scope
    tags: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    password: str = ""
    created_at_ms: int = 0
    changed_at_ms: int = 0
    logged_in_at_ms: int | None = None

    def who(self, credential: str) -> Who:
        """What they are who came by that credential."""
        return Who(
            name=self.name,
            scope=self.scope,
            tags=self.tags,
            roles=self.roles,
            credential=credential,
            user=self.name,
        )

    def to_dict(self) -> dict[str, Any]:
        """The stable names that scripts rely on (`--json`); nothing of the password."""
        return {
            "name": self.name,
            "scope": str(self.scope),
            "tags": told(self.tags),
            "roles": told(self.roles),
            "created_at": iso(self.created_at_ms),
            "changed_at": iso(self.changed_at_ms),
            "logged_in_at": iso(self.logged_in_at_ms),
        }


def check_user_name(name: str) -> str:
    """The name itself, or a DefinitionError."""
    if not isinstance(name, str) or not USER_NAME.fullmatch(name):
        raise DefinitionError(
            f"{str(name)[:60]!r} is not the name of a user",
            field="user",
            value=name,
            mend="letters, digits and . _ @ + -, a letter or digit first, at most 100",
        )
    return name


def told(names: frozenset[str] | None) -> list[str] | None:
    """A limit as JSON tells it; null is none."""
    return None if names is None else sorted(names)
