"""`jober batch`, on a real fleet."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.fleet import BIN, Fleet

LIST = [
    {"id": "fetch", "command": "echo fetched", "shell": True},
    {"id": "broken", "command": "exit 7", "shell": True, "waiting": ["fetch"]},
    {"id": "never", "command": "true", "waiting": ["broken"]},
]
YAML = """
- {id: fetch, command: echo fetched}
- {id: check, command: "true", waiting: [fetch]}
"""
TOML = """
[[jobs]]
id = "fetch"
command = "echo fetched"

[[jobs]]
id = "check"
command = "true"
waiting = ["fetch"]
"""


def jober(fleet: Fleet, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(BIN / "jober"), *arguments],
        env={**os.environ, "JOBER_REDIS_URL": fleet.url},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_file_is_run_to_the_end_and_the_exit_status_tells(fleet: Fleet, tmp_path: Path) -> None:
    fleet.scheduler()
    fleet.agent("alpha", "default")
    file = tmp_path / "build.json"
    file.write_text(json.dumps(LIST))
    done = jober(fleet, "batch", str(file))
    assert done.returncode == 1
    first = [line.split()[:4] for line in done.stdout.splitlines()]
    assert first[0] == ["ID", "STATE", "RETRIED", "EXIT"]
    assert first[1] == ["fetch", "success", "0", "0"]
    assert first[2] == ["broken", "failed", "0", "7"]
    assert first[3] == ["never", "skipped", "-", "-"]
    assert "never skipped: broken did not succeed" in done.stderr
    assert (tmp_path / "build-logs" / "fetch.log").read_text() == "fetched\n"

    for name, text in (("build.yaml", YAML), ("build.toml", TOML)):
        (tmp_path / name).write_text(text)
        logs = tmp_path / "elsewhere"
        done = jober(fleet, "batch", str(tmp_path / name), "--json", "--logs", str(logs))
        assert done.returncode == 0, done.stderr
        assert [row["state"] for row in json.loads(done.stdout)] == ["success", "success"]
        assert (logs / "fetch.log").read_text() == "fetched\n"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.json", "[", "a.json:1: it is not JSON"),
        ("a.yaml", "- [", "a.yaml:1: it is not YAML"),
        ("a.toml", "x = ", "a.toml:1: it is not TOML"),
        ("a.txt", "[]", "its name does not tell what it is written in"),
        ("a.json", '{"x": 1}', "is no list of commands"),
        (
            "a.json",
            '[{"id": "a", "command": "x", "waiting": ["a"]}]',
            "a.json: job 'a': waiting: a loop: a → a",
        ),
    ],
)
def test_what_is_no_batch_is_told_in_words(
    cli: Cli, tmp_path: Path, name: str, text: str, told: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    done = cli("batch", str(file))
    assert done.status == 1 and told in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "a-logs").exists()


def test_bars_are_shown_where_somebody_looks(fleet: Fleet, tmp_path: Path) -> None:
    fleet.scheduler()
    fleet.agent("alpha", "default")
    file = tmp_path / "build.json"
    says = f"{sys.executable} -m jober.cli progress 1 2"
    file.write_text(json.dumps([{"id": "half", "command": f"{says}; sleep 2", "shell": True}]))
    done = subprocess.run(
        ["script", "-qec", f"{BIN}/jober batch {file}", "/dev/null"],
        env={**os.environ, "JOBER_REDIS_URL": fleet.url, "TERM": "xterm", "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert "half" in done.stdout and "1/2" in done.stdout and "1/1" in done.stdout
