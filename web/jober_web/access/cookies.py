"""The cookies: of a session, of a browser that is about to log in, and of one that another server
is about to vouch for.

No script reads them. Under TLS their names begin with `__Host-`, so that no other host or path can
plant one (RFC 6265bis).
"""

from typing import Literal

from fastapi import Request, Response

from jober.access.secret import LONGEST
from jober_web.dependencies import settings_of

Kind = Literal["session", "login", "oidc"]
_NAMES: dict[Kind, str] = {"session": "jober", "login": "jober-login", "oidc": "jober-oidc"}
# A link in a mail leads to a page that one is logged in to; no other site makes us change a thing.
_SAME_SITE: dict[Kind, Literal["lax", "strict"]] = {
    "session": "lax",
    "login": "strict",
    "oidc": "lax",
}


def is_encrypted(request: Request) -> bool:
    """Whether what is sent to the browser is."""
    return request.url.scheme == "https" or settings_of(request).access.has_tls


def cookie(request: Request, kind: Kind) -> str:
    """What the browser has; empty where there is nothing, or nothing of ours."""
    found = request.cookies.get(_name(request, kind), "")
    return found if len(found) <= LONGEST else ""


def set_cookie(
    request: Request, response: Response, kind: Kind, value: str, max_age_s: int | None = None
) -> None:
    response.set_cookie(
        _name(request, kind),
        value,
        max_age=max_age_s,
        path="/",
        secure=is_encrypted(request),
        httponly=True,
        samesite=_SAME_SITE[kind],
    )


def drop_cookie(request: Request, response: Response, kind: Kind) -> None:
    response.delete_cookie(
        _name(request, kind),
        path="/",
        secure=is_encrypted(request),
        httponly=True,
        samesite=_SAME_SITE[kind],
    )


def _name(request: Request, kind: Kind) -> str:
    return f"__Host-{_NAMES[kind]}" if is_encrypted(request) else _NAMES[kind]
