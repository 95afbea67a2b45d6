"""What one may do about oneself: another password, and API tokens of one's own."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from jober.access import Scope
from jober.access.errors import WrongLogin
from jober.access.secret import hashed
from jober.client.moments import read_span_s
from jober.errors import JoberError
from jober_web.access.cookies import cookie
from jober_web.access.credentials import actor_of, log_in_of, people_of
from jober_web.access.csrf import csrf_token
from jober_web.access.guard import Viewer
from jober_web.access.places import path_of
from jober_web.access.route import noted
from jober_web.access.who import Who
from jober_web.pages.page import page_of
from jober_web.pages.route import PageRoute
from jober_web.pages.templates import templates
from jober_web.problems import Problem

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Text = Annotated[str, Form()]
_LISTED = 200


@router.get("/account", name="account", response_class=HTMLResponse)
def account(request: Request, who: Viewer) -> Response:
    """Who one is, and the tokens that one has."""
    return _page(request, who)


@router.post("/account/password", name="account.password")
@noted
def password(
    request: Request, who: Viewer, current: Text = "", new: Text = "", again: Text = ""
) -> Response:
    """Another password: all other sessions end."""
    name = _user(who)
    if new != again:
        return _page(request, who, "the two new passwords differ", 422)
    actor = actor_of(request, who)
    try:
        had = log_in_of(request).check_own_password(name, current, actor)
    except WrongLogin:
        return _page(request, who, "the current password is wrong", 403)
    own = hashed(cookie(request, "session"))
    try:
        people_of(request).set_password(name, new, actor, but_session=own, had=had)
    except JoberError as error:
        return _page(request, who, str(error), 422)
    return _page(request, who, done="The password is another now; all other sessions have ended.")


@router.post("/account/tokens", name="account.tokens.create", response_class=HTMLResponse)
@noted
def create_token(
    request: Request,
    who: Viewer,
    name: Text = "",
    scope: Text = "viewer",
    expires: Text = "90d",
    tags: Text = "",
    roles: Text = "",
) -> Response:
    """Make a token of one's own, and show it once."""
    user = _user(who)
    try:
        _, text = people_of(request).make_token(
            name,
            scope,
            actor_of(request, who),
            tags=_words(tags),
            roles=_words(roles),
            user=user,
            life_s=read_span_s(expires, "expires"),
            maker=who,
        )
    except JoberError as error:
        return _page(request, who, str(error), 422)
    return _page(request, who, token=text)


@router.post("/account/tokens/{id}/revoke", name="account.tokens.revoke")
@noted
def revoke_token(request: Request, who: Viewer, id: str) -> Response:
    """Revoke a token of one's own."""
    people_of(request).revoke_token(id, actor_of(request, who), user=_user(who))
    return RedirectResponse(path_of(request, "account"), 303)


def _user(who: Who) -> str:
    """Raises Problem 403 for one who is no user, or came by a token: it makes no others."""
    if who.user is None or not who.credential.startswith("session:"):
        raise Problem(403, "this is for users who have logged in with a password")
    return who.user


def _words(text: str) -> Sequence[str]:
    return [word for word in text.replace(",", " ").split() if word]


def _page(
    request: Request,
    who: Who,
    problem: str = "",
    status: int = 200,
    **told: Any,
) -> Response:
    tokens = people_of(request).tokens(_LISTED, user=who.user) if who.user else []
    context = {
        "who": who,
        "wall": page_of(request).wall,
        "tokens": tokens,
        "scopes": [scope for scope in Scope if scope <= who.scope],
        "problem": problem,
        "csrf_token": csrf_token(cookie(request, "session")),
        "done": "",
        "token": "",
        **told,
    }
    return templates.TemplateResponse(request, "access/account.html", context, status_code=status)
