"""The rules and the dashboard that are shipped ask for what is told, and work in a real
Prometheus."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml

from tests.fleet import Fleet
from tests.free_port import free_port
from tests.waiting import wait_until

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "deploy" / "prometheus"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "jober.json").read_text("utf-8"))
PAGE = (ROOT / "docs" / "metrics.md").read_text("utf-8")
ON_PAGE = set(re.findall(r"^\| `(jober_\w+)`", PAGE, re.MULTILINE))
RULES = yaml.safe_load((SHIPPED / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
ASKED = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


@pytest.fixture(scope="session")
def programs() -> Path:
    """Where `prometheus` and `promtool` are: `make monitors` unpacks Debian's."""
    for folder in (ROOT / ".venv" / "prometheus" / "usr" / "bin", Path("/usr/bin")):
        if (folder / "promtool").exists():
            return folder
    found = shutil.which("promtool")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("promtool is not there: `make monitors`")
        pytest.skip("promtool is not there: `make monitors`")
    return Path(found).parent


def metrics_in(expression: str) -> set[str]:
    names = set(re.findall(r"\bjober_\w+", expression))
    return {re.sub(r"_bucket$", "", name) for name in names}


def test_rules_and_panels_ask_for_metrics_that_are_told() -> None:
    asked = {
        name for text in [*ASKED, *(rule["expr"] for rule in RULES)] for name in metrics_in(text)
    }
    assert asked <= ON_PAGE
    assert {rule["labels"]["severity"] for rule in RULES} == {"page", "ticket"}
    assert all(rule["annotations"]["mend"] for rule in RULES)


def test_each_rule_fires_where_it_shall_and_not_before(programs: Path) -> None:
    for command in (
        ("check", "config", "prometheus.yml", "compose.yml"),
        ("test", "rules", "alerts_test.yml"),
    ):
        done = subprocess.run(
            [programs / "promtool", *command], cwd=SHIPPED, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_panels_ask_can_be_read(programs: Path, tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{n}", "expr": text.replace("$__rate_interval", "1m")}
        for n, text in enumerate(ASKED)
    ]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(
        [programs / "promtool", "check", "rules", path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


class Prometheus:
    """A real one, on loopback, which asks once a second and heeds the shipped rules at once."""

    def __init__(self, program: Path, folder: Path, targets: dict[str, int]) -> None:
        rules = yaml.safe_load((SHIPPED / "alerts.yml").read_text("utf-8"))
        for rule in rules["groups"][0]["rules"]:
            rule["for"] = "0s"
        (folder / "alerts.yml").write_text(yaml.safe_dump(rules))
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["alerts.yml"],
            "scrape_configs": [
                {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
                for name, port in targets.items()
            ],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self.port = free_port()
        self.process = subprocess.Popen(
            [
                program,
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def asked(self, path: str) -> Any:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=30) as answer:
                return json.load(answer)["data"]
        except URLError:
            return None

    def alerts(self) -> set[str]:
        told = self.asked("alerts") or {"alerts": []}
        return {one["labels"]["alertname"] for one in told["alerts"] if one["state"] == "firing"}

    def health(self) -> list[str]:
        """Of each target: "up", "down" or "unknown"."""
        told = self.asked("targets") or {"activeTargets": []}
        return sorted(one["health"] for one in told["activeTargets"])

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(60)


def test_prometheus_asks_the_fleet_and_an_alert_fires_when_its_leader_stops(
    fleet: Fleet, programs: Path, tmp_path: Path
) -> None:
    ports = {part: free_port() for part in ("jober-scheduler", "jober-worker", "jober-web")}
    leader = fleet.scheduler("--metrics", str(ports["jober-scheduler"]))
    fleet.agent("db1", "db", "--metrics", str(ports["jober-worker"]))
    fleet.start("jober-web", "--bind", "127.0.0.1:0", "--metrics", str(ports["jober-web"]))
    wait_until(fleet.jober.leader, 60)
    prometheus = Prometheus(programs / "prometheus", tmp_path, ports)
    try:
        wait_until(lambda: prometheus.health() == ["up"] * 3, 60, "all are asked")
        wait_until(lambda: "JoberNoLeader" not in prometheus.alerts(), 60)
        found = prometheus.asked("query?query=max(jober_slots)")
        assert found["result"][0]["value"][1] == "10"
        up = prometheus.asked("query?query=min(jober_redis_up)")
        assert up["result"][0]["value"][1] == "1"
        leader.terminate()
        assert leader.wait(60) == 0
        wait_until(lambda: "JoberNoLeader" in prometheus.alerts(), 60, "the alert fires")
    finally:
        prometheus.close()
