"""Daemons tell Prometheus what they do, and probes how they are."""

import re
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

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


def test_a_scheduler_and_an_agent_tell_what_they_did_and_the_page_tells_all_of_it(
    fleet: Fleet,
) -> None:
    of_scheduler, of_agent = free_port(), free_port()
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
    assert names(of_scheduler) | names(of_agent) == on_page()
    for port in (of_scheduler, of_agent):
        assert asked(port, "/healthz") == asked(port, "/readyz") == (200, "ok\n")
        assert asked(port, "/") == (404, "there are /metrics, /healthz and /readyz\n")


def test_a_daemon_whose_redis_is_away_is_there_and_not_ready(tmp_path: Path) -> None:
    fleet, ports = Fleet(f"unix://{tmp_path}/none.sock", tmp_path), (free_port(), free_port())
    try:
        fleet.scheduler("--metrics", f"127.0.0.1:{ports[0]}")
        fleet.agent("db1", "db", "--metrics", str(ports[1]), waits=False)
        for port in ports:
            wait_until(lambda port=port: asked(port, "/readyz")[0] == 503, 60)  # type: ignore[misc]
        assert samples(ports[0])["jober_redis_up",] == 0
        wait_until(lambda: samples(ports[1]).get(("jober_redis_up",)) == 0, 60)
    finally:
        fleet.stop()


@pytest.mark.parametrize("program", ["jober-scheduler", "jober-worker"])
def test_a_place_that_is_none_or_taken_is_refused_in_words(program: str, fleet: Fleet) -> None:
    assert fleet.start(program, "--metrics", "nowhere").wait(60) == 78
    assert "'nowhere' is no place to listen at" in fleet.logs()
    port = free_port()
    first = fleet.start(program, "--metrics", str(port))
    wait_until(lambda: asked(port, "/healthz")[0], 60)
    assert fleet.start(program, "--metrics", str(port)).wait(60) == 78, fleet.logs()
    assert f"it cannot listen at 127.0.0.1:{port}" in fleet.logs()
    assert first.poll() is None
