"""How access is kept: values that `jober-web` reads from its arguments."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jober.access.session import SessionTimes

if TYPE_CHECKING:
    from jober_web.access.oidc_settings import OidcSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """`hosts` are the names that a request may be for (None: any, where somebody else looks after
    that); `public_url` is the address that people know us by, where it is not that of the request;
    `has_tls` tells that all of it comes encrypted, whatever the request looks like."""

    hosts: frozenset[str] | None = None
    public_url: str | None = None
    has_tls: bool = False
    times: SessionTimes = field(default_factory=SessionTimes)
    oidc: "OidcSettings | None" = None
