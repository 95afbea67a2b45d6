"""What daemons log as JSON: an object a line, whatever happens, with the names of docs/logs.md."""

import json
import logging
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from jober.json_log import EXCEPTION_AT_MOST, MESSAGE_AT_MOST, JsonLog
from tests.fleet import BIN, ROOT, Fleet
from tests.free_port import free_port
from tests.waiting import wait_until

PAGE = (ROOT / "docs" / "logs.md").read_text("utf-8")
NAMES = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.M))
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
FIRST = ["timestamp", "level", "logger", "message"]
Line = dict[str, Any]


def read(text: str) -> list[Line]:
    """The lines, each an object that begins as the page says, and has no name that it lacks."""
    lines: list[Line] = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        assert list(line)[:4] == FIRST, line
        assert MOMENT.fullmatch(line["timestamp"]), line
        assert not line.keys() - NAMES, line
    return lines


def of(fleet: Fleet, program: str) -> list[Line]:
    """What processes of a program have logged so far, in whole lines."""
    texts = [log.read_text() for log in sorted(fleet.folder.glob(f"{program}-*.log"))]
    return read("".join(text[: text.rfind("\n") + 1] for text in texts))


def about(lines: list[Line], **fields: object) -> list[Line]:
    return [line for line in lines if fields.items() <= line.items()]


def formatted(message: str, **more: Any) -> Line:
    record = logging.LogRecord("a.b", logging.ERROR, "", 1, message, None, None)
    record.__dict__.update(more)
    text = JsonLog().format(record)
    assert "\n" not in text
    line: Line = json.loads(text)
    return line


def test_what_is_long_is_cut_in_its_middle_and_a_traceback_is_one_field() -> None:
    try:
        raise ValueError("bad" + "\nñ" * EXCEPTION_AT_MOST)
    except ValueError:
        line = formatted("first" + "x" * 2 * MESSAGE_AT_MOST + "last", exc_info=sys.exc_info())
    assert len(line["message"]) <= MESSAGE_AT_MOST
    assert line["message"].startswith("first") and line["message"].endswith("last")
    assert len(line["exception"]) <= EXCEPTION_AT_MOST
    assert line["exception"].startswith("Traceback") and "characters cut" in line["exception"]
    assert line.keys() == {*FIRST, "exception"}


def test_a_fleet_logs_objects_alone_that_name_run_job_attempt_host_and_node(fleet: Fleet) -> None:
    fleet.environ["JOBER_LOG_FORMAT"] = "json"
    fleet.scheduler("--log-level", "debug")
    agent = fleet.agent("db1", "db", "--log-level", "debug")
    port = free_port()
    fleet.start("jober-web", "--bind", f"127.0.0.1:{port}", "--host", "www1")
    jober = fleet.jober
    jober.add_job("exit 3", shell=True, name="fails", roles=["db"], cron="* * * * * *")
    node = jober.agents()[0].id

    def ended() -> list[Line]:
        return about(of(fleet, "jober-worker"), job="fails", state="failed")

    first = wait_until(ended, 60)[0]
    assert about([first], host="db1", node=node, attempt=1, level="DEBUG")
    of_run = about(of(fleet, "jober-worker"), run=first["run"])
    assert [line["message"].split()[1] for line in of_run] == ["begins", "ended"]
    leader = jober.leader()
    assert leader is not None
    [fired] = about(of(fleet, "jober-scheduler"), run=first["run"])
    assert about([fired], job="fails", message=f"fired {first['run']}")
    assert fired["node"].split(":")[1] == str(leader.pid)

    sleeps = jober.run(["sleep", "100"], roles=["db"])
    wait_until(lambda: sleeps.state == "running", 60)
    sleeps.cancel()
    stopping = f"stopping {sleeps.id}"

    def stopped() -> list[Line]:
        told = about(of(fleet, "jober-worker"), run=sleeps.id, level="INFO")
        return [line for line in told if line["message"].startswith(stopping)]

    wait_until(stopped, 60, stopping)

    def heard() -> list[Line]:
        """What uvicorn says of somebody who talks no HTTP."""
        try:
            with socket.create_connection(("127.0.0.1", port), 10) as connection:
                connection.sendall(b"\x00 nonsense\r\n\r\n")
                connection.recv(1000)
        except OSError:
            return []
        return about(of(fleet, "jober-web"), logger="uvicorn.error", host="www1")

    wait_until(heard, 60)
    psutil.Process(agent.pid).children()[0].kill()
    wait_until(lambda: about(of(fleet, "jober-worker"), logger="jober_worker.guardian"), 60)


def test_why_a_daemon_does_not_start_is_an_object_too(tmp_path: Path) -> None:
    for program in ("jober-scheduler", "jober-worker", "jober-web"):
        told = subprocess.run(
            [str(BIN / program), "--log-format", "json", "--host", "b/d", "--bind", "nowhere"][
                : 7 if program == "jober-web" else 5
            ],
            capture_output=True,
            text=True,
        )
        assert told.returncode == 78
        [line] = read(told.stderr)
        assert about([line], level="CRITICAL", logger=program), line
    wrong = subprocess.run([str(BIN / "jober-web"), "--log-format", "xml"], capture_output=True)
    assert b"'xml' is no format (one of text, json)" in wrong.stderr


def test_a_fleet_on_one_machine_tells_all_as_objects(tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text('[jobs.tick]\ncommand = "date"\nevery = 1\n')
    process = subprocess.Popen(
        [str(BIN / "jober"), "dev", str(file), "--agent", "alpha=x,default"],
        env={**dict(psutil.Process().environ()), "JOBER_LOG_FORMAT": "json"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    wanted = {"jober.dev", "jober_scheduler", "jober_worker.agent"}
    lines: list[Line] = []
    for text in process.stderr:
        lines += read(text)
        wanted -= {line["logger"] for line in lines}
        if not wanted and about(lines, job="tick", state="success", host="alpha"):
            break
    process.send_signal(signal.SIGINT)
    read(process.communicate(timeout=60)[1])
    assert process.returncode == 0
