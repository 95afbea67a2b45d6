"""Pictures of every page, light and dark, into docs/screenshots: `make screenshots`."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from jober import Jober
from jober.access import Scope
from jober.client.log_in import LogIn
from jober.embedded import RedisServer
from jober_web import create_app
from tests.fleet import ROOT, Fleet
from tests.waiting import wait_until
from tests.web.browser import started
from tests.web.conftest import TEST, serving

FOLDER = ROOT / "docs" / "screenshots"
_SIZE = {"width": 1280, "height": 860}


@contextmanager
def _fleet() -> Iterator[Fleet]:
    """The fleet of the examples, which has run for a while."""
    with ExitStack() as stack:
        server = stack.enter_context(RedisServer())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fleet = Fleet(server.url, folder)
        stack.callback(fleet.stop)
        fleet.jober.apply(ROOT / "examples" / "fleet.toml")
        fleet.jober.apply(ROOT / "tests" / "web" / "screenshots.toml")
        fleet.scheduler()
        for host, roles in (("alpha", "adder,web"), ("beta", "db"), ("gamma", "web,db")):
            fleet.agent(host, roles)
        _define_again(fleet.jober)
        wait_until(lambda: len(fleet.jober.runs("disks", state="success")) >= 12, 180, "runs")
        yield fleet


def _define_again(jober: Jober) -> None:
    jober.update_job("nightly", timeout=1800, notes="Ask the storage team.")
    jober.pause("office")


def _places(jober: Jober) -> dict[str, str]:
    """The pages, by what the pictures are called."""
    fire = next(run.fire_at_ms for run in jober.runs("disks") if run.state.is_final)
    live = wait_until(lambda: jober.runs("progress", state="running"), 60)[0]
    wait_until(lambda: jober.handle(live.id).output.size() > 40, 60)
    return {
        "now": "/",
        "timeline": "/timeline?span=1h",
        "jobs": "/jobs",
        "job": "/jobs/flaky",
        "definition": "/jobs/nightly",
        "editor": "/jobs/nightly/edit",
        "runs": "/runs",
        "run": f"/runs/{live.id}",
        "hosts": f"/jobs/disks/fires/{fire}",
        "agents": "/agents",
        "limits": "/limits",
        "events": "/events",
    }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with _fleet() as fleet, serving(create_app(fleet.jober)) as url, started() as browser:
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport=_SIZE,  # type: ignore[arg-type]
                timezone_id="Europe/Warsaw",
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page = context.new_page()
            secret = LogIn(fleet.jober).make_link("ada", Scope.ADMIN, TEST)
            page.goto(f"{url}/link/{secret}")
            _take(page, f"log-in-{scheme}")
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url(f"{url}/")
            for name, path in _places(fleet.jober).items():
                page.goto(url + path)
                page.wait_for_timeout(600)  # for the stream to say that it is there
                _take(page, f"{name}-{scheme}")
            context.close()
    total = sum(path.stat().st_size for path in FOLDER.glob("*.webp"))
    assert total < 2_000_000, f"{total} bytes are too many"


def _take(page: Page, name: str) -> None:
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        page.screenshot(path=file.name)
        Image.open(file.name).save(FOLDER / f"{name}.webp", quality=82, method=6)


if __name__ == "__main__":
    main()
