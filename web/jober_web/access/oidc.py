"""The log-in by OpenID Connect.

The browser gets a cookie, and goes to the other server with a state that is good once, and for this
browser alone. What comes back is a GET, the only one that begins a session: it has to have that
state, a code that only who knows the verifier (PKCE) can turn into anything, and a nonce that the
server has signed.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from jober.access import Actor, Who
from jober.access.audit import Outcome
from jober.access.secret import hashed, is_same, new_secret
from jober_web.access.cookies import cookie, drop_cookie, set_cookie
from jober_web.access.credentials import address_of, log_in_of, people_of
from jober_web.access.csrf import check_csrf
from jober_web.access.guard import public
from jober_web.access.log_in import begin
from jober_web.access.oidc_settings import OidcError, OidcSettings
from jober_web.access.places import own_path, path_of
from jober_web.access.route import noted
from jober_web.dependencies import settings_of
from jober_web.pages.route import PageRoute
from jober_web.problems import Problem

router = APIRouter(route_class=PageRoute, include_in_schema=False)

T = TypeVar("T")

_LIVES_S = 600
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")


@router.post("/login/oidc", name="oidc.start")
@noted
@public
async def start(request: Request, next: Annotated[str, Form()] = "") -> Response:
    """Go and ask the other server."""
    provider = _provider(request)
    await check_csrf(request, "login")
    browser, nonce, verifier = new_secret(), new_secret(), new_secret()
    kept = {
        "nonce": nonce,
        "verifier": verifier,
        "browser": hashed(browser),
        "next": own_path(next, path_of(request, "now")),
    }
    state = await run_in_threadpool(log_in_of(request).keep, "oidc", kept, _LIVES_S)
    url = await _ask(provider.begin, _redirect(request), state, nonce, verifier)
    response = RedirectResponse(url, 303)
    set_cookie(request, response, "oidc", browser, _LIVES_S)
    return response


@router.get("/login/oidc/callback", name="oidc.callback")
@public
async def callback(
    request: Request, code: str = "", state: str = "", iss: str = "", error: str = ""
) -> Response:
    """What the other server sends the browser back to."""
    provider, settings = _provider(request), _settings(request)
    browser = cookie(request, "oidc")
    kept: dict[str, Any] | None = None
    if browser and state:
        kept = await run_in_threadpool(log_in_of(request).taken, "oidc", state)
    if kept is None or not is_same(hashed(browser), str(kept["browser"])):
        raise Problem(
            403, "this log-in was not begun in this browser, or too long ago; begin again"
        )
    if iss and iss != settings.issuer:
        raise Problem(403, "this is the answer of another server than was asked; begin again")
    if error or not code:
        raise Problem(403, f"{settings.title} has let nobody in: {error[:100] or 'no code'}")
    claims = await _ask(provider.claims, _redirect(request), code, kept["nonce"], kept["verifier"])
    name = _name(str(claims["sub"]))
    title = str(claims.get("preferred_username") or claims.get("email") or name)[:100]
    scope = settings.scope_of(claims)
    if scope is None:
        actor = Actor(name=name, via="oidc", address=address_of(request))
        await run_in_threadpool(
            people_of(request).note, actor, "login", title, Outcome.REFUSED, "no scope"
        )
        raise Problem(
            403, f"{title} may not use jober: {settings.claim} has none of the values that may"
        )
    opened = await run_in_threadpool(
        log_in_of(request).as_told,
        Who(name=name, scope=scope),
        title,
        address_of(request),
        cookie(request, "session"),
    )
    response = begin(request, opened, str(kept["next"]))
    drop_cookie(request, response, "oidc")
    return response


async def _ask(call: Callable[..., T], *args: object) -> T:
    """Raises Problem 502 where the other server does not answer, or cannot be believed."""
    try:
        return await run_in_threadpool(call, *args)
    except OidcError as error:
        raise Problem(502, str(error)) from None


def _settings(request: Request) -> OidcSettings:
    """Raises Problem 404 where nobody is logged in so."""
    settings = settings_of(request).access.oidc
    if settings is None:
        raise Problem(404, "there is no log-in by OpenID Connect here")
    return settings


def _provider(request: Request) -> Any:
    """The server: one for all requests, since it keeps what it has been told."""
    settings = _settings(request)
    state = request.app.state
    if getattr(state, "jober_oidc", None) is None:
        # Here: it is an extra.
        from jober_web.access.oidc_provider import Provider

        state.jober_oidc = Provider(settings)
    return state.jober_oidc


def _redirect(request: Request) -> str:
    """Where the other server is to send the browser."""
    public_url = settings_of(request).access.public_url
    place = request.url_for("oidc.callback")
    if public_url is None:
        return str(place)
    parts = urlsplit(public_url)
    return f"{parts.scheme}://{parts.netloc}{place.path}"


def _name(sub: str) -> str:
    """How the audit log calls them: by what the other server never gives to another one."""
    plain = sub if _PLAIN.fullmatch(sub) else hashlib.sha256(sub.encode()).hexdigest()[:32]
    return f"oidc:{plain}"
