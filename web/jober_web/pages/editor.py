"""The editor of a definition: what is wrong stands at its field as one writes, beside the fires
that are to come."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from jober.client import JobRecord
from jober.client.finding import fires_after
from jober.errors import DefinitionError, JoberError, JobExistError
from jober.ids import check_job_name
from jober.job import Job
from jober_web.access.guard import Admin
from jober_web.pages.page import Page, PageDep
from jober_web.pages.route import PageRoute
from jober_web.pages.views.fires import FireLine, fire_lines
from jober_web.pages.views.form import FIELDS, OVERLAPS, WHATS, WHENS, filled, read, wrong_fields
from jober_web.problems import Problem
from jober_web.sight import must_define, seen_job

router = APIRouter(route_class=PageRoute)
_FIRES = 8
_AT_MOST = 200_000


async def form_of(request: Request) -> dict[str, str]:
    """The fields of the form as they were sent; what it does not have is passed over."""
    if int(request.headers.get("content-length") or 0) > _AT_MOST:
        raise Problem(413, f"a definition is at most {_AT_MOST} bytes")
    sent = await request.form()
    return {field: str(sent.get(field, ""))[:_AT_MOST] for field in (*FIELDS, "revision")}


FormDep = Annotated[dict[str, str], Depends(form_of)]


@router.get("/new-job", name="job_new")
def new(page: PageDep, who: Admin) -> HTMLResponse:
    """An empty form."""
    return _show(page, filled("", {}) | {"revision": ""}, {}, None, who=who)


@router.get("/jobs/{name}/edit", name="job_edit")
def edit(page: PageDep, who: Admin, name: str) -> HTMLResponse:
    """The form of a job."""
    record = seen_job(page.jober, who, name)
    form = filled(name, record.job.spec()) | {"revision": str(record.revision)}
    return _show(page, form, {}, record, who=who)


@router.post("/new-job/check", name="job_check")
def check(page: PageDep, who: Admin, form: FormDep) -> HTMLResponse:
    """What is wrong with a form, and when it would fire: parts of the page."""
    job, wrong = _job(page, form)
    return page.show("job_check.html", wrong=wrong, fields=FIELDS, **_preview(page, job))


@router.post("/new-job", name="job_add")
def add(page: PageDep, who: Admin, form: FormDep) -> Response:
    """Define a new job; with the form again where something is wrong."""
    job, wrong = _job(page, form)
    must_define(who, *([job] if job else []))
    if job is not None and not wrong:
        try:
            page.jober.add_job(job.name, **job.spec())
            return page.go("job", name=job.name)
        except JobExistError as error:
            wrong = {"name": str(error)}
        except DefinitionError as error:
            wrong = wrong_fields(error)
        except JoberError as error:
            wrong = {"more": str(error)}
    return _show(page, form, wrong, None, 422, who=who)


@router.post("/jobs/{name}/edit", name="job_change")
def change(page: PageDep, who: Admin, name: str, form: FormDep) -> Response:
    """Change a job, unless somebody else has meanwhile."""
    record = seen_job(page.jober, who, name)
    job, wrong = _job(page, form | {"name": name})
    must_define(who, record.job, *([job] if job else []))
    if job is not None and not wrong:
        try:
            page.jober.put_job(name, job.spec(), revision=_revision(form))
            return page.go("job", name=name)
        except DefinitionError as error:
            wrong = wrong_fields(error)
        except JoberError as error:
            wrong = {"more": str(error)}
    return _show(page, form | {"name": name}, wrong, record, 422, who=who)


def _revision(form: dict[str, str]) -> int:
    """The one that the form was filled with."""
    told = form["revision"]
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 7 else 0


def _job(page: Page, form: dict[str, str]) -> tuple[Job | None, dict[str, str]]:
    """The job of a form, or what is wrong with it."""
    told = read(form)
    if told.wrong:
        return None, dict(told.wrong)
    try:
        job = page.jober.defined(told.name or "job", told.spec)
        check_job_name(told.name)
    except DefinitionError as error:
        return None, wrong_fields(error)
    return job, {}


def _preview(page: Page, job: Job | None) -> dict[str, Any]:
    """When a job would fire, were it defined now."""
    wall = page.wall
    fires: tuple[FireLine, ...] = ()
    if job is not None and job.schedule is not None:
        soon: list[int] = []
        for fire in fires_after(job.schedule, wall.now_ms, wall.now_ms):
            soon.append(fire)
            if len(soon) == _FIRES:
                break
        fires = fire_lines(job.schedule, soon, wall.now_ms, wall)
    return {"job": job, "fires": fires, "wall": wall}


def _show(
    page: Page,
    form: dict[str, str],
    wrong: dict[str, str],
    record: JobRecord | None,
    status: int = 200,
    **context: Any,
) -> HTMLResponse:
    job = None if wrong or not form["what_value"] else _job(page, form)[0]
    return page.show(
        "job_edit.html",
        status,
        form=form,
        wrong=wrong,
        record=record,
        not_signed=page.jober.not_signed(record) if record else None,
        whats=WHATS,
        whens=WHENS,
        overlaps=OVERLAPS,
        **_preview(page, job),
        **context,
    )
