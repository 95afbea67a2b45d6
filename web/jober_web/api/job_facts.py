"""What is known of a job: its coming fires, its decisions, what it was, what is around it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from jober.client.decisions import LEDGER_KEPT
from jober.client.moments import read_moment_ms
from jober_web.access.guard import Viewer
from jober_web.api.documented import problems
from jober_web.api.fires import told_coming
from jober_web.api.models import Fires, GraphOut, Ledger, Revisions, ServiceOut, WhyOut
from jober_web.api.paging import LIMIT, After, Limit, page
from jober_web.api.route import ApiRoute
from jober_web.dependencies import JoberDep
from jober_web.problems import Problem
from jober_web.sight import seen_job

router = APIRouter(route_class=ApiRoute, tags=["jobs"])

_AROUND = 200


@router.get("/jobs/{name}/fires", name="api:fires", response_model=Fires, responses=problems(404))
def fires(
    jober: JoberDep,
    who: Viewer,
    name: str,
    n: Annotated[int, Query(ge=1, le=100, description="How many.")] = 5,
) -> dict[str, Any]:
    """When a job fires next, with what a change to or from summer time does to a fire. One that is
    paused fires at none of these."""
    record = seen_job(jober, who, name)
    return {"items": told_coming(record, jober.now_ms(), n)}


@router.get("/jobs/{name}/why", name="api:why", response_model=WhyOut, responses=problems(404))
def why(
    jober: JoberDep,
    who: Viewer,
    name: str,
    at: Annotated[
        str | None,
        Query(
            max_length=100, description="ISO text, or `2h` for so long ago; default: the newest."
        ),
    ] = None,
) -> dict[str, Any]:
    """Why the fire at a moment ran, was skipped or missed, or is none."""
    seen_job(jober, who, name)
    at_ms = None if at is None else read_moment_ms(at, "at", jober.now_ms())
    return jober.why(name, at_ms).to_dict()


@router.get(
    "/jobs/{name}/ledger", name="api:ledger", response_model=Ledger, responses=problems(404)
)
def ledger(
    jober: JoberDep, who: Viewer, name: str, after: After, limit: Limit = LIMIT
) -> dict[str, Any]:
    """What was decided of its fires, the newest fire first."""
    seen_job(jober, who, name)
    entries = jober.ledger(name, LEDGER_KEPT)
    first = 0
    if after is not None:
        places = [place for place, entry in enumerate(entries) if entry.id == after]
        if not places:
            raise Problem(410, "what the cursor stands for is kept no more: begin anew")
        first = places[0] + 1
    items = entries[first : first + limit]
    more = len(entries) > first + limit
    return page([entry.to_dict() for entry in items], items[-1].id if more else None)


@router.get(
    "/jobs/{name}/revisions",
    name="api:revisions",
    response_model=Revisions,
    responses=problems(404),
)
def revisions(jober: JoberDep, who: Viewer, name: str) -> dict[str, Any]:
    """The definitions that it has had and that are kept, the newest first."""
    seen_job(jober, who, name)
    found = jober.revisions(name)
    return {
        "items": [
            {"revision": revision, "definition": job.spec()}
            for revision, job in found.items()
            if who.sees(job)
        ]
    }


@router.get(
    "/jobs/{name}/graph", name="api:graph", response_model=GraphOut, responses=problems(404)
)
def graph(jober: JoberDep, who: Viewer, name: str) -> dict[str, Any]:
    """The jobs that come before and after it, step by step."""
    seen_job(jober, who, name)
    found = jober.graph_around(name, _AROUND)
    if found is None:
        return {"jobs": [name], "edges": [], "cut": True}
    around = found.around(name)
    seen = {one.name for one in jober.find_those(around) if who.sees(one.job)}
    return {
        "jobs": [one for one in around if one in seen],
        "edges": [
            {"earlier": edge.earlier, "later": edge.later, "kind": edge.kind}
            for edge in found.edges(seen)
        ],
        "cut": False,
    }


@router.get(
    "/jobs/{name}/service", name="api:service", response_model=ServiceOut, responses=problems(404)
)
def service(jober: JoberDep, who: Viewer, name: str) -> dict[str, Any]:
    """How a service stands, place by place; any other job has none."""
    seen_job(jober, who, name)
    found = jober.service(name)
    return {"places": [place.to_dict() for place in found.places] if found else []}
