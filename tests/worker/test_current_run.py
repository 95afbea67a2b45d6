"""The current run: what a function or a program knows of its run, and says."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from jober import current_run
from jober.current.socket_link import SocketLink
from jober.errors import NotInRun
from jober.run import Run, RunState
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, ended, start

TASKS = """
import concurrent.futures, logging, os, subprocess, sys, threading, time
from jober import current_run

def know():
    run = current_run()
    fire_at = run.fire_at and run.fire_at.isoformat()
    return [run.id, run.job, run.attempt, run.host, fire_at, run.term]

def work():
    run = current_run()
    run.progress(1, 4, "first")
    with run.progress_group("copy", total=2) as copy:
        copy.advance()
        with copy.progress_group("files") as files:
            files.progress(30, 40, "x.bin")
        copy.advance(message="done")
    for i in range(1, 5):
        run.progress(i)

def flood():
    run = current_run()
    for i in range(20_000):
        run.progress(i + 1, 20_000)

def speak():
    log = logging.getLogger("shop.tasks")
    log.debug("too small")
    log.warning("watch %s", "out")
    logging.getLogger("quiet").info("info")
    current_run().log.error("from the run")
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("it failed")

pool = concurrent.futures.ThreadPoolExecutor(1)
meeting = threading.Barrier(2)

def in_threads(name):
    def say(where):
        print(where, name)
        logging.getLogger("t").info("%s %s", where, name)
        current_run().progress(1, message=name)
    thread = threading.Thread(target=say, args=("thread",))
    thread.start()
    thread.join()
    timer = threading.Timer(0, say, args=("timer",))
    timer.start()
    timer.join()
    with concurrent.futures.ThreadPoolExecutor() as own:
        own.submit(say, "own").result()
    meeting.wait(20)
    pool.submit(say, "shared").result()

def obey():
    run = current_run()
    run.progress(0, message="waits")
    while not run.wait_cancelled(0.05):
        pass
    return ["stopped", run.cancelled]

def ignore():
    print("begun", flush=True)
    while not os.path.exists("go"):
        time.sleep(0.01)
    return "to its end"
