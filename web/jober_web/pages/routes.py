"""All pages; none is in the description of the API."""

from fastapi import APIRouter

from jober_web.pages import (
    agents,
    editor,
    events,
    fire,
    job,
    jobs,
    limits,
    log,
    look,
    now,
    run,
    runs,
    timeline,
)

router = APIRouter(include_in_schema=False)
for part in (now, timeline, jobs, editor, job, fire, runs, log, run, agents, limits, events, look):
    router.include_router(part.router)
