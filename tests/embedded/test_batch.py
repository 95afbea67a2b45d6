"""Batches with no server at hand: in a temporary folder, and in one that is kept."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jober import Jober
from jober.cli.fleet import fleet
from jober.errors import RedisUnavailable
from tests.embedded.programs import WITHIN_S, program, said
from tests.fleet import BIN
from tests.waiting import wait_until

BATCH = """
import os
from jober import Jober
from jober.cli.fleet import fleet
from jober.errors import RedisUnavailable
with Jober(*sys.argv[1:2]) as jober:
    batch = jober.batch(
        [
            {"id": "make", "command": "echo made > made; echo $JOBER_HOST; pwd", "shell": True},
            {"id": "look", "command": "cat made", "waiting": ["make"], "env": {"A": "1"}},
            {"id": "bad", "command": "echo bad; exit 3", "shell": True, "retry": 1, "delay": 0.1},
            {"id": "after", "command": "true", "waiting": ["bad", "look"]},
        ],
        logs="logs",
    )
    print(batch.ok, [(row["id"], row["state"], row["retried"]) for row in batch.report()])
    print([run.state.value for run in jober.runs(state="failed")])
"""


@pytest.mark.parametrize("where", [[], ["./state"]], ids=["temporary", "kept"])
def test_a_batch_runs_where_its_program_is(tmp_path: Path, where: list[str]) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("JOBER_")}
    done = subprocess.run(
        [sys.executable, "-c", f"import sys{BATCH}", *where],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = [
        ("make", "success", 0),
        ("look", "success", 0),
        ("bad", "failed", 1),
        ("after", "skipped", None),
    ]
    assert done.stdout.splitlines() == [f"False {rows}", "['failed']"]
    logs = {file.name: file.read_text() for file in (tmp_path / "logs").iterdir()}
    assert logs.keys() == {"make.log", "look.log", "bad.log"}
    assert logs["make.log"].splitlines()[1] == str(tmp_path)
    assert logs["look.log"] == "made\n"
    assert logs["bad.log"] == "bad\n" * 2
    left = {"made", "logs", *(["state"] if where else [])}
    assert {file.name for file in tmp_path.iterdir()} == left


def test_the_command_needs_no_server_for_a_batch(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("JOBER_")}
    (tmp_path / "build.json").write_text('[{"id": "here", "command": "pwd"}]')

    def jober(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(BIN / "jober"), *arguments],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
        )

    assert jober("batch", "build.json").returncode == 0
    assert (tmp_path / "build-logs" / "here.log").read_text() == f"{tmp_path}\n"
    assert jober("batch", "build.json", "--redis", "unix:///nowhere/redis.sock").returncode == 1


def test_other_commands_mean_the_redis_of_this_host_where_none_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And write nothing into one that would be gone with them."""
    monkeypatch.delenv("JOBER_REDIS_URL", raising=False)
    monkeypatch.setattr("jober.daemon.DEFAULT_URL", "unix:///nowhere/redis.sock")
    with pytest.raises(RedisUnavailable, match="/nowhere/redis.sock"), fleet(None):
        pass


def test_a_batch_ends_with_its_program_and_others_see_how(tmp_path: Path) -> None:
    folder, gate = tmp_path / "state", tmp_path / "gate"
    body = f"""
j = Jober(sys.argv[1])
jobs = [
    {{"id": "holds", "command": "touch {gate}; sleep 600", "shell": True}},
    {{"id": "after", "command": "true", "waiting": ["holds"]}},
]
print(j.url, flush=True)
j.batch(jobs)
"""
    with Jober(folder) as jober, program(body, folder) as other:
        assert said(other) == jober.url
        wait_until(gate.exists, WITHIN_S)
        [run] = jober.runs()
        other.kill()
        ended = jober.handle(run.id).wait(WITHIN_S)
        assert (ended.state, ended.reason) == (
            "cancelled",
            "the program that it was run for has ended",
        )
        batch = jober.batch([{"id": "goes-on", "command": "echo here"}])
        assert batch.ok
        assert json.dumps(batch.report())
