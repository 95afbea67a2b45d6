"""What holds of each page: it shuts nobody out, fits a phone, and is read without scripts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.web.browser import Complaints, is_within_its_width, serious
from tests.web.conftest import Web
from tests.web.pages.conftest import log_in

PAGES = (
    "/",
    "/timeline",
    "/timeline?by=host&span=24h",
    "/jobs",
    "/jobs?q=night",
    "/jobs/nightly",
    "/jobs/nightly/edit",
    "/new-job",
    "/runs",
    "/runs/{run}",
    "/jobs/checks/fires/{fire}",
    "/agents",
    "/limits",
    "/events",
    "/account",
    "/audit",
    "/jobs/absent",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(
    page: Page, complaints: Complaints, web: Web, places: dict[str, str], scheme: str
) -> None:
    complaints.pass_over("404 (Not Found)")
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    found = {}
    for path in PAGES:
        page.goto(web.url + path.format(**places))
        if wrong := serious(page):
            found[path] = wrong
    assert found == {}


def test_axe_finds_nothing_serious_where_one_logs_in(
    context: BrowserContext, complaints: Complaints, web: Web
) -> None:
    complaints.pass_over("401 (Unauthorized)")
    page = context.new_page()
    page.set_viewport_size({"width": 360, "height": 740})
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(web.link())
        assert (serious(page), is_within_its_width(page)) == ([], True)
        page.goto(f"{web.url}/login")
        page.get_by_label("User").fill("nobody")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert (serious(page), is_within_its_width(page)) == ([], True)


@pytest.fixture
def phone(browser: Browser, web: Web) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True
    )
    yield log_in(context, web)
    context.close()


def test_a_phone_needs_no_scrolling_sideways_on_any_page(
    phone: Page, web: Web, places: dict[str, str]
) -> None:
    for path in PAGES:
        phone.goto(web.url + path.format(**places))
        assert phone.locator("main h1").is_visible(), path
        assert is_within_its_width(phone), path


def test_every_page_is_read_without_scripts(
    browser: Browser, web: Web, places: dict[str, str]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = log_in(context, web)
    for path in PAGES:
        page.goto(web.url + path.format(**places))
        assert page.locator("main h1").is_visible(), path
        if path.startswith("/runs/"):
            assert "red <script>alert(1)</script>" in page.locator("#log").inner_text()
    context.close()
