"""Access for programs: who one is, users, tokens, and the audit log."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from jober.access.audit import AuditFilter
from jober.access.user import told as limits_told
from jober.client.moments import read_span_s
from jober_web.access.credentials import actor_of, people_of
from jober_web.access.guard import FleetAdmin, Viewer
from jober_web.access.route import noted
from jober_web.api.route import ApiRoute

router = APIRouter(route_class=ApiRoute, tags=["access"])

Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=100, description="What the page before told as `next`; default: from the first."
    ),
]
Names = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=100)]


class NewToken(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=100, description="What it is for.")
    scope: str = Field("viewer", max_length=20, description="viewer, operator or admin.")
    tags: Names | None = Field(None, description="For jobs with one of these tags alone.")
    roles: Names | None = Field(
        None, description="For jobs that run on hosts with these roles alone."
    )
    user: str | None = Field(None, max_length=100, description="Whose it is; default: nobody's.")
    expires: str = Field("90d", max_length=20, description="How long it is good for, as 12h.")


@router.get("/me", name="api:me")
def me(who: Viewer) -> dict[str, Any]:
    """Who asks, and what they may do."""
    return {
        "name": who.name,
        "scope": str(who.scope),
        "tags": limits_told(who.tags),
        "roles": limits_told(who.roles),
        "user": who.user,
    }


@router.get("/users", name="api:users")
def users(
    request: Request, who: FleetAdmin, limit: Limit = 100, cursor: Cursor = None
) -> dict[str, Any]:
    """The users, in order of their names."""
    found = people_of(request).users(limit, cursor)
    following = found[-1].name if len(found) == limit else None
    return {"items": [user.to_dict() for user in found], "next": following}


@router.get("/tokens", name="api:tokens")
def tokens(
    request: Request,
    who: FleetAdmin,
    limit: Limit = 100,
    cursor: Annotated[int, Query(ge=0, le=1_000_000, description="As `next` told it.")] = 0,
) -> dict[str, Any]:
    """The API tokens: the one that expires next is first. Nothing of their secrets."""
    found = people_of(request).tokens(limit, cursor)
    following = cursor + limit if len(found) == limit else None
    return {"items": [token.to_dict() for token in found], "next": following}


@router.post("/tokens", name="api:tokens.create", status_code=201)
@noted
def create_token(request: Request, who: FleetAdmin, new: NewToken) -> dict[str, Any]:
    """Make a token. Its `token` is told here, and never again."""
    made, text = people_of(request).make_token(
        new.name,
        new.scope,
        actor_of(request, who),
        tags=new.tags,
        roles=new.roles,
        user=new.user,
        life_s=read_span_s(new.expires, "expires"),
        maker=who,
    )
    return {**made.to_dict(), "token": text}


@router.delete("/tokens/{id}", name="api:tokens.revoke", status_code=204)
@noted
def revoke_token(request: Request, who: FleetAdmin, id: str) -> None:
    """Revoke a token: it opens nothing from now on."""
    people_of(request).revoke_token(id, actor_of(request, who))


@router.get("/audit", name="api:audit")
def audit(
    request: Request,
    who: FleetAdmin,
    by: Annotated[str | None, Query(max_length=300, description="What that one did.")] = None,
    action: Annotated[
        str | None, Query(max_length=100, description="As `login`, or `token.*`.")
    ] = None,
    object: Annotated[str | None, Query(max_length=300, description="Done to that.")] = None,
    outcome: Annotated[
        str | None, Query(max_length=20, description="done, refused or failed.")
    ] = None,
    limit: Limit = 100,
    cursor: Annotated[
        str | None,
        Query(pattern=r"^\d{1,18}-\d{1,18}$", description="As `next` told it."),
    ] = None,
) -> dict[str, Any]:
    """Who did what, newest first. A page may have none though there are more: `next` tells."""
    wanted = AuditFilter(who=by, action=action, object=object, outcome=outcome)
    found, following = people_of(request).audit(limit, cursor, wanted)
    return {"items": [entry.to_dict() for entry in found], "next": following}
