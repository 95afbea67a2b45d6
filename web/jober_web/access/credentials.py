"""Who asks: by an API token, or by the cookie of a session."""

from dataclasses import dataclass

from fastapi import Request

from jober.access import Actor, Session, Who
from jober.client.log_in import LogIn
from jober.client.people import People
from jober_web.access.cookies import cookie
from jober_web.dependencies import jober_of, settings_of

_BEARER = "bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """`who` asks; `session` where they came by a cookie, which a browser sends by itself."""

    who: Who
    session: Session | None = None


def people_of(request: Request) -> People:
    return People(jober_of(request))


def log_in_of(request: Request) -> LogIn:
    """The doors of the application: one for all requests, since it counts those who are in them."""
    state = request.app.state
    doors: LogIn | None = getattr(state, "jober_log_in", None)
    if doors is None or doors.jober is not jober_of(request):
        doors = state.jober_log_in = LogIn(jober_of(request), settings_of(request).access.times)
    return doors


def credentials_of(request: Request) -> Credentials | None:
    """Who asks; None for nobody that is known. Who sends a token that is none is nobody, whatever
    cookie they have."""
    header = request.headers.get("Authorization")
    if header is not None:
        if header[: len(_BEARER)].lower() != _BEARER:
            return None
        who = people_of(request).bearer(header[len(_BEARER) :].strip())
        return None if who is None else Credentials(who=who)
    session = log_in_of(request).known(cookie(request, "session"))
    return None if session is None else Credentials(who=session.who, session=session)


def address_of(request: Request) -> str:
    """Where the request comes from, as far as we know."""
    return request.client.host if request.client else "local"


def actor_of(request: Request, who: Who) -> Actor:
    return Actor(name=who.name, via=who.credential, address=address_of(request))
