"""The page of a job, as it is sent."""

from jober.service import ANY, PlaceState, ServiceAction, ServiceStart
from tests.store.hand import Hand
from tests.web.conftest import Web


def test_the_page_of_a_service_tells_how_each_of_its_places_stands(web: Web, hand: Hand) -> None:
    hand.job("gateway", service=True)
    hand.agent()
    start = ServiceAction(
        job="gateway",
        revision=1,
        place=ANY,
        before="",
        after=PlaceState(run="gateway-s1", restarts=2),
        start=ServiceStart(id="gateway-s1"),
    )
    assert web.jober.store.services.serve(hand.token, [start]) == [True]
    waits = web.client.get("/jobs/gateway")
    assert (waits.status_code, "<dd>waiting, 2 restarts</dd>" in waits.text) == (200, True)
    hand.claim()
    runs = web.client.get("/jobs/gateway")
    assert "<dd>starting on host1 for " in runs.text


def test_the_page_says_on_how_many_hosts_it_runs_as_the_command_line_does(
    web: Web, hand: Hand
) -> None:
    hand.job("one", on=1, roles=["db"], prefer="spread")
    assert "<dd>1 host with role db, prefer spread</dd>" in web.client.get("/jobs/one").text
