"""All routes there are: each demands a scope, and none changes anything by GET."""

import re
from dataclasses import dataclass
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

import jober_web
from jober.access import Scope
from jober_web import create_app
from jober_web.access.guard import Demand, Viewer, demands_of, is_public
from jober_web.access.route import GuardedRoute
from tests.store.hand import Hand
from tests.web.conftest import Web

# That by which one logs in, and what pages are made of. To add one, say here why.
PUBLIC = {
    "static",  # the same for all
    "log_in",
    "log_in.post",
    "link",
    "link.post",
    "oidc.start",
    "oidc.callback",
}
SAFE = {"GET", "HEAD"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route of an application, with all prefixes."""

    path: str
    name: str
    methods: frozenset[str]
    made: APIRoute

    def filled(self, value: str = "something") -> str:
        """The path, with that in the place of each parameter."""
        return re.sub(r"{\w+(:\w+)?}", value, self.path)

    @property
    def demands(self) -> list[Demand]:
        return demands_of(self.made.dependant)


def routes_of(app: FastAPI) -> list[Route]:
    found = []
    for context in iter_route_contexts(app.routes):
        made = context.original_route
        if str(context.path).startswith(("/docs", "/redoc", "/openapi.json")):
            continue  # of FastAPI itself, in an application of somebody else
        assert isinstance(made, APIRoute), f"{context.path} is mounted: who looks after it?"
        methods = frozenset(context.methods or ())
        found.append(
            Route(path=str(context.path), name=str(context.name), methods=methods, made=made)
        )
    return found


ROUTES = routes_of(create_app())
GUARDED = [route for route in ROUTES if route.name not in PUBLIC]


CALLS = [
    (route, method, route.filled())
    for route in GUARDED
    for method in sorted(route.methods - {"HEAD"})
]
IDS = [f"{method} {path}" for _, method, path in CALLS]


def demand_of(route: Route) -> Demand:
    return max(route.demands, key=lambda one: one.scope)


def test_every_route_stands_behind_a_guard_but_those_by_which_one_logs_in() -> None:
    assert {route.name for route in ROUTES if is_public(route.made.endpoint)} | {"static"} == PUBLIC
    for route in GUARDED:
        assert isinstance(route.made, GuardedRoute), f"{route.path} has another class"
        assert route.demands, f"{route.path} demands nothing"


def test_a_route_without_a_guard_cannot_be_made() -> None:
    router = APIRouter(route_class=GuardedRoute)
    with pytest.raises(TypeError, match="/open takes no Viewer, Operator or Admin"):
        router.get("/open")(lambda: "come in")


def test_what_changes_something_demands_more_than_looking_but_for_ones_own() -> None:
    own = {"log_out", "account.password", "account.tokens.create", "account.tokens.revoke"}
    for route in GUARDED:
        if not route.methods <= SAFE and demand_of(route).scope is Scope.VIEWER:
            assert route.name in own | {"theme", "look", "zone"}, f"{route.name}: a viewer changes"


@pytest.mark.parametrize(("route", "method", "path"), CALLS, ids=IDS)
def test_who_is_not_known_is_let_in_nowhere(web: Web, route: Route, method: str, path: str) -> None:
    is_api = path.startswith("/api/")
    for token in (None, "jober_" + "a" * 10 + "_" + "A" * 43, "nonsense"):
        with web.browser(token) as client:
            answer = client.request(method, path, content=b"{" if method != "GET" else None)
        if is_api:
            assert answer.status_code == 401, answer.text
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert answer.headers["Content-Type"] == "application/problem+json"
        else:
            assert answer.status_code == 303
            assert answer.headers["Location"].startswith("/login")


@pytest.mark.parametrize(("route", "method", "path"), CALLS, ids=IDS)
def test_who_may_less_than_a_route_demands_is_refused(
    web: Web, route: Route, method: str, path: str
) -> None:
    demand = demand_of(route)
    lesser = [scope for scope in Scope if scope < demand.scope]
    tokens = [web.token(scope) for scope in lesser]
    if demand.of_the_fleet:
        tokens.append(web.token(demand.scope, tags=["backup"]))
    for token in tokens:
        with web.browser(token) as client:
            answer = client.request(method, path, content=b"{" if method != "GET" else None)
        assert answer.status_code == 403, answer.text


def _all_of_it(web: Web) -> dict[bytes, bytes]:
    """All that Redis holds, but for when somebody was seen last."""
    command = web.jober.store.connection.command
    found = {}
    for key in command("KEYS", "*"):
        if key.startswith((b"jober:token:", b"jober:session:")):
            continue
        found[key] = command("DUMP", key)
    return found


def test_no_get_changes_anything(web: Web, hand: Hand) -> None:
    hand.job("something")
    run = hand.run("something")
    with web.browser() as nobody:
        for client in (web.client, nobody):
            for route in ROUTES:
                if "GET" not in route.methods:
                    continue
                for id in ("something", run):
                    before = _all_of_it(web)
                    path = route.filled(id)
                    with client.stream("GET", path) as answer:
                        assert answer.status_code < 500
                    assert _all_of_it(web) == before, f"GET {path} has changed something"


def test_an_application_of_somebody_else_has_the_same_guards() -> None:
    app = FastAPI()
    app.include_router(jober_web.router, prefix="/tools/jober")
    for route in routes_of(app):
        if route.name not in PUBLIC:
            assert route.path.startswith("/tools/jober/")
            assert isinstance(route.made, GuardedRoute)
            assert route.demands


def test_a_guard_is_found_however_deep_it_is() -> None:
    def deeper(who: Viewer) -> str:
        return who.name

    def route(name: Annotated[str, Depends(deeper)]) -> str:
        return name

    router = APIRouter(route_class=GuardedRoute)
    router.get("/deep")(route)
    [made] = router.routes
    assert isinstance(made, APIRoute)
    assert [one.scope for one in demands_of(made.dependant)] == [Scope.VIEWER]
