"""Whole logs: kept in files on the host, read back through its agent, masked, and within bounds."""

import hashlib
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jober.client import RunHandle
from jober.client.whole_log import WholeLog
from jober.output import Frame, Stream, Truncated
from tests.fleet import BIN, Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, ended, output, start

NOISE = "import os, random, sys; noise = random.Random(1).randbytes(1_000_003)\n"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def agent(fleet: Fleet, logs: Path) -> "subprocess.Popen[bytes]":
    return fleet.agent("web1", ROLE, log_dir=logs)


def whole(fleet: Fleet, run: str) -> list[Frame | Truncated]:
    return list(WholeLog(fleet.jober.store, run).forward())


def joined(items: list[Frame | Truncated], stream: Stream | None = None) -> bytes:
    frames = [item for item in items if isinstance(item, Frame)]
    return b"".join(frame.data for frame in frames if stream in (None, frame.stream))


def jober(fleet: Fleet, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    environment = {**os.environ, "JOBER_REDIS_URL": fleet.url}
    return subprocess.run([str(BIN / "jober"), *arguments], env=environment, capture_output=True)


def test_a_log_of_five_megabytes_comes_back_whole_with_its_streams_apart(
    fleet: Fleet, agent: "subprocess.Popen[bytes]", logs: Path
) -> None:
    program = NOISE + (
        "for n in range(5):\n"
        "    sys.stdout.buffer.write(noise); sys.stdout.flush()\n"
        "    os.write(2, b'%d\\n' % n)\n"
    )
    run = ended(fleet, "spew", command=[sys.executable, "-c", program], output="file")
    assert run.state == "success"
    noise = random.Random(1).randbytes(1_000_003)
    found = whole(fleet, run.id)
    assert joined(found, Stream.STDOUT) == noise * 5
    assert joined(found, Stream.STDERR) == b"0\n1\n2\n3\n4\n"
    assert not [item for item in found if isinstance(item, Truncated)]
    # Redis alone has less, and says so; both streams lie in the file as they came.
    assert len(fleet.jober.handle(run.id).output.bytes()) < 1_000_000
    [part] = (logs / run.id).glob("1-*.log")
    assert part.stat().st_size == 5 * 1_000_003 + 10
    assert (logs.stat().st_mode & 0o777, part.stat().st_mode & 0o777) == (0o700, 0o600)


def test_the_command_line_prints_what_is_cut_when_it_is_asked_to(
    fleet: Fleet, agent: "subprocess.Popen[bytes]"
) -> None:
    run = ended(fleet, "count", command="seq 1 400000", shell=True, output="file")
    lines = [b"%d\n" % n for n in range(1, 400_001)]
    kept = jober(fleet, "logs", run.id)
    assert len(kept.stdout) < 1_000_000
    assert b"bytes truncated ...] (jober logs" in kept.stderr and b"from host web1" in kept.stderr
    complete = jober(fleet, "logs", run.id, "--whole")
    assert (complete.stdout, complete.stderr) == (b"".join(lines), b"")
    assert jober(fleet, "logs", "count", "--head", "150000").stdout == b"".join(lines[:150_000])
    assert jober(fleet, "logs", "count", "--tail", "350000").stdout == b"".join(lines[-350_000:])
    as_json = jober(fleet, "logs", run.id, "--json").stdout.splitlines()
    assert [line for line in as_json if line.startswith(b'{"truncated": ')]


def test_what_redis_has_forgotten_is_read_from_the_file_alone(
    fleet: Fleet, agent: "subprocess.Popen[bytes]"
) -> None:
    run = ended(fleet, "old", command="seq 1 9; seq 1 9 >&2", shell=True, output="file")
    command = fleet.jober.store.connection.command
    command("DEL", f"jober:out:{run.id}:log")
    assert jober(fleet, "logs", run.id, "--whole", "--stdout").stdout.split()[-1] == b"9"
    command("DEL", f"rq:job:{run.id}")
    assert len(jober(fleet, "logs", run.id, "--whole").stdout.split()) == 18
    assert jober(fleet, "logs", run.id, "--tail", "1", "--whole").stdout == b"9\n"
    gone = jober(fleet, "logs", "nothing-of-the-kind", "--whole")
    assert gone.returncode == 1 and b"is neither a run nor a job" in gone.stderr


def test_a_host_that_is_away_is_named_with_the_path_of_the_file(
    fleet: Fleet, agent: "subprocess.Popen[bytes]", logs: Path
) -> None:
    run = ended(fleet, "away", command="seq 1 400000", shell=True, output="file")
    agent.send_signal(signal.SIGTERM)
    agent.wait(20)
    told = jober(fleet, "logs", run.id, "--whole")
    words = f"they are on host web1, which is away, in {logs}/{run.id}/1-*.log"
    assert words.encode() in told.stderr
    assert told.stdout.startswith(b"1\n2\n") and told.stdout.endswith(b"400000\n")


def test_nothing_but_the_log_of_a_run_can_be_asked_for(
    fleet: Fleet, agent: "subprocess.Popen[bytes]", logs: Path
) -> None:
    [info] = fleet.jober.agents()
    (logs.parent / "1-000000000000000.log").write_text("not for you")
    for run in ("..", "../../etc", "a/b", "", ".", "a\0b"):
        answer = fleet.jober.store.host_logs.ask(info.id, run, 1, 0, 100)
        assert answer and not answer.frames and not answer.attempts
        assert answer.problem == f"'{run}' is not the id of a run"


def test_a_folder_that_cannot_be_written_is_told_and_fails_nothing(
    fleet: Fleet, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    fleet.agent("web1", ROLE, log_dir=tmp_path / "file" / "logs")
    run = ended(fleet, "on", command="echo out; sleep 0.2; echo more", shell=True, output="file")
    assert run.state == "success"
    assert "out\n" in output(fleet, run.id) and "more\n" in output(fleet, run.id)
    assert "jober: the output is kept in no file from here on: Not a dir" in output(fleet, run.id)
    assert "its output is kept in no file from here on" in fleet.logs()


def test_secrets_are_masked_in_redis_in_the_file_and_in_how_the_run_ended(
    fleet: Fleet, agent: "subprocess.Popen[bytes]", logs: Path
) -> None:
    program = (
        "import os, sys, time\n"
        "os.write(1, b'it is hun'); time.sleep(0.3); os.write(1, b'ter2!\\n')\n"
        "os.write(2, b'PIN 123\\n')\n"
        "raise KeyError(os.environ['TOKEN'])\n"
    )
    env = {"TOKEN": "hunter2", "PIN": "123"}
    secret = ["TOKEN", "PIN"]
    command = [sys.executable, "-c", program]
    run = ended(fleet, "quiet", command=command, env=env, secret=secret, output="file")
    told = output(fleet, run.id)
    assert "it is ***!\n" in told and "KeyError: '***'" in told and "hunter2" not in told
    assert "jober: PIN is not masked: a secret has 4 characters or more" in told
    fleet.jober.store.connection.command("DEL", f"jober:out:{run.id}:log")
    assert joined(whole(fleet, run.id)).decode() == told
    files = b"".join(path.read_bytes() for path in logs.rglob("*") if path.is_file())
    assert b"it is ***!\n" in files and b"hunter2" not in files
    fields: dict[str, Any] = {"process": True, "env": env, "secret": secret}
    raised = ended(fleet, "raises", call="builtins:open", args=["/no/hunter2"], **fields)
    assert raised.reason and "'/no/***'" in raised.reason
    assert raised.traceback and "hunter2" not in raised.traceback + output(fleet, raised.id)
    returned = ended(fleet, "returns", call="os:getenv", args=["TOKEN"], **fields)
    assert returned.return_value == '"***"'


def test_of_a_job_that_wants_none_no_output_is_kept(
    fleet: Fleet, agent: "subprocess.Popen[bytes]"
) -> None:
    run = ended(fleet, "mute", command="echo out; echo err >&2", shell=True, output="none")
    assert run.state == "success"
    assert not fleet.jober.store.connection.command("EXISTS", f"jober:out:{run.id}:log")
    told = jober(fleet, "logs", run.id)
    assert told.stdout == b"" and b'output = "none"' in told.stderr


def test_merged_output_keeps_its_true_order_to_the_end(
    fleet: Fleet, agent: "subprocess.Popen[bytes]"
) -> None:
    turns = "import os\nfor n in range(500): os.write(1 + n % 2, b'%d\\n' % n)"
    run = ended(fleet, "turns", command=[sys.executable, "-c", turns], stderr="merge")
    assert output(fleet, run.id).split() == [str(n) for n in range(500)]


def test_the_logs_of_all_attempts_of_a_run_are_read_as_one(
    fleet: Fleet, agent: "subprocess.Popen[bytes]", logs: Path
) -> None:
    fleet.scheduler()
    command = "echo attempt $JOBER_ATTEMPT; seq 1 200000; test $JOBER_ATTEMPT = 2"
    retry: dict[str, Any] = {"retries": 1, "retry_delay": 0.1}
    run = ended(fleet, "again", 30, command=command, shell=True, output="file", **retry)
    assert (run.state, run.attempt) == ("success", 2)
    lines = b"".join(b"%d\n" % n for n in range(1, 200_001))
    expected = b"attempt 1\n" + lines + b"attempt 2\n" + lines
    assert fleet.jober.handle(run.id).output.bytes(whole=True) == expected
    last = b"".join(expected.splitlines(keepends=True)[-250_000:])
    assert jober(fleet, "logs", run.id, "--tail", "250000").stdout == last
    fleet.jober.store.connection.command("DEL", f"jober:out:{run.id}:log", f"rq:job:{run.id}")
    assert joined(whole(fleet, run.id)) == expected


@pytest.mark.parametrize("kept", ["memory", "file"])
def test_a_flood_costs_little_and_a_follower_is_told_of_every_byte_of_it(
    fleet: Fleet, agent: "subprocess.Popen[bytes]", kept: str
) -> None:
    size = 50_000_000
    assert ended(fleet, "warm", command="true").state == "success"
    pid = fleet.jober.agents()[0].pid
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    before = _status_bytes(pid, "VmRSS")
    run = start(fleet, "flood", command=f"yes | head -c {size}", shell=True, output=kept)
    at = 0
    for item in run.output.frames(60):
        if isinstance(item, Frame):
            assert item.offset == at
            at = item.end
        else:
            at += item.dropped
    assert at == size
    assert run.state == "success"
    assert _status_bytes(pid, "VmHWM") - before < 30_000_000
    log = f"jober:out:{run.id}:log"
    assert fleet.jober.store.connection.command("MEMORY", "USAGE", log, "SAMPLES", 0) < 1_000_000


def _status_bytes(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def test_a_log_can_be_read_while_it_is_written(
    fleet: Fleet, agent: "subprocess.Popen[bytes]"
) -> None:
    run: RunHandle = start(
        fleet, "long", command="seq 1 400000; sleep 60", shell=True, output="file"
    )
    wait_until(lambda: fleet.jober.store.outputs.files(run.id), told="the file")
    wait_until(lambda: joined(whole(fleet, run.id)).endswith(b"\n400000\n"), told="all of it")
    digest = hashlib.sha256(joined(whole(fleet, run.id))).digest()
    assert digest == hashlib.sha256(b"".join(b"%d\n" % n for n in range(1, 400_001))).digest()
    run.cancel()
    run.wait(45)
