"""The application: served by itself, by the daemon, and within another."""

import subprocess

import httpx
import pytest
from fastapi import FastAPI

import jober_web
from jober import Jober
from jober.client.people import People
from jober.embedded import RedisServer
from tests.fleet import BIN, Fleet
from tests.waiting import wait_until
from tests.web.conftest import TEST, Web, serving


def test_the_first_page_names_its_files_by_what_is_in_them(web: Web) -> None:
    page = web.client.get("/")
    assert page.status_code == 200
    [path] = [word.split('"')[1] for word in page.text.split("href=")[1:] if "/static/" in word][:1]
    file = web.client.get(path)
    assert file.status_code == 200
    assert file.headers["Content-Type"].startswith("text/css")
    assert "immutable" in file.headers["Cache-Control"]
    again = web.client.get(path, headers={"If-None-Match": file.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = web.client.get(path.replace(path.split("/")[2], "0" * 16))
    assert (other.content, other.headers["Cache-Control"]) == (file.content, "no-cache")
    assert web.client.get("/static/x/app.py").status_code == 404


def test_the_leader_is_told(web: Web) -> None:
    assert web.client.get("/api/v1/leader").json() == {"leader": None}


def test_the_daemon_serves_where_it_is_told_and_ends_in_order(fleet: Fleet) -> None:
    process = fleet.start("jober-web", "--bind", "127.0.0.1:0")
    log = fleet.folder / "jober-web-0.log"

    def url() -> str | None:
        words = log.read_text().split()
        return next((word for word in words if word.startswith("http://")), None)

    place = f"{wait_until(url, 60)}api/v1/leader"
    assert httpx.get(place).status_code == 401
    assert httpx.get(place, headers=_header(fleet.jober)).json() == {"leader": None}
    process.terminate()
    assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--bind", "127.0.0.1"], "bind: '127.0.0.1' is no place to listen at (as 127.0.0.1:8900"),
        (["--bind", "127.0.0.1:65536"], "is no place to listen at"),
        (
            [*("--bind", "192.0.2.1:8900"), "--behind-proxy", "127.0.0.1"]
            + ["--public-url", "https://jober.example.org"],
            "it cannot listen at 192.0.2.1:8900: ",
        ),
        (["--redis", "nowhere"], "'nowhere' may be an address or a folder"),
    ],
)
def test_the_daemon_tells_what_is_wrong_in_a_line(arguments: list[str], told: str) -> None:
    done = subprocess.run([str(BIN / "jober-web"), *arguments], capture_output=True, text=True)
    assert done.returncode == 78
    assert told in done.stderr
    assert done.stderr.startswith("jober-web: ") and done.stderr.count("\n") == 1


def test_the_router_serves_under_a_prefix_of_another_application(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBER_REDIS_URL", redis_server.url)
    app = FastAPI()
    app.include_router(jober_web.router, prefix="/tools/jober")
    with Jober(redis_server.url) as jober:
        header = _header(jober)
    with serving(app) as url, httpx.Client(base_url=url, headers=header) as client:
        assert client.get("/tools/jober/api/v1/leader").json() == {"leader": None}
        page = client.get("/tools/jober/").text
        assert 'href="/tools/jober/static/' in page
        assert app.state.jober is not None
    assert app.state.jober is None


def _header(jober: Jober) -> dict[str, str]:
    """Of one who may look."""
    _, token = People(jober).make_token("test", "viewer", TEST)
    return {"Authorization": f"Bearer {token}"}
