"""What is done with a job: paused, resumed, run."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Request, Response

from jober.errors import DefinitionError
from jober_web.access.guard import Operator
from jober_web.api.documented import problems
from jober_web.api.models import Changed, RunAsked, Runs
from jober_web.api.route import ApiRoute
from jober_web.dependencies import JoberDep
from jober_web.sight import seen_job

router = APIRouter(route_class=ApiRoute, tags=["jobs"])

# Not for one run to say, or told by itself.
_NO_OPTIONS = frozenset(
    {"what", "args", "kwargs", "host", "shell", "detach", "id", "idempotency_key"}
    | {"with_needs", "with_dependents", "force", "self", "name"}
)


@router.post(
    "/jobs/{name}/pause", name="api:pause", response_model=Changed, responses=problems(404)
)
def pause(jober: JoberDep, who: Operator, name: str) -> dict[str, Any]:
    """It fires no more until it is resumed; a service is stopped."""
    seen_job(jober, who, name)
    return {"changed": jober.pause(name)}


@router.post(
    "/jobs/{name}/resume", name="api:resume", response_model=Changed, responses=problems(404)
)
def resume(jober: JoberDep, who: Operator, name: str) -> dict[str, Any]:
    """It fires again, and catches up as its definition says."""
    seen_job(jober, who, name)
    return {"changed": jober.resume(name)}


@router.post(
    "/jobs/{name}/runs",
    name="api:run_job",
    status_code=201,
    response_model=Runs,
    responses={
        **problems(404, 409),
        201: {
            "headers": {
                "Location": {"description": "Of the one run.", "schema": {"type": "string"}}
            }
        },
    },
)
def run_job(
    jober: JoberDep,
    who: Operator,
    name: str,
    request: Request,
    response: Response,
    asked: Annotated[RunAsked | None, Body()] = None,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=100,
            description="The same call with the same key gives the same run, for a day.",
        ),
    ] = None,
) -> dict[str, Any]:
    """Run a job now: on a host of its roles, on one, or on each."""
    asked = asked or RunAsked()
    seen_job(jober, who, name)
    if wrong := sorted(_NO_OPTIONS & asked.options.keys()):
        raise DefinitionError(
            "it stands beside the options, or is not for one run to say",
            field=f"options.{wrong[0]}",
            mend="timeout, retries, env and the like",
        )
    # Of two people with the same key, each has their own.
    key = None if idempotency_key is None else f"{who.name}:{idempotency_key}"
    if asked.everywhere:
        if asked.host is not None or asked.options:
            raise DefinitionError(
                "a run on each host takes neither a host nor options",
                field="everywhere",
                mend="leave one of them out",
            )
        handles = jober.run_everywhere(
            name,
            asked.args,
            asked.kwargs,
            with_needs=asked.with_needs,
            with_dependents=asked.with_dependents,
            force=asked.force,
            idempotency_key=key,
        )
    else:
        handle = jober.run(
            name,
            asked.args,
            asked.kwargs,
            host=asked.host,
            with_needs=asked.with_needs,
            with_dependents=asked.with_dependents,
            force=asked.force,
            idempotency_key=key,
            detach=True,
            **asked.options,
        )
        handles = [handle]
        response.headers["Location"] = request.url_for("api:get_run", id=handle.id).path
    return {"items": [handle.run.to_dict() for handle in handles]}
