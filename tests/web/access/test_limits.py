"""Who is limited to tags or roles learns nothing of other jobs, by any route that there is."""

import contextlib
import time
from collections.abc import Iterator

import httpx
import pytest

from jober.output import Frame, Stream
from jober.store.outputs import Piece
from jober_web.api.paging import read_cursor
from tests.store.hand import Hand
from tests.web.access.test_routes import GUARDED, Route
from tests.web.conftest import Web

WORD = "classified"
HIDDEN, OPEN = f"{WORD}-job", "open-job"
READING = [route for route in GUARDED if "GET" in route.methods]
CHANGING = [
    (route, method)
    for route in GUARDED
    for method in sorted(route.methods - {"GET", "HEAD"})
    # One's own, and what is no job's.
    if not route.name.startswith(("log_out", "account.", "theme", "look", "zone"))
]
FORMS: tuple[dict[str, object], ...] = (
    {"do": "pause", "names": [HIDDEN], "name": HIDDEN, "slots": "1"},
    {"do": "run", "names": [HIDDEN], "name": f"{WORD}-new", "what": "command", "revision": "1"},
    {"do": "drain", "what": "command", "what_value": "true", "name": f"{WORD}-new", "when": "hand"},
)
BODIES: tuple[object, ...] = (
    {},
    {"command": "true"},
    {"args": [], "reason": "because"},
    {"name": f"{WORD}-new", "slots": 1, "dates": ["2026-12-25"]},
)


@pytest.fixture
def seen(web: Web, hand: Hand) -> dict[str, str]:
    """One job that is seen and one that is not, each with runs, output and events; the ids of the
    runs."""
    jober = web.jober
    jober.set_limit(f"{WORD}-limit", 1)
    jober.add_job(
        HIDDEN,
        command=[WORD],
        title=f"{WORD} title",
        tags=[f"{WORD}-tag"],
        limits=[f"{WORD}-limit"],
        roles=[f"{WORD}-role"],
        cron="0 3 * * *",
        notes=WORD,
    )
    jober.add_job(OPEN, command="true", tags=["open"], roles=["db"], cron="0 3 * * *")
    jober.add_job(f"{WORD}-after", command="true", needs=[OPEN])
    hand.agent("alpha-aaaaaa", ("db", f"{WORD}-role"))
    runs = {}
    for name in (HIDDEN, OPEN):
        runs[name] = hand.run(name)
        [claim] = hand.claim("alpha-aaaaaa", 1, jober.job(name).job.queue)
        data = f"{WORD} output\n".encode() if name == HIDDEN else b"open output\n"
        frame = Frame(seq=1, stream=Stream.STDOUT, at_ms=1, offset=0, data=data)
        hand.store.outputs.add([Piece(run=claim.id, frames=(frame,))])
        hand.finish(claim, agent="alpha-aaaaaa")
        hand.run(name)
    return runs


@pytest.fixture(params=["tags", "roles"])
def limited(request: pytest.FixtureRequest, web: Web) -> Iterator[httpx.Client]:
    """An admin who sees the one job alone."""
    limits = {
        "tags": {"tags": ["open"]},
        "roles": {"roles": ["db"]},
    }
    with web.browser(web.token("admin", **limits[request.param])) as client:
        yield client


def answer_of(client: httpx.Client, path: str) -> tuple[int, str]:
    """The status and the text; of what goes on without an end, what it begins with."""
    text = b""
    is_endless = path.endswith(("/output/stream", "/api/v1/events"))
    timeout = httpx.Timeout(30, read=5 if is_endless else 30)
    with (
        client.stream("GET", path, timeout=timeout) as answer,
        contextlib.suppress(httpx.ReadTimeout),
    ):
        until = time.monotonic() + 2
        for piece in answer.iter_bytes():
            text += piece
            if time.monotonic() > until:
                break
    return answer.status_code, text.decode("utf-8", "replace")


@pytest.mark.parametrize("route", READING, ids=lambda route: f"{route.name} {route.path}")
def test_nothing_of_a_job_that_is_not_seen_is_told(
    web: Web, seen: dict[str, str], limited: httpx.Client, route: Route
) -> None:
    for asked in {route.filled(HIDDEN), route.filled(seen[HIDDEN]), route.filled("1")}:
        status, text = answer_of(limited, asked)
        assert status < 500
        for own in (seen[HIDDEN], HIDDEN):
            if own in asked:
                text = text.replace(own, "")  # what was asked for is said again
        assert WORD not in text, f"{asked}: {text}"


