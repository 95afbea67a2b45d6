"""The calendars that jobs exclude."""

from typing import Any

from fastapi import APIRouter, Response

from jober.schedule import Calendar
from jober_web.access.guard import FleetAdmin, Viewer
from jober_web.api.documented import problems
from jober_web.api.models import CalendarAsked, CalendarOut, Calendars
from jober_web.api.route import ApiRoute
from jober_web.dependencies import JoberDep

router = APIRouter(route_class=ApiRoute, tags=["calendars"])


@router.get("/calendars", name="api:calendars", response_model=Calendars, responses=problems())
def list_calendars(jober: JoberDep, who: Viewer) -> dict[str, Any]:
    """All calendars, by name."""
    return {"items": [_told(calendar) for calendar in jober.calendars()]}


@router.get(
    "/calendars/{name}",
    name="api:calendar",
    response_model=CalendarOut,
    responses=problems(404),
)
def get_calendar(jober: JoberDep, who: Viewer, name: str) -> dict[str, Any]:
    """One calendar."""
    return _told(jober.calendar(name))


@router.put(
    "/calendars/{name}",
    name="api:put_calendar",
    response_model=CalendarOut,
    responses=problems(),
)
def put_calendar(
    jober: JoberDep, who: FleetAdmin, name: str, asked: CalendarAsked
) -> dict[str, Any]:
    """Make it these days. The jobs that exclude it are planned anew."""
    return _told(jober.set_calendar(name, asked.model_dump(exclude_none=True)))


@router.delete(
    "/calendars/{name}",
    name="api:delete_calendar",
    status_code=204,
    responses=problems(404, 409),
)
def delete_calendar(jober: JoberDep, who: FleetAdmin, name: str) -> Response:
    """Remove a calendar that no job names."""
    jober.remove_calendar(name)
    return Response(status_code=204)


def _told(calendar: Calendar) -> dict[str, Any]:
    spec = calendar.spec()
    return {"name": calendar.name, "title": spec.get("title"), "dates": spec["dates"]}
