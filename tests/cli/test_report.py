"""`jober progress` and `jober log` in jobs, and what the other commands show of it."""

import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from jober.cli.how_far import bar, compact
from jober.progress import Progress, checked_step
from jober.run import RunState
from tests.cli.conftest import Cli
from tests.fleet import BIN, Fleet
from tests.waiting import wait_until

JOB = """
jober progress 1 4 "begun"
echo one
jober progress 7 10 --group copy/files --message "x.bin"
jober log "disk is full" --level warning --logger disk
jober progress 2
while [ ! -e {go} ]; do sleep 0.05; done
jober progress 4
printf 'no end of line'
"""


@pytest.fixture
def job(fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A live agent, and a job that goes on when the file comes that is told."""
    monkeypatch.setenv("PATH", f"{BIN}:{os.environ['PATH']}")
    monkeypatch.setenv("JOBER_REDIS_URL", fleet.url)
    go = tmp_path / "go"
    fleet.agent("web1")
    fleet.jober.add_job("copies", command=JOB.format(go=go), shell=True)
    return go


def jober(*arguments: str) -> str:
    done = subprocess.run([str(BIN / "jober"), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_shell_job_reports_and_all_commands_show_it(fleet: Fleet, job: Path) -> None:
    run = fleet.jober.run("copies")
    wait_until(lambda: (told := run.run.progress) and told.whole.done == 2)
    assert "50% 2/4 begun" in jober("runs")
    assert json.loads(jober("runs", "--json"))[0]["progress"]["groups"] == {
        "copy/files": {"done": 7, "total": 10, "message": "x.bin"}
    }
    page = jober("show", run.id)
    assert "progress    50% 2/4 begun\n" in page
    assert "            copy/files 70% 7/10 x.bin\n" in page
    job.touch()
    assert run.wait(45).state is RunState.SUCCESS
    told = json.loads(jober("show", run.id, "--json"))
    assert told["progress"]["done"] == 4
    assert [attempt["state"] for attempt in told["attempts"]] == ["success"]
    lines = jober("logs", run.id).splitlines()
    assert lines[0] == "one" and lines[1].endswith(" WARNING disk: disk is full")
    assert lines[2] == "no end of line"
    assert jober("logs", run.id, "--stdout") == "one\nno end of line"
    [record] = jober("logs", run.id, "--log", "--json").splitlines()
    assert json.loads(record).items() >= {"level": "WARNING", "logger": "disk"}.items()


def test_a_terminal_shows_a_bar_below_what_the_run_writes(fleet: Fleet, job: Path) -> None:
    terminal, inner = pty.openpty()
    termios.tcsetwinsize(inner, (24, 100))
    follower = subprocess.Popen(
        [str(BIN / "jober"), "run", "copies", "-f"], stdout=inner, stderr=inner, stdin=inner
    )
    os.close(inner)
    shown = bytearray()

    def read() -> bool:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            piece = b""  # the follower has ended
        shown.extend(piece)
        return bool(piece)

    while "50% 2/4 begun · copy/files 70% 7/10 x.bin".encode() not in shown:
        assert read(), shown
    job.touch()
    while read():
        pass
    os.close(terminal)
    assert follower.wait(45) == 0
    text = shown.decode()
    assert "\x1b[33mWARNING\x1b[0m disk: disk is full\r\n" in text
    # The bar makes way for each line, and stands within none.
    assert "\r\x1b[Kno end of line" in text
    assert text.endswith("no end of line")


def test_a_follower_in_a_pipe_gets_no_bar(fleet: Fleet, job: Path) -> None:
    job.touch()
    done = subprocess.run([str(BIN / "jober"), "run", "copies", "-f"], capture_output=True)
    assert done.stdout == b"one\nno end of line"
    assert done.stderr.endswith(b" WARNING disk: disk is full\n")
    assert b"\x1b" not in done.stderr and b"50%" not in done.stderr


@pytest.mark.parametrize(
    ("call", "status", "problem"),
    [
        (["progress", "1"], 1, "this is not inside a run"),
        (["progress", "x"], 2, "argument done: 'x' is not a number"),
        (["progress"], 2, "say how much is done, of how much, or what"),
        (["progress", "nan"], 2, "done is nan: not a number from 0"),
        (["progress", "1", "--group", "a//b"], 2, "'a//b' is not a group"),
        (["progress", "1", "--gruop", "a"], 2, "unrecognized arguments: --gruop a"),
        (["log", "x", "--level", "loud"], 2, "invalid choice: 'loud'"),
        (["log"], 2, "the following arguments are required: message"),
    ],
)
def test_a_wrong_call_is_told_in_a_line(
    cli: Cli, call: list[str], status: int, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JOBER_RUN_ID", raising=False)
    done = cli(*call)
    assert (done.status, done.out) == (status, b"")
    assert problem in done.err and done.err.count("\n") == 1


def test_it_says_so_where_no_agent_answers(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBER_RUN_ID", "a-run")
    monkeypatch.setenv("JOBER_TOKEN", "secret")
    monkeypatch.setenv("JOBER_SOCKET", str(tmp_path / "none"))
    done = cli("progress", "1")
    assert done.status == 1
    assert done.err == (
        f"jober: the agent of this run, at {tmp_path / 'none'}: No such file or directory\n"
    )


def test_reporting_loads_next_to_nothing() -> None:
    code = "import sys; from jober.cli import main; main(['progress', '1']); print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "jober.agent_socket" in told.stdout
    heavy = {"typer", "redis", "rich", "pydantic", "logging", "jober.client", "jober.store"}
    assert not heavy & set(told.stdout.split())


def test_how_far_a_run_is_fits_a_line() -> None:
    progress = Progress(at_ms=0).after(checked_step(5, 10, "copying", None), 1)
    assert compact(progress) == "50% 5/10 copying"
    assert bar(progress, 80) == "█" * 10 + "░" * 10 + " 50% 5/10 copying"
    assert bar(progress, 12) == "█" * 10 + "░…"
    grouped = progress.after(checked_step(1.5, None, "a\x1b[2J\nb", "x/y"), 2)
    assert bar(grouped, 80).endswith(" 50% 5/10 copying · x/y 1.5 a\N{REPLACEMENT CHARACTER}[2J b")
    done = grouped.after(checked_step(2, 2, None, "x/y"), 3)
    assert "x/y" not in bar(done, 80)
    only = Progress(at_ms=0).after(checked_step(1, 4, None, "a"), 1)
    assert compact(only) == "a 25% 1/4"
