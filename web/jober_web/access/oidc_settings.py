"""Which server says who somebody is (OpenID Connect), and what that makes of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from jober.access import Scope
from jober.errors import DefinitionError, JoberError
from jober_web.access.hosts import is_loopback


class OidcError(JoberError):
    """The server does not answer, or says what cannot be believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """`issuer` is the address of the server, `claim` what it tells of somebody, such as `groups`,
    and `scopes` what each value of that makes of them; who has none of the values stays outside.
    `title` stands on the button."""

    issuer: str
    client_id: str
    client_secret: str
    claim: str
    scopes: tuple[tuple[str, Scope], ...]
    title: str = "OpenID Connect"
    asks_for: str = "openid profile email"

    @property
    def origin(self) -> str:
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"

    def scope_of(self, claims: Mapping[str, Any]) -> Scope | None:
        """The highest that any value makes of them; None where none does."""
        told = claims.get(self.claim)
        values = told if isinstance(told, list) else [told]
        known = dict(self.scopes)
        found = [known[value] for value in values if isinstance(value, str) and value in known]
        return max(found) if found else None


def check_issuer(url: str) -> str:
    """The address, as it stands, or a DefinitionError."""
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (
        parts.scheme == "http" and is_loopback(parts.hostname or "")
    )
    if not is_safe or not parts.hostname or parts.query or parts.fragment:
        raise DefinitionError(
            f"'{url[:100]}' is not the address of an issuer",
            field="oidc-issuer",
            value=url,
            mend="as https://login.example.org/realms/ours",
        )
    return url


def read_scopes(told: Iterable[str]) -> tuple[tuple[str, Scope], ...]:
    """`admins=admin` and so on. Raises DefinitionError."""
    found = []
    for text in told:
        value, _, scope = text.rpartition("=")
        if not value:
            raise DefinitionError(
                f"'{text[:100]}' says of no value what scope it has",
                field="oidc-scope",
                value=text,
                mend="as --oidc-scope jober-admins=admin",
            )
        found.append((value, Scope.read(scope)))
    if not found:
        raise DefinitionError(
            "nobody would be let in",
            field="oidc-scope",
            mend="as --oidc-scope jober-admins=admin, once for each value of the claim",
        )
    return tuple(found)
