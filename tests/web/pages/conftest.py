"""A browser for the tests of pages, and a small fleet for them to show."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from jober.output import Frame, Stream
from jober.run import RunState
from jober.store.outputs import Piece
from tests.store.hand import Hand
from tests.web.browser import Complaints, started
from tests.web.conftest import Web


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for the tests of a module, and no longer: while Playwright is there, asyncio takes the
    thread for one with a loop, in which no other test may call `asyncio.run`."""
    with started() as browser:
        yield browser


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser in Warsaw, in which nobody is logged in."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, timezone_id="Europe/Warsaw", color_scheme="light"
    )
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def complaints(context: BrowserContext) -> Iterator[Complaints]:
    """What the console says; a test that has not said what is meant to be there fails."""
    complaints = Complaints(context)
    yield complaints
    assert complaints.left == []


def log_in(context: BrowserContext, web: Web) -> Page:
    """A page of that browser, logged in as an admin, by a link."""
    page = context.new_page()
    page.goto(web.link())
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{web.url}/")
    return page


@pytest.fixture
def page(context: BrowserContext, complaints: Complaints, web: Web) -> Page:
    """A page of an admin, about which nothing may be complained of."""
    return log_in(context, web)


@pytest.fixture
def places(web: Web, hand: Hand) -> dict[str, str]:
    """A small fleet with something of everything; what stands in the addresses of its pages."""
    jober = web.jober
    hand.agent("alpha-aaaaaa", ("default", "db"))
    hand.agent("beta-aaaaaa", ("default", "web"))
    jober.set_limit("disk", 2)
    jober.add_job(
        "nightly",
        command=["backup", "--all"],
        cron="30 2 * * *",
        timezone="Europe/Warsaw",
        title="The backup of everything",
        tags=["night", "disk"],
        limits=["disk"],
        notes="Call somebody.\nIn the morning.",
    )
    jober.update_job("nightly", command=["backup", "--most"], timeout=60)
    jober.add_job("after", command="true", needs=["nightly"])
    jober.add_job("checks", command="true", every=60, on="every", overlap="allow")
    jober.add_job("paused", command="true", every=3600, title="a <b>title</b>")
    jober.pause("paused")
    fire = hand.fire_now("checks", "alpha", "beta")
    ids = [hand.run("nightly"), hand.run("after")]
    for agent in ("alpha-aaaaaa", "beta-aaaaaa"):
        for claim in hand.claim(agent):
            text = f"{claim.id}\n\x1b[1;31mred\x1b[0m <script>alert(1)</script>\n".encode()
            frames = (
                Frame(seq=1, stream=Stream.STDOUT, at_ms=fire, offset=0, data=text),
                Frame(seq=2, stream=Stream.STDERR, at_ms=fire, offset=len(text), data=b"oh\n"),
            )
            hand.store.outputs.add([Piece(run=claim.id, frames=frames)])
            is_bad = claim.job == "nightly"
            hand.finish(
                claim,
                RunState.FAILED if is_bad else RunState.SUCCESS,
                agent,
                exit_code=1 if is_bad else 0,
                cpu_s=0.5,
                peak_memory_bytes=50_000_000,
                traceback="Traceback\n  of it" if is_bad else None,
            )
    hand.run("checks", "alpha")
    return {"run": ids[0], "fire": str(fire)}
