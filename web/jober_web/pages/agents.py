"""The agents: the hosts, their roles, and what operators order of them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse

from jober_web.access.guard import FleetAdmin, FleetViewer
from jober_web.pages.page import PageDep
from jober_web.pages.route import PageRoute
from jober_web.pages.views.agents import agents_view

router = APIRouter(route_class=PageRoute)
PAGE = 100

Text = Annotated[str, Query(max_length=300)]


@router.get("/agents", name="agents")
def agents(page: PageDep, who: FleetViewer, q: Text = "", after: Text = "") -> HTMLResponse:
    """A page of them; `q` is a part of a host's name, or a role."""
    wall = page.wall
    view = agents_view(page.jober.agents(), wall, text=q.strip(), after=after, limit=PAGE)
    return page.show("agents.html", view=view, q=q.strip(), wall=wall, who=who)


@router.post("/agents/{host}", name="agent_order")
def order(
    page: PageDep,
    who: FleetAdmin,
    host: str,
    do: Annotated[Literal["cordon", "uncordon", "drain"], Form()],
) -> RedirectResponse:
    """Cordon a host, so that it takes no new runs; uncordon it; or drain it, which cancels what
    runs there too."""
    if do == "uncordon":
        page.jober.uncordon(host)
    else:
        page.jober.cordon(host)
    if do == "drain":
        page.jober.cancel_on(host, f"{host} is drained by {who.name}")
    return page.go("agents")
