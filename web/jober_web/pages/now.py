"""What goes on now."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from jober_web.access.guard import Viewer
from jober_web.dependencies import JoberDep
from jober_web.pages.templates import templates

router = APIRouter()


@router.get("/", name="now", response_class=HTMLResponse)
def now(request: Request, jober: JoberDep, who: Viewer) -> HTMLResponse:
    """The first page."""
    return templates.TemplateResponse(request, "now.html", {"leader": jober.leader(), "who": who})
