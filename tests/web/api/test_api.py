"""The HTTP API: what it does, what it refuses, and in which words."""

from pathlib import Path
from typing import Any

import pytest

from jober.embedded import RedisServer
from jober.run import RunState
from jober.schema import READ_UP_TO
from jober.signing import new_key
from jober.signing.key_file import write_key
from tests.store.hand import Hand
from tests.web.conftest import Web, web_at
from tests.web.seeded import seed


def pages(web: Web, path: str, **params: Any) -> list[Any]:
    """The items of all pages."""
    items: list[Any] = []
    while True:
        answer = web.client.get(f"/api/v1{path}", params=params).json()
        items += answer["items"]
        if answer["next"] is None:
            return items
        params["cursor"] = answer["next"]


def test_a_job_is_made_changed_and_removed_by_who_knows_its_revision(web: Web) -> None:
    client, path = web.client, "/api/v1/jobs/nightly"
    made = client.put(path, json={"command": "one", "cron": "0 3 * * *"})
    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    assert made.headers["Location"] == path
    assert made.json()["definition"] == {"command": "one", "cron": "0 3 * * *"}
    unsaid = client.put(path, json={"command": "two"})
    assert (unsaid.status_code, unsaid.json()["errors"][0]["field"]) == (428, "If-Match")
    assert (
        client.put(path, json={"command": "x"}, headers={"If-None-Match": "*"}).status_code == 412
    )
    new = client.put(path, json={"command": "two"}, headers={"If-Match": '"1"'})
    assert (new.status_code, new.headers["ETag"]) == (200, '"2"')
    for method in ("PUT", "PATCH", "DELETE"):
        body = None if method == "DELETE" else {"command": "late"}
        late = client.request(method, path, json=body, headers={"If-Match": '"1"'})
        assert late.status_code == 412, late.text
    patched = client.patch(path, json={"title": "T", "cron": None}, headers={"If-Match": '"2"'})
    assert patched.json()["definition"] == {"command": "two", "title": "T"}
    assert client.get(path, headers={"If-None-Match": '"3"'}).status_code == 304
    assert [one["revision"] for one in client.get(f"{path}/revisions").json()["items"]] == [3, 2, 1]
    assert client.delete(path, headers={"If-Match": '"3"'}).status_code == 204
    assert client.get(path).status_code == 404
    assert client.put(path, json={"command": "y"}, headers={"If-Match": '"3"'}).status_code == 412


