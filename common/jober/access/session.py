"""A session: somebody who has logged in with a browser, until they log out or it is over."""

from dataclasses import dataclass
from typing import Literal

from jober.access.who import Who

Kind = Literal["password", "link", "oidc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTimes:
    """How long a session lasts, in seconds: without a request, and at all."""

    idle_s: int = 12 * 3600
    absolute_s: int = 7 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session as kept, under the hash of its id. `title` is what people call them by; of a
    user, the rights are those that the user has at each request."""

    hash: str
    kind: Kind
    who: Who
    title: str
    created_at_ms: int
    expires_at_ms: int
    address: str = ""
