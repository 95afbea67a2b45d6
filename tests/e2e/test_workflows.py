"""Workflows and batches on a real fleet: the examples, as a new user would try them."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from jober.jobs_file import parse_jobs
from tests.fleet import BIN, ROOT, Fleet
from tests.waiting import wait_until


def jober(fleet: Fleet, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(BIN / "jober"), *arguments],
        cwd=ROOT,
        env={**os.environ, "JOBER_REDIS_URL": fleet.url},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def small(fleet: Fleet) -> Fleet:
    fleet.scheduler()
    fleet.agent("alpha", "default")
    return fleet


def test_the_example_of_a_workflow_does_what_it_says(small: Fleet) -> None:
    assert jober(small, "apply", "examples/workflow.toml").returncode == 0
    graph = jober(small, "graph").stdout
    assert "orders\n└─ total  (needs it)\n   └─ report  (needs it)\n" in graph
    done = jober(small, "run", "report", "--with-needs", "--follow")
    assert (done.returncode, done.stdout) == (0, "the report: --total 23.5\n"), done.stderr
    ran = {name: len(small.jober.runs(name)) for name in ("orders", "prices", "total", "report")}
    assert ran == {"orders": 1, "prices": 1, "total": 1, "report": 1}

    done = jober(small, "run", "report", "--with-needs", "--follow")
    assert done.stdout == "the report: --total 23.5\n"
    assert len(small.jober.runs("total")) == 1

    jober(small, "run", "orders", "--with-dependents")
    wait_until(lambda: len(small.jober.runs("report")) == 3, 60)
    newest = small.jober.runs("report")[0]
    assert small.jober.handle(newest.id).wait(60).state == "success"
    assert len(small.jober.runs("total")) == 2
    assert len(small.jober.runs("prices")) == 1

    jober(small, "run", "broken")
    [alarm] = wait_until(lambda: small.jober.runs("alarm"), 60)
    ended = small.jober.handle(alarm.id)
    ended.wait(60)
    assert ended.output.bytes() == b"something is broken\n"


def test_the_example_of_a_batch_does_what_it_says(small: Fleet, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    done = jober(small, "batch", "examples/build.json", "--json", "--logs", str(logs))
    assert done.returncode == 0, done.stderr
    rows = {row["id"]: row for row in json.loads(done.stdout)}
    assert {row["state"] for row in rows.values()} == {"success"}
    assert (logs / "lint.log").read_text() == "nothing to complain of\n"
    assert rows["check"]["finish"] <= rows["tidy"]["start"]


def test_two_fires_of_the_same_moment_meet_and_pass_on_what_they_return(
    small: Fleet, tmp_path: Path
) -> None:
    text = """
    [jobs.a-load]
    call = "builtins:dict"
    kwargs = { made = { "$result" = "extract" } }
    every = 1
    overlap = "queue"

    [jobs.extract]
    script = "%s:extract"
    every = 1
    overlap = "queue"
    """
    script = tmp_path / "late.py"
    script.write_text(
        "import time\nfrom jober import current_run\n\n\ndef extract():\n    time.sleep(0.3)\n"
        "    return current_run().fire_at.isoformat()\n"
    )
    file = tmp_path / "fleet.toml"
    file.write_text(text % script)
    small.jober.apply(file)
    assert parse_jobs(file.read_text(), "toml", "fleet.toml").jobs

    def ended() -> bool:
        runs = small.jober.runs("a-load")
        return sum(run.state == "success" for run in runs) >= 3

    wait_until(ended, 60, "three nights")
    for name in ("a-load", "extract"):
        small.jober.pause(name)
    for run in small.jober.runs("a-load"):
        if run.state == "success":
            [needed] = run.needed["extract"]
            made = small.jober.handle(needed).run
            assert made.fire_at_ms == run.fire_at_ms
            assert run.return_value and made.return_value
            assert json.loads(run.return_value)["made"] == json.loads(made.return_value)
