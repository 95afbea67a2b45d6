"""Functions in warm processes: one process for run after run, and nothing of one in the next."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jober.run import Outcome, RunState
from jober_worker.kernel import all_processes as all_of
from jober_worker.kernel import read_process
from jober_worker.processes import below
from jober_worker.warm import WarmPool
from tests.fleet import Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, ended
from tests.worker.in_process import InProcess
from tests.worker.programs import GROUPS
from tests.worker.test_process import lives

TASKS = """
import ctypes, os, signal, subprocess, sys, threading, time

def pid(): return os.getpid()
def say(text):
    print("print", text)
    print("err", text, file=sys.stderr)
    os.write(1, b"write " + text.encode() + b"\\n")
    os.system(f"echo child {text}")
    ctypes.CDLL(None).printf(b"libc %s\\n", text.encode())
    return os.getpid()
def change():
    os.environ["LEFT"] = "1"
    os.environ.pop("HOME", None)
    os.chdir("/")
    os.umask(0o077)
    sys.path.insert(0, "/left")
    sys.stdout.close()
    os.close(2)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    return os.getpid()
def see():
    time.sleep(0.1)
    os.umask(mask := os.umask(0))
    print("heard")
    print("seen", file=sys.stderr)
    return [os.getpid(), os.environ.get("LEFT"), "HOME" in os.environ, os.getcwd(), mask,
            "/left" in sys.path, signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
            len(signal.pthread_sigmask(signal.SIG_BLOCK, ())), os.environ["JOBER_RUN_ID"]]
def leave_thread(daemon):
    threading.Thread(target=time.sleep, args=(60,), daemon=daemon).start()
    return os.getpid()
def leave_child(how):
    if how == "fork":
        pid = os.fork()
        if pid == 0:
            os.setsid()
            time.sleep(60)
        return [os.getpid(), pid]
    if how == "returns":
        return [os.getpid(), os.fork()]
    if how == "ended":
        started = subprocess.Popen(["true"])
        return [os.getpid(), started.pid]
    code = "import os, signal, time\\nsignal.signal(15, signal.SIG_IGN)\\n"
    code += "os.setsid()\\nprint(os.getpid(), flush=True)\\n"
    if how == "daemon":
        code = "import os\\nif os.fork(): os._exit(0)\\n" + code
    if how == "wiped":
        code += "os.execve('/bin/sleep', ['sleep', '60'], {})\\n"
    code += "time.sleep(60)"
    started = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    return [os.getpid(), int(started.stdout.readline())]
def crash(how):
    print("last words", flush=True)
    if how == "segfault": ctypes.string_at(0)
    if how == "exit": os._exit(3)
    os.kill(os.getpid(), signal.SIGKILL)
def hang(deaf=False):
    if deaf: signal.signal(signal.SIGTERM, signal.SIG_IGN)
    started = subprocess.Popen(["setsid", "sh", "-c", "trap '' TERM; sleep 60"] if deaf else
                               ["setsid", "sleep", "60"])
    print(os.getpid(), started.pid, flush=True)
    time.sleep(60)
def spew(n):
    for k in range(n): os.write(1, b"x" * 65536)