@pytest.mark.parametrize(
    "route", [one for one in READING if "{" in one.path], ids=lambda route: route.path
)
def test_what_is_not_seen_looks_as_if_it_were_not_there(
    web: Web, seen: dict[str, str], limited: httpx.Client, route: Route
) -> None:
    for hidden, absent in ((HIDDEN, "absent-job-xyz"), (seen[HIDDEN], "absent-run-m1")):
        status, text = answer_of(limited, route.filled(hidden))
        other_status, other_text = answer_of(limited, route.filled(absent))
        assert status == other_status
        if status >= 400:
            assert text.replace(hidden, "") == other_text.replace(absent, "")


def state(web: Web) -> dict[bytes, bytes]:
    """All in Redis but what tells who has been here."""
    command = web.jober.store.connection.command
    passed_over = (b"jober:audit", b"jober:token:", b"jober:tokens")
    keys = [key for key in command("KEYS", "*") if not key.startswith(passed_over)]
    return {key: command("DUMP", key) for key in keys}


def try_all(client: httpx.Client, route: Route, method: str, seen: dict[str, str]) -> None:
    """Ask for a change in all ways that might come to one."""
    for value in (HIDDEN, seen[HIDDEN], "alpha", f"{WORD}-new", f"{WORD}-limit"):
        path = route.filled(value)
        for form in FORMS:
            assert client.request(method, path, data=form).status_code < 500
        for body in BODIES:
            assert client.request(method, path, json=body).status_code < 500
        if "{" not in route.path:
            break


@pytest.mark.parametrize(("route", "method"), CHANGING, ids=lambda one: str(one)[-60:])
def test_nothing_is_changed_of_a_job_that_is_not_seen(
    web: Web, seen: dict[str, str], limited: httpx.Client, route: Route, method: str
) -> None:
    before = state(web)
    try_all(limited, route, method, seen)
    assert state(web) == before, f"{method} {route.path}"


def test_who_sees_all_changes_something_by_the_same_calls(web: Web, seen: dict[str, str]) -> None:
    """Else the test before would prove nothing."""
    changing = set()
    for route, method in CHANGING:
        before = state(web)
        try_all(web.client, route, method, seen)
        if state(web) != before:
            changing.add(f"{method} {route.name}")
    assert len(changing) >= 12, sorted(changing)


def test_the_fleet_as_a_whole_is_for_those_who_see_all_of_it(
    web: Web, limited: httpx.Client
) -> None:
    for path in ("/agents", "/limits", "/audit", "/api/v1/audit", "/api/v1/tokens"):
        assert limited.get(path).status_code == 403
    assert limited.get("/").headers["Location"] == "/jobs"


def test_what_is_seen_is_there(web: Web, seen: dict[str, str]) -> None:
    with web.browser(web.token("operator", tags=["open"])) as client:
        assert OPEN in client.get("/jobs").text
        assert client.get(f"/jobs/{OPEN}").status_code == 200
        assert "open output" in client.get(f"/runs/{seen[OPEN]}").text
        assert seen[OPEN] in client.get("/runs").text
        done = client.post(f"/jobs/{OPEN}/pause", data={"do": "pause"})
        assert done.status_code == 303
    assert web.jober.job(OPEN).paused


def test_the_cursors_of_lists_tell_of_nothing_either(
    web: Web, seen: dict[str, str], hand: Hand
) -> None:
    web.jober.add_job(f"{WORD}-near", command="true", tags=["open"], roles=[f"{WORD}-role"])
    hand.run(f"{WORD}-near")
    with web.browser(web.token("viewer", tags=["open"], roles=["db"])) as client:
        # One that is not seen stands alone on a page, or last on one with others.
        for path in ("/api/v1/jobs?limit=1", "/api/v1/runs?limit=1", "/api/v1/runs?limit=2"):
            found, asked = 0, path
            while asked:
                told = client.get(asked).json()
                found += len(told["items"])
                asked = f"{path}&cursor={told['next']}" if told["next"] else ""
                assert not asked or WORD not in read_cursor(told["next"])
            assert found == (1 if "jobs" in path else 2)


def test_runs_of_a_job_that_is_gone_are_for_who_saw_it(web: Web, seen: dict[str, str]) -> None:
    for name in (f"{WORD}-after", OPEN, HIDDEN):
        web.jober.remove_job(name, force=True)
    with web.browser(web.token("operator", tags=["open"])) as client:
        assert [run["id"] for run in client.get("/api/v1/runs").json()["items"]][-1] == seen[OPEN]
        page = client.get("/runs").text
        assert seen[OPEN] in page and WORD not in page
        assert client.get(f"/runs/{seen[OPEN]}").status_code == 200
        for place in ("", "/api/v1"):
            assert client.get(f"{place}/runs/{seen[HIDDEN]}").status_code == 404
            refused = client.post(f"{place}/runs/{seen[HIDDEN]}/rerun", json={})
            assert refused.status_code == 404
