"""An operator's hour in a real browser, over a real fleet."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from jober.client.people import People
from jober.embedded import RedisServer
from jober_web import create_app
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.web.browser import Complaints
from tests.web.conftest import TEST, Web, serving

PASSWORD = "correct horse battery staple"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that keeps what it has over its end."""
    with RedisServer(tmp_path / "redis", durable=True) as server:
        yield server


@pytest.fixture
def fleet(redis: RedisServer, tmp_path: Path) -> Iterator[Fleet]:
    """A scheduler and an agent on it."""
    fleet = Fleet(redis.url, tmp_path)
    try:
        fleet.scheduler()
        fleet.agent("alpha")
        yield fleet
    finally:
        fleet.stop()
        print(fleet.logs())  # noqa: T201 - shown by pytest where the test fails


@pytest.fixture
def web(fleet: Fleet) -> Iterator[Web]:
    """A server on it, with one user."""
    app = create_app(fleet.jober)
    with serving(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        web = Web(url=url, app=app, jober=fleet.jober, client=client)
        People(fleet.jober).add_user("ada", PASSWORD, "admin", TEST)
        yield web


@pytest.fixture
def page(context, complaints: Complaints) -> Page:  # type: ignore[no-untyped-def]
    """A page of nobody yet."""
    made: Page = context.new_page()
    made.on("dialog", lambda dialog: dialog.accept())
    return made


def log_in(page: Page, web: Web) -> None:
    page.goto(f"{web.url}/jobs")
    page.get_by_label("User").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{web.url}/jobs")


def numbers(page: Page) -> list[int]:
    """The numbered lines of the log that are there."""
    rows = page.locator("#log .row.stdout > span").all_inner_texts()
    return [int(row.removeprefix("line ")) for row in rows if row.startswith("line ")]


def test_a_job_is_made_mended_run_and_followed(
    page: Page, web: Web, complaints: Complaints, tmp_path: Path
) -> None:
    complaints.pass_over("422 (Unprocessable")
    log_in(page, web)

    # A job with a wrong cron: the error stands at the field, before and after it is sent.
    page.get_by_role("link", name="New job").click()
    page.get_by_label("Name", exact=True).fill("counting")
    gate = tmp_path / "gate"
    count = f"n=0; while [ ! -e {gate} ]; do n=$((n+1)); echo line $n; sleep 0.05; done; echo over"
    page.get_by_label("Kind").select_option("shell")
    page.get_by_label("What", exact=True).fill(count)
    page.get_by_label("Schedule").select_option("cron")
    cron = page.get_by_label("Cron, interval or date")
    cron.fill("30 25 * * *")
    wrong = page.locator("#wrong-when_value")
    expect(wrong).to_contain_text("25")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_contain_text("It was not saved")
    expect(wrong).to_contain_text("25")
    assert not list(web.jober.jobs())

    # Mended: when it would fire stands there while one writes.
    cron.fill("30 2 * * *")
    page.get_by_label("Time zone").fill("Europe/Warsaw")
    expect(wrong).to_be_empty()
    expect(page.locator("#preview tr")).to_have_count(8)
    expect(page.locator("#preview")).to_contain_text("02:30:00")
    page.get_by_role("button", name="Create").click()
    expect(page).to_have_url(f"{web.url}/jobs/counting")
    expect(page.locator("main h1")).to_have_text("counting")
    expect(page.locator("main")).to_contain_text("02:30:00")

    # Run, and followed while it writes.
    page.get_by_role("button", name="Run…").click()
    page.get_by_role("dialog").get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#run-head .head .state")).to_have_text("running")
    wait_until(lambda: len(numbers(page)) > 10, 60, "it is followed")
    gate.touch()
    expect(page.locator("#run-head .head .state")).to_have_text("success")
    expect(page.locator("#log .row").last).to_contain_text("over")
    seen = numbers(page)
    assert seen == list(range(1, len(seen) + 1))

    # Another, which is cancelled.
    gate.unlink()
    page.get_by_role("button", name="Run again", exact=True).click()
    expect(page.locator("#run-head .head .state")).to_have_text("running")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#run-head .head .state")).to_have_text("cancelled")
    expect(page.locator("#run-head")).to_contain_text("cancelled by ada")


def test_redis_goes_and_comes_while_a_log_is_followed_and_nothing_is_missing(
    page: Page, web: Web, redis: RedisServer, complaints: Complaints, tmp_path: Path
) -> None:
    complaints.pass_over("503", "ERR_", "EventSource")
    log_in(page, web)
    web.jober.store.connection.command("CONFIG", "SET", "appendfsync", "always")
    gate = tmp_path / "gate"
    count = f"n=0; while [ ! -e {gate} ]; do n=$((n+1)); echo line $n; sleep 0.02; done; echo over"
    run = web.jober.run(count, shell=True)
    page.goto(f"{web.url}/runs/{run.id}")
    wait_until(lambda: len(numbers(page)) > 20, 60, "it is followed")

    link = page.locator("[data-link]")
    expect(link).to_have_text("live")
    redis.kill()
    before = max(numbers(page))
    expect(link).to_have_text("Redis is away", timeout=60_000)
    # A page that is asked for meanwhile says so, and comes by itself.
    other = page.context.new_page()
    other.goto(f"{web.url}/jobs")
    expect(other.locator("main h1")).to_have_text("What is needed does not answer")
    redis.start()
    expect(link).to_have_text("live", timeout=60_000)
    expect(other.locator("main h1")).to_have_text("Jobs", timeout=60_000)
    wait_until(lambda: max(numbers(page)) > before + 200, 120, "it goes on")

    gate.touch()
    expect(page.locator("#run-head .head .state")).to_have_text("success", timeout=60_000)
    expect(page.locator("#log .row").last).to_contain_text("over", timeout=60_000)
    seen = numbers(page)
    # Its beginning may have scrolled out of what a page holds; what is there is without a gap.
    assert seen == list(range(seen[0], seen[-1] + 1))
    assert seen[0] == 1 and seen[-1] > before + 200
