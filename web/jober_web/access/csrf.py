"""What another site makes a browser send is refused.

Two things have to hold: the browser does not say that the request comes from elsewhere (`Origin`,
`Sec-Fetch-Site`), and the request has a token that only our pages know, made of the cookie.
"""

from urllib.parse import urlsplit

from fastapi import Request

from jober.access.secret import derived, is_same
from jober_web.access.cookies import Kind, cookie
from jober_web.dependencies import settings_of
from jober_web.problems import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER, FIELD = "X-CSRF-Token", "csrf_token"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def csrf_token(secret: str) -> str:
    """What a form or a script of ours sends along; it does not tell the cookie."""
    return derived(secret, "csrf") if secret else ""


async def check_csrf(request: Request, kind: Kind) -> None:
    """Raises Problem 403 where the request may be another site's doing."""
    check_origin(request)
    expected = csrf_token(cookie(request, kind))
    given = request.headers.get(HEADER)
    if given is None and request.headers.get("Content-Type", "").startswith(_FORMS):
        told = (await request.form()).get(FIELD)
        given = told if isinstance(told, str) else None
    if not expected or given is None or not is_same(given, expected):
        raise Problem(
            403,
            "the page is out of date, or the request is not from a page of jober; load the page "
            f"again (a script sends {HEADER}, or uses an API token)",
        )


def check_origin(request: Request) -> None:
    """Raises Problem 403 where the browser says that another site is behind it."""
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    # Of a page that tells nobody where it is, browsers say "null"; then it is no page of ours, but
    # for those that were loaded with Referrer-Policy: no-referrer.
    if origin in (None, "null"):
        is_ours = site in ("same-origin", "none")
    else:
        known = {request.headers.get("Host", ""), _public_host(request)}
        is_ours = urlsplit(str(origin)).netloc.lower() in {host.lower() for host in known if host}
    if not is_ours:
        raise Problem(403, "the request comes from another site")


def _public_host(request: Request) -> str:
    return urlsplit(settings_of(request).access.public_url or "").netloc