def test_who_edits_a_job_that_nobody_has_signed_is_told_so(
    redis_server: RedisServer, hand: Hand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand.job("job")
    write_key(tmp_path / "web.key", new_key("hmac"))
    monkeypatch.setenv("JOBER_SIGN_KEY", str(tmp_path / "web.key"))
    told = "Nobody who is trusted here has signed"
    with web_at(redis_server) as web:
        assert told in web.client.get("/jobs/job/edit").text
        answer = web.client.patch(
            "/api/v1/jobs/job", json={"title": "x"}, headers={"If-Match": "*"}
        )
        assert "jober key sign job" in answer.json()["detail"]
        web.jober.sign(["job"])
        assert told not in web.client.get("/jobs/job/edit").text


def test_a_job_of_a_later_jober_is_listed_and_keeps_no_other_from_being(
    web: Web, hand: Hand
) -> None:
    hand.job("first")
    hand.job("second", wait_for=["first"])
    hand.job("third", wait_for=["second"])
    hand.of_later_jober("second")
    first, second, third = web.client.get("/api/v1/jobs").json()["items"]
    assert (first["name"], third["name"]) == ("first", "third")
    assert (second["state"], second["schema"]) == ("later", READ_UP_TO + 1)
    assert "upgrade jober here" in second["problem"]
    answer = web.client.get("/api/v1/jobs/second")
    assert answer.status_code == 409
    assert f"schema {READ_UP_TO + 1}, of a later jober" in answer.json()["detail"]
    page = web.client.get("/jobs")
    assert page.status_code == 200
    assert "of a later jober: schema" in page.text and "third" in page.text
    for name, status in (("first", 200), ("third", 200), ("second", 409)):
        assert web.client.get(f"/jobs/{name}").status_code == status


def test_what_is_wrong_with_a_definition_is_told_by_field_and_nothing_is_written(web: Web) -> None:
    wrong = {"command": "true", "cron": "61 * * * *", "timezone": "Europe/Warsow", "retrys": 3}
    for answer in (
        web.client.put("/api/v1/jobs/job", json=wrong),
        web.client.post("/api/v1/jobs/preview", json=wrong),
    ):
        assert answer.status_code == 422
        assert answer.headers["Content-Type"] == "application/problem+json"
        told = {one["field"]: one["message"] for one in answer.json()["errors"]}
        assert told.keys() == {"cron", "timezone", "retrys"}
        assert "did you mean 'retries'" in told["retrys"]
    assert web.client.get("/api/v1/jobs").json() == {"items": [], "next": None}
    good = {"command": "true", "cron": "30 2 * * *", "timezone": "Europe/Warsaw"}
    seen = web.client.post("/api/v1/jobs/preview", json=good).json()
    assert len(seen["fires"]) == 5
    assert {fire["timezone"] for fire in seen["fires"]} == {"Europe/Warsaw"}


def test_a_job_is_run_with_parameters_and_once_by_a_key(web: Web, hand: Hand) -> None:
    hand.job("sum", command=None, call="operator:add", args=[1, 2])
    path, key = "/api/v1/jobs/sum/runs", {"Idempotency-Key": "k1"}
    first = web.client.post(path, json={"args": [3, 4]}, headers=key)
    assert first.status_code == 201
    [run] = first.json()["items"]
    assert web.client.post(path, json={"args": [3, 4]}, headers=key).json()["items"] == [run]
    assert web.client.post(path, json={"args": [3, 5]}, headers=key).status_code == 422
    assert [one["id"] for one in pages(web, "/runs")] == [run["id"]]
    details = web.client.get(first.headers["Location"]).json()
    assert details["arguments"] == {"args": [3, 4], "kwargs": {}}
    wrong = web.client.post(path, json={"options": {"timeout": "soon"}})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "timeout")
    assert web.client.post(path, json={"arg": 1}).json()["errors"][0]["field"] == "arg"
    cancelled = web.client.post(f"/api/v1/runs/{run['id']}/cancel", json={"reason": "enough"})
    assert cancelled.json() == {"outcome": "withdrawn"}
    again = web.client.post(f"/api/v1/runs/{run['id']}/rerun")
    assert (again.status_code, again.json()["state"]) == (201, "queued")


def test_lists_are_read_page_by_page(web: Web, hand: Hand) -> None:
    names = [f"job-{number:02d}" for number in range(7)]
    for name in names:
        hand.job(name, tags=["even"] if int(name[-1]) % 2 == 0 else [])
        hand.run(name)
    hand.store.runs.cancel(hand.run(names[0]), "enough")
    assert [job["name"] for job in pages(web, "/jobs", limit=3)] == names
    assert [job["name"] for job in pages(web, "/jobs", limit=1, tag="even")] == names[::2]
    assert [job["name"] for job in pages(web, "/jobs", q="-03")] == ["job-03"]
    assert len(pages(web, "/runs", limit=3)) == 8
    assert len(pages(web, "/runs", state="cancelled")) == 1
    added = pages(web, "/events/log", type="job.added", limit=2)
    assert [event["job"] for event in added] == names[::-1]
    assert len(pages(web, "/queues", limit=1)) == len(web.jober.queues())
    assert web.client.get("/api/v1/jobs", params={"cursor": "%"}).status_code == 422


def test_output_is_read_by_ranges_lines_and_ends(web: Web, hand: Hand) -> None:
    known = seed(web, hand)
    path = f"/api/v1/runs/{known['id'][0]}/output"
    whole = web.client.get(path).json()
    assert [(piece["stream"], piece["offset"]) for piece in whole["items"]] == [
        ("stdout", 0),
        ("stderr", 8),
        ("log", 16),
    ]
    assert (whole["items"][0]["text"], whole["items"][1]["base64"]) == (
        "one\ntwo\n",
        "//4KdGhyZWU=",
    )
    part = web.client.get(path, params={"start": 4, "limit": 3}).json()
    assert (part["items"][0]["text"], part["next"], part["size"]) == ("two", 7, whole["size"])
    assert web.client.get(f"{path}/head", params={"lines": 2}).text == "one\ntwo\n"
    assert web.client.get(f"{path}/tail", params={"lines": 1}).text.endswith("four\n")
    lines = web.client.get(f"{path}/lines", params={"first": 2, "count": 1}).json()
    assert lines == {"items": [{"number": 2, "text": "two"}], "next": 3}
    file = web.client.get(f"{path}/download", params={"stream": "stdout"})
    assert file.content == b"one\ntwo\n"
    assert file.headers["Content-Disposition"].startswith("attachment")


