"""Daemons tell Prometheus what they do, and probes how they are."""

import re
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.fleet import Fleet
from tests.free_port import free_port
from tests.waiting import wait_until

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
Samples = dict[tuple[str, ...], float]


def asked(port: int, page: str) -> tuple[int, str]:
    """Status and text; (0, "") where nobody listens yet."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{page}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def samples(port: int) -> Samples:
    """What is told, by name and the values of the labels."""
    found = {}
    for family in text_string_to_metric_families(asked(port, "/metrics")[1]):
        for sample in family.samples:
            found[(sample.name, *sample.labels.values())] = sample.value
    return found


def names(port: int) -> set[str]:
    text = asked(port, "/metrics")[1]
    return {family.name for family in text_string_to_metric_families(text)}


def on_page() -> set[str]:
    return {re.sub(r"_total$", "", name) for name in re.findall(r"^\| `(jober_\w+)`", PAGE, re.M)}


def address(fleet: Fleet) -> str:
    """Where a web part that was started at a free port is."""
    log = sorted(fleet.folder.glob("jober-web-*.log"))[-1]

    def told() -> str | None:
        return next((word for word in log.read_text().split() if word.startswith("http://")), None)

    return wait_until(told, 60).rstrip("/")


def test_each_part_tells_what_it_did_and_the_page_tells_all_of_it(fleet: Fleet) -> None:
    of_scheduler, of_agent, of_web = free_port(), free_port(), free_port()
    fleet.start("jober-web", "--bind", "127.0.0.1:0", "--metrics", str(of_web))
    fleet.scheduler("--metrics", f"127.0.0.1:{of_scheduler}")
    fleet.agent("db1", "db", "--metrics", str(of_agent))
    fleet.jober.add_job("exit 3", shell=True, name="fails", roles=["db"], cron="* * * * * *")
    fleet.jober.add_job("true", name="waits", roles=["nobody"])
    fleet.jober.run("waits")

    def have_worked() -> bool:
        fired = samples(of_scheduler).get(("jober_fires_total", "fired"), 0)
        return min(fired, samples(of_agent).get(("jober_runs_total", "fails", "failed"), 0)) >= 2

    wait_until(have_worked, 60)
    scheduler, agent = samples(of_scheduler), samples(of_agent)
    assert scheduler["jober_leader",] == scheduler["jober_terms",] == 1
    assert scheduler["jober_queue_runs", "nobody"] == 1
    assert scheduler["jober_queue_oldest_seconds", "nobody"] > 0
    assert scheduler["jober_slots", "db1"] == 10
    assert scheduler["jober_fire_lateness_seconds_count",] >= 2
    assert scheduler["jober_jobs",] == 2
    assert agent["jober_run_seconds_count", "fails"] >= 2
    assert agent["jober_agent_slots",] == 10
    assert agent["jober_journal_up",] == agent["jober_agent_open",] == 1
    assert agent["jober_redis_up",] == scheduler["jober_redis_up",] == 1
    url = address(fleet)
    for path in ("/login", "/api/v1/jobs", "/api/v1/runs/a-m1", "/jobs/../nothing", "/nothing"):
        httpx.get(url + path)
    httpx.post(f"{url}/login", data={"user": "ann"})
    web = samples(of_web)
    answered = {key[1:]: count for key, count in web.items() if "requests" in key[0]}
    assert answered == {
        ("log_in", "200"): 1,
        ("log_in.post", "403"): 1,
        ("api:jobs", "401"): 1,
        ("api:get_run", "401"): 1,
        ("(none)", "404"): 2,
    }
    assert web["jober_web_first_byte_seconds_count", "(none)"] == 2
    assert web["jober_redis_up",] == 1 and web["jober_web_followers",] == 0
    assert names(of_scheduler) | names(of_agent) | names(of_web) == on_page()
    for port in (of_scheduler, of_agent, of_web):
        assert asked(port, "/healthz") == asked(port, "/readyz") == (200, "ok\n")
        assert asked(port, "/") == (404, "there are /metrics, /healthz and /readyz\n")


def test_a_daemon_whose_redis_is_away_is_there_and_not_ready(tmp_path: Path) -> None:
    fleet, ports = Fleet(f"unix://{tmp_path}/none.sock", tmp_path), [free_port() for _ in range(3)]
    try:
        fleet.scheduler("--metrics", f"127.0.0.1:{ports[0]}")
        fleet.agent("db1", "db", "--metrics", str(ports[1]), waits=False)
        fleet.start("jober-web", "--bind", "127.0.0.1:0", "--metrics", str(ports[2]))
        for port in ports:
            wait_until(lambda port=port: asked(port, "/readyz")[0] == 503, 60)  # type: ignore[misc]
        assert asked(ports[2], "/healthz") == (200, "ok\n")
        assert samples(ports[0])["jober_redis_up",] == samples(ports[2])["jober_redis_up",] == 0
        wait_until(lambda: samples(ports[1]).get(("jober_redis_up",)) == 0, 60)
    finally:
        fleet.stop()


@pytest.mark.parametrize("program", ["jober-scheduler", "jober-worker", "jober-web"])
def test_a_place_that_is_none_or_taken_is_refused_in_words(program: str, fleet: Fleet) -> None:
    assert fleet.start(program, "--metrics", "nowhere").wait(60) == 78
    assert "'nowhere' is no place to listen at" in fleet.logs()
    port = free_port()
    more = ("--bind", "127.0.0.1:0") if program == "jober-web" else ()
    first = fleet.start(program, "--metrics", str(port), *more)
    wait_until(lambda: asked(port, "/healthz")[0], 60)
    assert fleet.start(program, "--metrics", str(port), *more).wait(60) == 78, fleet.logs()
    assert f"it cannot listen at 127.0.0.1:{port}" in fleet.logs()
    assert first.poll() is None
