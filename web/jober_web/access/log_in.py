"""The pages by which one comes and goes. A GET shows a form; what it leads to is a POST."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from jober.access.errors import TooManyTries, WrongLogin
from jober.access.secret import new_secret
from jober.client.log_in import Opened
from jober_web.access.cookies import cookie, drop_cookie, set_cookie
from jober_web.access.credentials import address_of, log_in_of, people_of
from jober_web.access.csrf import check_csrf, csrf_token
from jober_web.access.guard import Viewer, credentials, known_credentials, public
from jober_web.access.headers import content_policy
from jober_web.access.places import own_path, path_of
from jober_web.access.route import noted
from jober_web.dependencies import settings_of
from jober_web.pages.route import PageRoute
from jober_web.pages.templates import templates
from jober_web.problems import Problem

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Text = Annotated[str, Form()]


@router.get("/login", name="log_in", response_class=HTMLResponse)
@public
async def log_in_page(request: Request, next: str = "") -> Response:
    """The form; who is logged in is led on."""
    place = own_path(next, path_of(request, "now"))
    if await credentials(request) is not None:
        return RedirectResponse(place, 303)
    return await _form(request, place)


@router.post("/login", name="log_in.post")
@noted
@public
async def log_in(
    request: Request, user: Text = "", password: Text = "", next: Text = ""
) -> Response:
    """Begin a session, by a password."""
    place = own_path(next, path_of(request, "now"))
    try:
        await check_csrf(request, "login")
        opened = await run_in_threadpool(
            log_in_of(request).with_password,
            user.strip(),
            password,
            address_of(request),
            cookie(request, "session"),
        )
    except (WrongLogin, Problem) as error:
        status = error.status if isinstance(error, Problem) else 401
        return await _form(request, place, user, str(error), status)
    except TooManyTries as error:
        headers = {"Retry-After": str(error.retry_after_s)}
        return await _form(request, place, user, str(error), 429, headers)
    return begin(request, opened, place)


@router.get("/link/{secret}", name="link", response_class=HTMLResponse)
@public
async def link_page(request: Request, secret: str) -> Response:
    """What a link that is good once leads to. A look at it does not use it up: programs that look
    at links before people do are many."""
    return _with_login_cookie(request, "access/link.html", {"secret": secret})


@router.post("/link", name="link.post")
@noted
@public
async def link(request: Request, secret: Text = "") -> Response:
    """Begin a session, by a link."""
    await check_csrf(request, "login")
    try:
        opened = await run_in_threadpool(
            log_in_of(request).with_link, secret, address_of(request), cookie(request, "session")
        )
    except WrongLogin:
        raise Problem(
            401, "this link is good no more: it was used, or its time is over; make another"
        ) from None
    return begin(request, opened, path_of(request, "now"))


@router.post("/logout", name="log_out")
@noted
async def log_out(request: Request, who: Viewer, everywhere: Text = "") -> Response:
    """End the session, or all of whoever asks."""
    found = known_credentials(request)
    if found is not None and found.session is not None:
        doors = log_in_of(request)
        end = doors.log_out_everywhere if everywhere else doors.log_out
        await run_in_threadpool(end, found.session, address_of(request))
    response = RedirectResponse(path_of(request, "log_in"), 303)
    drop_cookie(request, response, "session")
    return response


def begin(request: Request, opened: Opened, place: str) -> Response:
    """Give the browser its session, and lead it on."""
    response = RedirectResponse(place, 303)
    times = log_in_of(request).times
    set_cookie(request, response, "session", opened.id, times.absolute_s)
    drop_cookie(request, response, "login")
    return response


async def _form(
    request: Request,
    place: str,
    user: str = "",
    problem: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    oidc = settings_of(request).access.oidc
    has_users = await run_in_threadpool(people_of(request).has_users)
    told = {
        "next": place,
        "user": user[:100],
        "problem": problem,
        "has_users": has_users,
        "oidc": oidc,
    }
    response = _with_login_cookie(request, "access/login.html", told, status)
    response.headers.update(headers or {})
    if oidc is not None:
        # A form of ours leads to a page of that server.
        response.headers["Content-Security-Policy"] = content_policy((oidc.origin,))
    return response


def _with_login_cookie(
    request: Request, template: str, told: Mapping[str, Any], status: int = 200
) -> Response:
    """A page with a form for one who is not known yet, whose token is made of a cookie too."""
    secret = cookie(request, "login") or new_secret()
    context = {**told, "csrf_token": csrf_token(secret)}
    response = templates.TemplateResponse(request, template, context, status_code=status)
    set_cookie(request, response, "login", secret)
    return response
