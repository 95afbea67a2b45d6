"""An API token: what a program proves by who it is.

Its text is `jober_<id>_<secret>`. The id is shown in lists, in the audit log, and where it is
revoked; it opens nothing. Of the secret only the hash is kept.
"""

import re
import secrets
from dataclasses import dataclass
from typing import Any

from jober.access.scope import Scope
from jober.access.secret import new_secret
from jober.access.user import told
from jober.access.who import Who
from jober.clock import iso
from jober.errors import DefinitionError

_TEXT = re.compile(r"jober_([a-z2-7]{10})_([A-Za-z0-9_-]{43})")
TOKEN_ID = re.compile(r"[a-z2-7]{10}")
TOKEN_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
# In seconds: at the most, and where nothing else is said.
LONGEST_S, USUAL_S = 10 * 366 * 86_400, 90 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token as kept. Where it has a `user`, it never may more than that one."""

    id: str
    name: str
    scope: Scope
    tags: frozenset[str] | None = None
    roles: frozenset[str] | None = None
    user: str | None = None
    hash: str = ""
    created_at_ms: int = 0
    expires_at_ms: int = 0
    used_at_ms: int | None = None

    def who(self) -> Who:
        """What it stands for, but for the rights of its user."""
        return Who(
            name=self.user or f"token:{self.name}",
            scope=self.scope,
            tags=self.tags,
            roles=self.roles,
            credential=f"token:{self.id}",
            user=self.user,
        )

    def to_dict(self) -> dict[str, Any]:
        """The stable names that scripts rely on (`--json`); nothing of the secret."""
        return {
            "id": self.id,
            "prefix": f"jober_{self.id}_",
            "name": self.name,
            "scope": str(self.scope),
            "tags": told(self.tags),
            "roles": told(self.roles),
            "user": self.user,
            "created_at": iso(self.created_at_ms),
            "expires_at": iso(self.expires_at_ms),
            "used_at": iso(self.used_at_ms),
        }


def new_token() -> tuple[str, str]:
    """An id, and a secret, of a token that there was none of before."""
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    return "".join(secrets.choice(letters) for _ in range(10)), new_secret()


def token_text(id: str, secret: str) -> str:
    """What is given to the program."""
    return f"jober_{id}_{secret}"


def read_token(text: str) -> tuple[str, str] | None:
    """The id and the secret of a token; None for what is none."""
    found = _TEXT.fullmatch(text)
    return (found[1], found[2]) if found else None


def check_token_id(id: str) -> str:
    """The id itself, of an id or of what lists show before the secret; or a DefinitionError."""
    bare = id.removeprefix("jober_").removesuffix("_") if isinstance(id, str) else ""
    if not TOKEN_ID.fullmatch(bare):
        raise DefinitionError(
            f"{str(id)[:16]!r} is not the id of a token",
            field="token",
            mend="ten letters and digits, as `jober token list` shows them; never the token itself",
        )
    return bare


def check_token_name(name: str) -> str:
    """The name itself, or a DefinitionError."""
    if not isinstance(name, str) or not name.strip() or not TOKEN_NAME.fullmatch(name):
        raise DefinitionError(
            f"{str(name)[:60]!r} is no name for a token",
            field="name",
            value=name,
            mend="a line that says what it is for, of 100 characters at the most",
        )
    return name.strip()


def check_life_s(seconds: float) -> int:
    """How long a token is to live, in seconds, or a DefinitionError."""
    if not 1 <= seconds <= LONGEST_S:
        raise DefinitionError(
            "a token lives for a second at least, and for ten years at the most",
            field="expires",
            value=seconds,
            mend="as in 12h, 90d or 52w",
        )
    return int(seconds)
