"""Definitions: listed, looked for, read, written, previewed."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from jober.client import Jober, JobRecord, LaterJob
from jober.errors import JobNotFound, JobRevised
from jober.job_filter import JobFilter
from jober_web.access.guard import Admin, Operator, Viewer
from jober_web.api.documented import problems
from jober_web.api.fires import told_fires
from jober_web.api.models import Fields, JobOut, JobPage, Preview
from jober_web.api.paging import LIMIT, After, Limit, page
from jober_web.api.revision import etag, is_unchanged, required_revision, wanted_revisions
from jober_web.api.route import ApiRoute
from jober_web.dependencies import JoberDep
from jober_web.problems import Problem
from jober_web.sight import must_define, seen_job, seen_jobs

router = APIRouter(route_class=ApiRoute, tags=["jobs"])

IfMatch = Annotated[
    str | None, Header(description='The ETag of the revision that is meant, as `"3"`.')
]
_TAGGED: dict[str, Any] = {
    "headers": {"ETag": {"description": "The revision.", "schema": {"type": "string"}}}
}
_PREVIEWED = 5


@router.get("/jobs", name="api:jobs", response_model=JobPage, responses=problems())
def list_jobs(
    jober: JoberDep,
    who: Viewer,
    after: After,
    q: Annotated[str, Query(max_length=200, description="A part of the name.")] = "",
    tag: Annotated[str | None, Query(max_length=200)] = None,
    role: Annotated[str | None, Query(max_length=200, description="One it asks for.")] = None,
    state: Annotated[str | None, Query(pattern="^(active|paused)$")] = None,
    limit: Limit = LIMIT,
) -> dict[str, Any]:
    """A page of jobs by name. Where few are what is looked for, a page may be short, and yet have a
    `next` one."""
    wanted = JobFilter(
        text=q,
        tag=tag,
        role=role,
        paused=None if state is None else state == "paused",
    )
    found = seen_jobs(jober, who, wanted, after, limit)
    rows: list[JobRecord | LaterJob] = [*found.jobs, *found.later]
    rows.sort(key=lambda one: one.name)
    return page([one.to_dict() for one in rows], found.next)


@router.post("/jobs/preview", name="api:preview", response_model=Preview, responses=problems())
def preview(
    jober: JoberDep,
    who: Operator,
    fields: Fields,
    name: Annotated[str, Query(max_length=200)] = "preview",
) -> dict[str, Any]:
    """What a definition would be, and when it would fire next; nothing is written. What is wrong
    with it is told as by PUT."""
    job = jober.defined(name, fields.root)
    now_ms = jober.now_ms()
    return {
        "description": job.description,
        "schedule": job.schedule_text,
        "definition": job.spec(),
        "fires": told_fires(job, now_ms, now_ms, _PREVIEWED),
    }


@router.get(
    "/jobs/{name}",
    name="api:job",
    response_model=JobOut,
    responses={**problems(404), 200: _TAGGED, 304: {"description": "It is as it was."}},
)
def get_job(
    jober: JoberDep,
    who: Viewer,
    name: str,
    response: Response,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Any:
    """One job."""
    record = seen_job(jober, who, name)
    if is_unchanged(if_none_match, record.revision):
        return Response(status_code=304, headers={"ETag": etag(record.revision)})
    return _answer(record, response)


@router.put(
    "/jobs/{name}",
    name="api:put_job",
    response_model=JobOut,
    responses={
        **problems(409, 412, 428),
        200: _TAGGED,
        201: {**_TAGGED, "description": "It is new.", "model": JobOut},
    },
)
def put_job(
    jober: JoberDep,
    who: Admin,
    name: str,
    fields: Fields,
    request: Request,
    response: Response,
    if_match: IfMatch = None,
    if_none_match: Annotated[
        str | None, Header(description="`*`: only where there is no such job.")
    ] = None,
) -> Any:
    """Make the definition of a job these fields, and no others. One that is there is replaced with
    `If-Match` alone, so that nobody writes over what they have not seen."""
    old = _known(jober, name)
    revision = None if old is None else old.revision
    if if_none_match is not None and if_none_match.strip() == "*":
        if revision is not None:
            raise Problem(412, f"job '{name}' is there already, at revision {revision}")
        required: int | None = 0
    elif if_match is not None:
        required = required_revision(revision, wanted_revisions(if_match))
        required = revision if required is None else required
        if required is None:
            raise Problem(412, f"If-Match is for a job that is there, and '{name}' is not")
    elif revision is not None:
        raise _say_which(name)
    else:
        required = 0
    must_define(who, *([old.job] if old else []), jober.defined(name, fields.root))
    try:
        is_new = jober.put_job(name, fields.root, revision=required)
    except JobRevised as error:
        if required == 0 and if_none_match is None:
            raise _say_which(name) from error
        raise
    if is_new:
        response.status_code = 201
        response.headers["Location"] = request.url_for("api:job", name=name).path
    return _answer(jober.job(name), response)


@router.patch(
    "/jobs/{name}",
    name="api:patch_job",
    response_model=JobOut,
    responses={**problems(404, 409, 412), 200: _TAGGED},
)
def patch_job(
    jober: JoberDep,
    who: Admin,
    name: str,
    fields: Fields,
    response: Response,
    if_match: IfMatch = None,
    force: Annotated[bool, Query(description="A protected one too.")] = False,
) -> Any:
    """Change some fields of a job; null gives one its default back."""
    record = seen_job(jober, who, name)
    required = required_revision(record.revision, wanted_revisions(if_match))
    for wrong in ("name", "force", "revision"):
        if wrong in fields.root:
            told = "it is no field of a definition"
            raise Problem(422, f"{wrong}: {told}", [{"field": wrong, "message": told}])
    new = jober.redefined(record.job, fields.root)
    must_define(who, record.job, new)
    if who.is_limited:
        # What was looked at is what is changed.
        required = record.revision
    return _answer(jober.update_job(name, revision=required, force=force, **fields.root), response)


@router.delete(
    "/jobs/{name}", name="api:delete_job", status_code=204, responses=problems(404, 409, 412)
)
def delete_job(
    jober: JoberDep,
    who: Admin,
    name: str,
    if_match: IfMatch = None,
    force: Annotated[bool, Query(description="Though it is protected, or runs.")] = False,
) -> None:
    """Remove a job. What waits is cancelled, and its history is kept for a week."""
    record = seen_job(jober, who, name)
    required = required_revision(record.revision, wanted_revisions(if_match))
    jober.remove_job(name, revision=required, force=force)


def _known(jober: Jober, name: str) -> JobRecord | None:
    try:
        return jober.job(name)
    except JobNotFound:
        return None


def _say_which(name: str) -> Problem:
    told = "say which revision is to be replaced: its ETag"
    return Problem(
        428,
        f"job '{name}' is there already: {told} in If-Match",
        [{"field": "If-Match", "message": told}],
    )


def _answer(record: JobRecord, response: Response) -> dict[str, Any]:
    response.headers["ETag"] = etag(record.revision)
    return record.to_dict()