def test_the_fleet_is_read_and_ordered(web: Web, hand: Hand) -> None:
    seed(web, hand)
    assert [agent["host"] for agent in pages(web, "/agents")] == ["host1"]
    for action, changed in (("cordon", True), ("cordon", False), ("uncordon", True)):
        answer = web.client.post(f"/api/v1/agents/host1/{action}")
        assert answer.json() == {"changed": changed}
    assert web.client.get("/api/v1/agents/absent").status_code == 404
    assert web.client.put("/api/v1/limits/database", json={"slots": 5}).json()["slots"] == 5
    assert web.client.delete("/api/v1/limits/database").status_code == 409
    assert web.client.delete("/api/v1/calendars/closed").status_code == 409
    told = web.client.put("/api/v1/calendars/open", json={"dates": ["someday"]})
    assert told.json()["errors"][0]["field"] == "calendars.open.dates[0]"
    assert web.client.put("/api/v1/calendars/open", json={"dates": ["05-01"]}).status_code == 200
    assert web.client.delete("/api/v1/calendars/open").status_code == 204


def test_what_became_of_a_fire_and_what_is_to_come_is_told(web: Web, hand: Hand) -> None:
    seed(web, hand)
    fires = web.client.get("/api/v1/jobs/nightly/fires", params={"n": 3}).json()["items"]
    assert len(fires) == 3
    at = fires[0]["fire_at"]
    answer = web.client.get("/api/v1/jobs/nightly/why", params={"at": at}).json()
    assert answer["answer"].startswith("It is to come, on host1")
    graph = web.client.get("/api/v1/jobs/after/graph").json()
    assert {"earlier": "nightly", "later": "after", "kind": "needs"} in graph["edges"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/absent", 404),
        ("POST", "/api/v1/leader", 405),
        ("DELETE", "/api/v1/jobs", 405),
        ("GET", "/api/v1/jobs/absent", 404),
        ("GET", "/api/v1/runs/absent", 404),
        ("GET", "/api/v1/runs?state=none", 422),
        ("GET", "/api/v1/runs?limit=201", 422),
        ("GET", "/api/v1/runs?since=soon", 422),
    ],
)
def test_whatever_is_refused_is_told_as_a_problem(
    web: Web, method: str, path: str, status: int
) -> None:
    answer = web.client.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert (status == 405) == ("Allow" in answer.headers)


def test_who_is_limited_sees_their_jobs_and_runs_alone(web: Web, hand: Hand) -> None:
    for name, tag in (("mine", "me"), ("theirs", "them")):
        hand.job(name, tags=[tag])
        hand.run(name)
    runs = {run.job: run.id for run in web.jober.runs()}
    with web.browser(web.token("operator", tags=["me"])) as client:
        assert [job["name"] for job in client.get("/api/v1/jobs").json()["items"]] == ["mine"]
        assert [run["job"] for run in client.get("/api/v1/runs").json()["items"]] == ["mine"]
        for path in ("jobs/theirs", "jobs/theirs/fires", f"runs/{runs['theirs']}"):
            assert client.get(f"/api/v1/{path}").status_code == 404, path
        assert client.post("/api/v1/jobs/theirs/pause").status_code == 404
        assert client.post(f"/api/v1/runs/{runs['theirs']}/cancel").status_code == 404
        assert client.post("/api/v1/jobs/mine/pause").json() == {"changed": True}
        assert client.get("/api/v1/agents").status_code == 403
        assert client.get("/api/v1/events/log").status_code == 403
    assert web.jober.handle(runs["theirs"]).state == RunState.QUEUED