def fail(): raise ValueError("no good")
"""


SPIN = "i=0; while [ $i -lt 99999 ]; do i=$((i+1)); done"


@pytest.fixture
def pool() -> Iterator[WarmPool]:
    pool = WarmPool(GROUPS, 4)
    yield pool
    pool.close()
    assert not pool.names() and not pool.pids()


class Tasks:
    def __init__(self, file: Path, pool: WarmPool) -> None:
        self.file, self.pool = str(file), pool
        self.last: InProcess | None = None

    def make(self, name: str, *args: Any, **options: Any) -> InProcess:
        self.last = InProcess(name, *args, file=self.file, pool=self.pool, **options)
        return self.last

    def run(self, name: str, *args: Any, **options: Any) -> Outcome:
        return self.make(name, *args, **options).run()

    def value(self, name: str, *args: Any, **options: Any) -> Any:
        outcome = self.run(name, *args, **options)
        assert outcome.state is RunState.SUCCESS, outcome
        return outcome.return_value


@pytest.fixture
def tasks(tmp_path: Path, pool: WarmPool) -> Tasks:
    (tmp_path / "tasks.py").write_text(TASKS)
    return Tasks(tmp_path / "tasks.py", pool)


def test_one_process_serves_run_after_run_and_is_no_fork_of_ours(tasks: Tasks) -> None:
    pids = {tasks.value("pid") for _ in range(5)}
    assert len(pids) == 1
    assert b"jober_worker.child" in Path(f"/proc/{pids.pop()}/cmdline").read_bytes()


def test_the_output_of_each_run_is_its_own_to_the_last_byte(tasks: Tasks) -> None:
    """Prints, descriptors, children, and what a C library holds back until it is flushed."""
    for n in range(10):
        spoken = tasks.make("say", str(n))
        spoken.run()
        lines = {f"{who} {n}".encode() for who in ("print", "write", "child", "libc")}
        assert set(bytes(spoken.out).splitlines()) == lines
        assert spoken.err == f"err {n}\n".encode()
    spewed = tasks.make("spew", 200)
    spewed.run()
    assert len(spewed.out) == 200 * 65536
    quiet = tasks.make("pid")
    quiet.run()
    assert (bytes(quiet.out), bytes(quiet.err)) == (b"", b"")


def test_what_a_run_has_changed_is_set_back_for_the_next(tasks: Tasks, tmp_path: Path) -> None:
    first = tasks.value("change", run="first", env={"HOME": "/h"}, cwd=str(tmp_path))
    seen = tasks.make("see", run="second", env={"HOME": "/h"}, cwd=str(tmp_path))
    os.umask(mask := os.umask(0))
    assert seen.run().return_value == [
        first, None, True, str(tmp_path), mask, False, True, 0, "second",
    ]  # fmt: skip
    assert (bytes(seen.out), bytes(seen.err)) == (b"heard\n", b"seen\n")


def test_a_process_is_shared_only_by_runs_of_the_same_setting(tasks: Tasks, tmp_path: Path) -> None:
    settings: list[dict[str, Any]] = [
        {}, {"cwd": str(tmp_path)}, {"env": {"A": "1"}}, {"umask": "027"}, {"memory": "1G"},
        {"nice": 1},
    ]  # fmt: skip
    pids = [tasks.value("pid", **one) for one in settings[:4]]
    assert len(set(pids)) == 4
    assert [tasks.value("pid", **one) for one in settings[:4]] == pids
    assert not {tasks.value("pid", **one) for one in settings[4:]} & set(pids)


def test_a_link_that_comes_to_mean_another_directory_means_another_process(
    tasks: Tasks, tmp_path: Path
) -> None:
    for release in ("one", "two"):
        (tmp_path / release).mkdir()
    link = tmp_path / "current"
    link.symlink_to("one")
    pid = tasks.value("pid", cwd=str(link))
    assert tasks.value("pid", cwd=str(link)) == pid
    link.unlink()
    link.symlink_to("two")
    other = tasks.value("pid", cwd=str(link))
    assert other != pid
    assert os.readlink(f"/proc/{other}/cwd") == str(tmp_path / "two")


def test_a_process_serves_so_many_runs_and_no_more(tasks: Tasks) -> None:
    pids = [tasks.value("pid", max_runs_per_process=3) for _ in range(7)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]
    wait_until(lambda: not any(lives(pid) for pid in set(pids[:6])))


def test_a_run_that_raised_leaves_the_process_fit_for_the_next(tasks: Tasks) -> None:
    pid = tasks.value("pid")
    failing = tasks.make("fail")
    assert failing.run().reason == "ValueError: no good"
    assert b"ValueError: no good" in failing.err
    assert tasks.value("pid") == pid


@pytest.mark.parametrize("how", ["fork", "child", "daemon", "wiped"])
def test_what_a_run_leaves_behind_is_gone_when_it_is_over(tasks: Tasks, how: str) -> None:
    pid, left = tasks.value("leave_child", how)
    assert not lives(left)
    wait_until(lambda: not lives(pid))
    assert tasks.value("pid") != pid


def test_a_fork_that_comes_back_from_the_function_tells_no_outcome(tasks: Tasks) -> None:
    for _ in range(5):
        pid, forked = tasks.value("leave_child", "returns")
        assert forked > 0 and not lives(forked)


def test_a_child_that_has_ended_does_not_cost_the_process(tasks: Tasks) -> None:
    pid, _ = tasks.value("leave_child", "ended")
    wait_until(lambda: not below([pid], all_of()) or tasks.value("pid") == pid)


def test_a_process_with_threads_left_serves_no_other_run(tasks: Tasks) -> None:
    pid = tasks.value("leave_thread", False)
    other = tasks.value("leave_thread", True)
    assert other != pid
    # A daemon thread is what libraries keep for themselves.
    assert tasks.value("pid") == other


@pytest.mark.parametrize(
    ("how", "why"),
    [("segfault", "killed by SIGSEGV"), ("exit", "exit code 3"), ("kill", "killed by SIGKILL")],
)
def test_a_crash_fails_its_run_alone_and_the_next_gets_a_new_process(
    tasks: Tasks, how: str, why: str
) -> None:
    pid = tasks.value("pid")
    crashing = tasks.make("crash", how)
    outcome = crashing.run()
    assert outcome.state is RunState.FAILED
    assert outcome.reason == f"its process ended before the function returned: {why}"
    assert crashing.out == b"last words\n"
    assert tasks.value("pid") != pid


@pytest.mark.parametrize("deaf", [False, True])
def test_a_run_over_its_time_takes_its_process_and_all_below_with_it(
    tasks: Tasks, deaf: bool
) -> None:
    pid = tasks.value("pid")
    hanging = tasks.make("hang", deaf, timeout_s=0.5, grace_s=0.3)
    assert hanging.run().state is RunState.TIMEOUT
    assert int(hanging.out.split()[0]) == pid
    # What was killed is gone a moment later.
    wait_until(lambda: not any(lives(int(one)) for one in hanging.out.split()))
    assert tasks.value("pid") != pid


def test_a_cancelled_run_takes_its_process_with_it(tasks: Tasks) -> None:
    hanging = tasks.make("hang").start(until=b"\n")
    hanging.process.stop("not needed")
    outcome = hanging.ended()
    assert (outcome.state, outcome.reason) == (RunState.CANCELLED, "not needed")
    assert not any(lives(int(one)) for one in hanging.out.split())


def test_one_that_dies_while_it_waits_is_replaced_unseen(tasks: Tasks, pool: WarmPool) -> None:
    pid = tasks.value("pid")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not lives(pid))
    assert tasks.value("pid") != pid
    assert pid not in pool.pids()
    assert read_process(pid) is None


def test_those_that_wait_too_long_or_are_too_many_end(tasks: Tasks, pool: WarmPool) -> None:
    pids = [tasks.value("pid", env={"N": str(n)}) for n in range(6)]
    assert [lives(pid) for pid in pids] == [False] * 2 + [True] * 4
    pool.end_idle(0.0)
    assert all(lives(pid) for pid in pids[2:])
    pool.end_idle(float("inf"))
    assert not any(lives(pid) for pid in pids)


def test_a_process_that_cannot_start_fails_the_run_with_what_it_said(
    tasks: Tasks, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('not today')")
    failing = tasks.make("pid", env={"PYTHONPATH": str(tmp_path)})
    outcome = failing.run()
    assert outcome.state is RunState.FAILED
    assert (outcome.reason or "").startswith("its process ended before the function returned")
    assert b"not today" in failing.err


def test_two_hundred_runs_leak_no_descriptor_here_or_there(tasks: Tasks) -> None:
    def descriptors(pid: int | str) -> int:
        return len(os.listdir(f"/proc/{pid}/fd"))

    pid = tasks.value("pid", max_runs_per_process=1000)
    before = descriptors("self"), descriptors(pid)
    for _ in range(200):
        assert tasks.value("pid", max_runs_per_process=1000) == pid
    assert (descriptors("self"), descriptors(pid)) == before


def test_runs_at_once_have_a_process_each(tasks: Tasks) -> None:
    hanging = [tasks.make("hang").start(until=b"\n") for _ in range(3)]
    pids = {int(one.out.split()[0]) for one in hanging}
    assert len(pids) == 3
    for one in hanging:
        one.process.stop("enough")
    for one in hanging:
        one.ended()


def test_runs_in_one_process_each_know_themselves_and_what_they_used_is_in_their_records(
    fleet: Fleet, tmp_path: Path
) -> None:
    fleet.agent("web1", ROLE)
    module = tmp_path / "knows.py"
    module.write_text(
        "import os, jober\n"
        "def itself():\n"
        "    run = jober.current_run()\n"
        "    run.progress(1, 2, run.id)\n"
        "    return [os.getpid(), run.id, os.environ['JOBER_RUN_ID']]\n"
    )
    fleet.jober.add_job("knows", script=f"{module}:itself", process=True, roles=[ROLE])
    pids = set()
    for _ in range(3):
        handle = fleet.jober.run("knows")
        run = handle.wait(45)
        assert run.state is RunState.SUCCESS, run
        pid, *ids = handle.result()
        pids.add(pid)
        assert ids == [handle.id] * 2
        assert run.cpu_s and run.peak_memory_bytes
        told = run.to_dict()
        assert (told["cpu_s"], told["peak_memory_bytes"]) == (run.cpu_s, run.peak_memory_bytes)
    assert len(pids) == 1
    program = ended(fleet, "spins", command=["sh", "-c", SPIN])
    assert program.cpu_s and program.peak_memory_bytes
    thread = ended(fleet, "adds", call="operator:add", args=[1, 2])
    assert thread.cpu_s is not None and thread.peak_memory_bytes is None


def test_the_python_of_the_agent_is_that_of_its_functions(tasks: Tasks) -> None:
    code = "def which():\n    import sys\n    return sys.executable\n"
    Path(tasks.file).write_text(code)
    assert tasks.value("which") == sys.executable
