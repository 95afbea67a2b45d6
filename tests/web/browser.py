"""A real Chromium, Debian's: found, started, and asked by tests."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

_AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js"


def chromium() -> str:
    """Where it is. Where it is not, the test is skipped, and in CI it fails."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        told = "there is no chromium (apt install chromium; as root, `make test` does)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(told)
    assert found is not None
    return found


@contextmanager
def started() -> Iterator[Browser]:
    """A browser, as long as it is needed."""
    program = chromium()
    # Chromium's own sandbox does not work for root.
    arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.getuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


class Complaints:
    """What the console of a page says is wrong: errors of scripts, and what the policy of the page
    refuses."""

    def __init__(self, context: BrowserContext) -> None:
        self.told: list[str] = []
        self.passed_over: tuple[str, ...] = ()
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.told.append(str(error.error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.told.append(message.text)

    def pass_over(self, *parts: str) -> None:
        """What has one of these parts is meant to be told."""
        self.passed_over += parts

    @property
    def left(self) -> list[str]:
        return [one for one in self.told if not any(part in one for part in self.passed_over)]


def serious(page: Page) -> list[str]:
    """What axe finds in a page that shuts people out: serious, or critical."""
    # The page's own policy lets no script in: what is evaluated by the browser's tools comes in.
    page.evaluate(_AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['target']} {node.get('failureSummary', '')}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def is_within_its_width(page: Page) -> bool:
    """Whether the page as a whole is not wider than the window."""
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return int(page.evaluate(width)) <= 0