"""


@pytest.fixture
def agent(fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A live agent that can import `shop`; the folder that it runs in."""
    (tmp_path / "shop.py").write_text(TASKS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    fleet.agent("web1", ROLE)
    return tmp_path


def value(run: Run) -> object:
    assert run.return_value is not None, (run.state, run.reason, run.traceback)
    return json.loads(run.return_value)


BOTH = pytest.mark.parametrize("process", [False, True], ids=["thread", "process"])


@BOTH
def test_a_function_knows_its_run(fleet: Fleet, agent: Path, process: bool) -> None:
    run = ended(fleet, "knows", call="shop:know", process=process)
    assert value(run) == [run.id, "knows", 1, "web1", None, None]
    assert run.progress is None


def test_a_fired_run_knows_its_fire(fleet: Fleet, agent: Path) -> None:
    fleet.scheduler()
    fleet.jober.add_job("fires", call="shop:know", every=1, roles=[ROLE])
    handle = fleet.jober.handle(wait_until(lambda: fleet.jober.runs("fires"))[-1].id)
    run = handle.wait(45)
    told = value(run)
    assert isinstance(told, list)
    assert run.fire_at_ms is not None
    assert told[4].startswith(run.id.removeprefix("fires-")[:4])


def test_outside_of_a_run_there_is_none() -> None:
    with pytest.raises(NotInRun, match="not inside a run"):
        current_run()


@BOTH
def test_progress_with_groups_is_kept_to_the_last(fleet: Fleet, agent: Path, process: bool) -> None:
    progress = ended(fleet, "works", call="shop:work", process=process).progress
    assert progress is not None
    told = progress.to_dict()
    del told["at"]
    assert told == {
        "done": 4,
        "total": 4,
        "message": "first",
        "groups": {
            "copy": {"done": 2, "total": 2, "message": "done"},
            "copy/files": {"done": 30, "total": 40, "message": "x.bin"},
        },
    }


@BOTH
def test_a_flood_of_progress_is_thinned_out_and_its_last_is_kept(
    fleet: Fleet, agent: Path, process: bool
) -> None:
    store = fleet.jober.store
    handle = start(fleet, "floods", call="shop:flood", process=process)
    told = [one for one in store.outputs.follow(handle.id) if hasattr(one, "whole")]
    progress = handle.run.progress
    assert progress is not None
    assert (progress.whole.done, progress.whole.total) == (20_000, 20_000)
    duration_s = handle.run.duration_s
    assert duration_s is not None and len(told) <= 4 * duration_s + 2


@BOTH
def test_records_keep_their_level_and_logger_and_go_to_the_run_alone(
    fleet: Fleet, agent: Path, process: bool
) -> None:
    handle = start(fleet, "speaks", call="shop:speak", process=process)
    handle.wait(45)
    lines = handle.logs
    assert [(line.level, line.logger, line.message.splitlines()[0]) for line in lines] == [
        ("WARNING", "shop.tasks", "watch out"),
        ("INFO", "quiet", "info"),
        ("ERROR", "speaks", "from the run"),
        ("ERROR", "shop.tasks", "it failed"),
    ]
    assert lines[-1].message.endswith("ZeroDivisionError: division by zero")
    assert all(line.at_ms >= 1_700_000_000_000 for line in lines)
    assert handle.stderr.bytes() == b""
    assert "watch out" not in fleet.logs() and "from the run" not in fleet.logs()
    assert b"WARNING shop.tasks: watch out\n" in handle.output.bytes()


def test_threads_belong_to_the_run_that_started_them(fleet: Fleet, agent: Path) -> None:
    """Those of a pool that runs share, too: each task is of the run that gave it in."""
    handles = [start(fleet, name, call="shop:in_threads", args=[name]) for name in ("one", "two")]
    for name, handle in zip(("one", "two"), handles, strict=True):
        run = handle.wait(20)
        assert run.state is RunState.SUCCESS, run.traceback
        wheres = ("thread", "timer", "own", "shared")
        assert handle.stdout.bytes().decode().splitlines() == [
            f"{where} {name}" for where in wheres
        ]
        assert [line.message for line in handle.logs] == [f"{where} {name}" for where in wheres]
        assert run.progress is not None and run.progress.whole.message == name


@BOTH
def test_a_function_that_looks_ends_by_itself_when_it_is_asked_to(
    fleet: Fleet, agent: Path, process: bool
) -> None:
    handle = start(fleet, "obeys", call="shop:obey", process=process, grace=20)
    wait_until(lambda: handle.run.progress)
    handle.cancel("enough")
    run = handle.wait(45)
    assert (run.state, run.reason) == (RunState.CANCELLED, "enough")
    if not process:
        assert value(run) == ["stopped", True]


def test_a_thread_that_goes_on_is_told_of_and_not_claimed_to_have_stopped(
    fleet: Fleet, agent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = agent / "go"
    (agent / "shop.py").write_text(TASKS.replace('"go"', repr(str(go))))
    handle = start(fleet, "ignores", call="shop:ignore", grace=0.1)
    wait_until(lambda: handle.output.bytes() == b"begun\n")
    handle.cancel("enough")
    [warning] = wait_until(lambda: handle.logs)
    assert warning.level == "WARNING"
    assert "still running in a thread 0.1 s later" in warning.message
    assert handle.state is RunState.RUNNING
    go.touch()
    run = handle.wait(45)
    assert (run.state, run.reason, value(run)) == (RunState.CANCELLED, "enough", "to its end")


def test_what_was_asked_to_stop_stays_so_whatever_else_the_agent_says(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(path))
        server.listen()
        link = SocketLink(str(path), "secret")
        try:
            assert not link.cancelled()
            agent, _ = server.accept()
            # More than is read at once.
            agent.sendall(b'{"cancelled": true}\n' + b'{"synced": true}\n' * 500)
            assert link.cancelled()
            assert link.cancelled()
            agent.close()
        finally:
            link.close()


PROGRAM = """
import sys
from jober import current_run
run = current_run()
run.progress(2, 3, "from python")
run.log.warning("hello")
print(run.job, run.host, flush=True)
if not run.wait_cancelled(60):
    sys.exit(1)
print("asked to stop", run.cancelled)
"""


def test_a_python_program_of_a_shell_job_reports_and_is_asked_to_stop(
    fleet: Fleet, agent: Path
) -> None:
    (agent / "program.py").write_text(PROGRAM)
    command = f"{sys.executable} {agent}/program.py; echo ended $?"
    # The shell, which SIGTERM would end, is told to let it be.
    handle = start(fleet, "program", command=f"trap '' TERM; {command}", shell=True, grace=20)
    wait_until(lambda: b"program web1\n" in handle.stdout.bytes())
    progress = wait_until(lambda: handle.run.progress)
    assert (progress.whole.done, progress.whole.message) == (2, "from python")
    lines = wait_until(lambda: list(handle.logs))
    assert [(line.level, line.message) for line in lines] == [("WARNING", "hello")]
    handle.cancel()
    assert handle.wait(45).state is RunState.CANCELLED
    assert handle.stdout.bytes() == b"program web1\nasked to stop True\nended 0\n"


def test_all_variables_of_a_run_are_in_its_environment(fleet: Fleet, agent: Path) -> None:
    handle = start(fleet, "vars", command="env | grep ^JOBER_", shell=True)
    handle.wait(45)
    told = dict(line.split("=", 1) for line in handle.output.bytes().decode().splitlines())
    assert told.keys() >= {"JOBER_RUN_ID", "JOBER_SOCKET", "JOBER_TOKEN"}
    assert (told["JOBER_JOB"], told["JOBER_ATTEMPT"], told["JOBER_HOST"]) == ("vars", "1", "web1")
    assert (told["JOBER_FIRE_AT"], told["JOBER_TERM"]) == ("", "")


def test_the_socket_and_its_folder_are_gone_with_the_agent(fleet: Fleet, agent: Path) -> None:
    handle = start(fleet, "socket", command='echo "$JOBER_SOCKET"', shell=True)
    handle.wait(45)
    socket = Path(handle.output.bytes().decode().strip())
    assert socket.is_socket()
    assert socket.stat().st_mode & 0o777 == 0o666
    assert socket.parent.stat().st_mode & 0o777 == 0o711
    fleet.stop()
    assert not socket.parent.exists()


def test_importing_jober_for_the_current_run_loads_nothing_heavy() -> None:
    code = "import sys; from jober import current_run, Skip; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert "jober.current" in loaded
    assert not {"redis", "rq", "pydantic", "typer", "rich", "asyncio"} & set(loaded.split())
