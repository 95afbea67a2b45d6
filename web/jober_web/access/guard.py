"""What each route demands: `Viewer`, `Operator` or `Admin`, the Who of at least that scope; with
`Fleet` before it, of one who sees all jobs, since counts over all tell of each.

A route that demands nothing of it is made by nobody but `route`, and for those that are `public`.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from starlette.concurrency import run_in_threadpool

from jober.access.audit import Outcome
from jober.errors import RedisUnavailable
from jober_web.access.credentials import Credentials, actor_of, credentials_of, people_of
from jober_web.access.csrf import SAFE_METHODS, check_csrf
from jober_web.access.who import Scope, Who
from jober_web.problems import Problem

F = TypeVar("F", bound=Callable[..., Any])


class NotLoggedIn(Problem):
    """Nobody that is known asks."""

    def __init__(self) -> None:
        super().__init__(
            401,
            "log in, or send an API token: Authorization: Bearer jober_…",
            headers={"WWW-Authenticate": 'Bearer realm="jober"'},
        )


class Demand:
    """The Who of a request, where it is of a scope; a dependency of routes."""

    def __init__(self, scope: Scope, *, of_the_fleet: bool = False) -> None:
        self.scope = scope
        self.of_the_fleet = of_the_fleet

    async def __call__(self, request: Request) -> Who:
        """Raises NotLoggedIn, and Problem 403."""
        found = await credentials(request)
        if found is None:
            raise NotLoggedIn
        if found.session is not None and request.method not in SAFE_METHODS:
            await check_csrf(request, "session")
        self.check(found.who)
        return found.who

    def check(self, who: Who) -> None:
        """Raises Problem 403."""
        if not who.may(self.scope):
            raise Problem(403, f"this is for one who is {self.scope}; {who.name} is {who.scope}")
        if self.of_the_fleet and who.is_limited:
            raise Problem(403, f"this tells of all jobs; {who.name} may see some of them")


async def credentials(request: Request) -> Credentials | None:
    """Who asks; looked up once in a request."""
    state = request.state
    if not hasattr(state, "jober_credentials"):
        state.jober_credentials = await run_in_threadpool(credentials_of, request)
    found: Credentials | None = state.jober_credentials
    return found


async def still_is(request: Request, who: Who) -> bool:
    """Whether whoever asked is known as before, with the same rights: of what goes on for long.
    While Redis is away nobody can tell, and it goes on."""
    try:
        found = await run_in_threadpool(credentials_of, request)
    except RedisUnavailable:
        return True
    return found is not None and found.who == who


def known_credentials(request: Request) -> Credentials | None:
    """The same, of a request that a guard has let through."""
    return getattr(request.state, "jober_credentials", None)


def public(endpoint: F) -> F:
    """A route that asks nobody who they are: that by which one logs in."""
    endpoint.jober_is_public = True  # type: ignore[attr-defined]
    return endpoint


def is_public(endpoint: Callable[..., Any]) -> bool:
    return getattr(endpoint, "jober_is_public", False)


def demands_of(dependant: Dependant) -> list[Demand]:
    """What a route demands, in all that it depends on."""
    found = [dependant.call] if isinstance(dependant.call, Demand) else []
    return found + [one for inner in dependant.dependencies for one in demands_of(inner)]


async def note(request: Request, action: str, object: str, outcome: Outcome, detail: str) -> None:
    """Note in the audit log what a request did, where somebody that is known has made it."""
    found = known_credentials(request)
    if found is not None:
        actor = actor_of(request, found.who)
        noted = people_of(request).note
        await run_in_threadpool(noted, actor, action, object, outcome, detail)


Viewer = Annotated[Who, Depends(Demand(Scope.VIEWER))]
Operator = Annotated[Who, Depends(Demand(Scope.OPERATOR))]
Admin = Annotated[Who, Depends(Demand(Scope.ADMIN))]
FleetViewer = Annotated[Who, Depends(Demand(Scope.VIEWER, of_the_fleet=True))]
FleetOperator = Annotated[Who, Depends(Demand(Scope.OPERATOR, of_the_fleet=True))]
FleetAdmin = Annotated[Who, Depends(Demand(Scope.ADMIN, of_the_fleet=True))]
