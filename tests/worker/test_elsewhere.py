"""On a system without Linux's own means, an agent works for development, and says what it lacks.

There is none of those here, so these means are taken away: see `tests/elsewhere`.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import rq
from rq.job import JobStatus
from rq.serializers import JSONSerializer

from jober.run import RunState
from tests.fleet import BIN, ROOT, Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, ended, joined, numbers, output, start
from tests.worker.test_process import lives

MODULE = """
import os, sys, threading, time

from jober import current_run

def add(a, b):
    print("adding", a, b)
    return a + b

def whereabouts():
    current_run().progress(1, 2, "half")
    return [sys.platform, hasattr(os, "pidfd_open"), os.getpid()]

def wait():
    print(os.getpid(), flush=True)
    time.sleep(60)

def obey():
    print(os.getpid(), flush=True)
    while not current_run().cancelled:
        time.sleep(0.01)
"""


@pytest.fixture
def agent(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> "subprocess.Popen[bytes]":
    (tmp_path / "elsewhere_tasks.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'tests' / 'elsewhere'}:{tmp_path}")
    return fleet.agent("mac", ROLE, drain=1)


def log(fleet: Fleet) -> str:
    return (fleet.folder / "jober-worker-0.log").read_text()


def test_the_agent_has_no_guardian_and_says_once_what_is_not_promised(
    fleet: Fleet, agent: "subprocess.Popen[bytes]"
) -> None:
    joined(fleet)
    (info,) = fleet.jober.agents()
    assert info.pid == agent.pid, "it is the process that was started, and no child of it"
    (warning,) = [line for line in log(fleet).splitlines() if "this is not Linux" in line]
    assert "WARNING" in warning and "(darwin)" in warning and "without a guardian" in warning
    assert "until the next one starts here" in warning and "may outlive it" in warning
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(45) == 0
    assert fleet.jober.agents() == [] and "Traceback" not in log(fleet)


def test_commands_and_functions_run_and_tell_what_they_write_and_use(
    fleet: Fleet, agent: "subprocess.Popen[bytes]"
) -> None:
    run = ended(fleet, "shell", command="echo out; echo err >&2; exit 3", shell=True)
    assert (run.state, run.exit_code, run.reason) == (RunState.FAILED, 3, "exit code 3")
    assert sorted(output(fleet, run.id).split()) == ["err", "out"]
    spins = ended(
        fleet,
        "spins",
        command=[sys.executable, "-c", "import time\nwhile time.process_time() < 0.3: pass"],
    )
    assert (spins.cpu_s or 0) >= 0.3 and (spins.peak_memory_bytes or 0) > 1_000_000
    flood = ended(fleet, "flood", command="head -c 5000000 /dev/zero", shell=True)
    assert flood.state is RunState.SUCCESS
    thread = ended(fleet, "thread", call="elsewhere_tasks:add", args=[20, 22])
    assert thread.return_value == "42" and output(fleet, thread.id) == "adding 20 22\n"


def test_functions_share_a_warm_process(fleet: Fleet, agent: "subprocess.Popen[bytes]") -> None:
    fleet.jober.add_job("warm", call="elsewhere_tasks:whereabouts", process=True, roles=[ROLE])
    runs = [fleet.jober.run("warm").wait(45) for _ in range(2)]
    first, second = (json.loads(run.return_value or "null") for run in runs)
    assert first == second and first[:2] == ["darwin", False] and first[2] != agent.pid
    assert runs[0].progress and runs[0].progress.whole.message == "half"
    crashed = ended(fleet, "crashes", call="os:_exit", args=[3], process=True)
    assert (crashed.state, crashed.exit_code) == (RunState.FAILED, 3)


def test_a_plain_rq_job_runs(fleet: Fleet, agent: "subprocess.Popen[bytes]") -> None:
    client = fleet.jober.store.connection.client
    queue = rq.Queue(ROLE, connection=client, serializer=JSONSerializer)
    job = queue.enqueue("operator.add", 40, 2)
    wait_until(lambda: job.get_status() == JobStatus.FINISHED)
    assert job.return_value() == 42


@pytest.mark.parametrize("process", [False, True])
def test_a_function_is_cancelled(
    fleet: Fleet, agent: "subprocess.Popen[bytes]", process: bool
) -> None:
    task = "wait" if process else "obey"
    handle = start(fleet, task, call=f"elsewhere_tasks:{task}", process=process, grace=0.2)
    (pid,) = numbers(fleet, handle)
    handle.cancel()
    assert handle.wait(45).state is RunState.CANCELLED
    assert lives(pid) is not process


def test_a_tree_is_stopped_by_cancel_and_by_its_timeout_and_its_orphans_too(
    fleet: Fleet, agent: "subprocess.Popen[bytes]"
) -> None:
    tree = (
        "trap '' TERM; sleep 60 & echo $!; "
        "(setsid sh -c 'echo $$; exec sleep 60' >&1 &) ; echo $$; wait"
    )
    cancelled = start(fleet, "tree", command=tree, shell=True, grace=0.2)
    pids = numbers(fleet, cancelled, 3)
    cancelled.cancel()
    assert cancelled.wait(45).state is RunState.CANCELLED
    late = start(fleet, "late", command=tree, shell=True, grace=0.2, timeout=1)
    pids += numbers(fleet, late, 3)
    assert late.wait(45).state is RunState.TIMEOUT
    wait_until(lambda: not any(lives(pid) for pid in pids))


def test_limits_hold_where_the_system_has_them_and_are_told_where_not(
    fleet: Fleet, agent: "subprocess.Popen[bytes]"
) -> None:
    spins = ended(fleet, "spins", command=[sys.executable, "-c", "while True: pass"], cpu_time=1)
    assert spins.state is RunState.FAILED
    assert (spins.reason or "").endswith("over its cpu_time of 1 s")
    large = ended(fleet, "large", command="true", memory="64M", cpus=0.5, nice=5)
    assert large.state is RunState.SUCCESS
    told = output(fleet, large.id)
    assert "memory = 64M is not enforced" in told and "cpus = 0.5 is not enforced" in told


def test_ctrl_c_stops_the_runs_and_the_agent_leaves_in_order(
    fleet: Fleet, agent: "subprocess.Popen[bytes]"
) -> None:
    handle = start(fleet, "long", command="echo $$; sleep 60", shell=True, grace=0.2)
    (pid,) = numbers(fleet, handle)
    # A function in a thread does not end when it is asked to; the agent does.
    stuck = start(fleet, "stuck", call="elsewhere_tasks:wait")
    numbers(fleet, stuck)
    agent.send_signal(signal.SIGINT)
    wait_until(lambda: [agent.state for agent in fleet.jober.agents()] == ["draining"])
    agent.send_signal(signal.SIGINT)
    assert agent.wait(20) == 0
    assert not lives(pid) and fleet.jober.agents() == []
    assert {handle.run.state, stuck.run.state} == {RunState.CANCELLED}


def test_what_a_killed_agent_has_left_is_ended_by_the_next_one(
    fleet: Fleet, agent: "subprocess.Popen[bytes]"
) -> None:
    handle = start(fleet, "long", command="echo $$; sleep 60", shell=True)
    (pid,) = numbers(fleet, handle)
    os.kill(agent.pid, signal.SIGKILL)
    agent.wait()
    assert lives(pid)
    fleet.agent("other", ROLE)
    wait_until(lambda: not lives(pid))


def test_the_scheduler_and_the_command_line_work_too(
    fleet: Fleet, agent: "subprocess.Popen[bytes]"
) -> None:
    fleet.scheduler()
    fleet.leading()
    fleet.jober.add_job("fires", call="elsewhere_tasks:add", args=[1, 2], every=1, roles=[ROLE])
    wait_until(lambda: [run for run in fleet.jober.runs("fires") if run.state is RunState.SUCCESS])
    done = subprocess.run(
        [BIN / "jober", "run", "fires", "--follow", "--redis", fleet.url],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0 and "adding 1 2" in done.stdout, done.stderr


def test_jober_dev_works_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests" / "elsewhere"))
    file = tmp_path / "jobs.toml"
    file.write_text('[jobs.hello]\ncommand = "echo hello from here"\nevery = 1\n')
    wanted = ("hello", "success", "this is not Linux (darwin)")
    with subprocess.Popen(
        [BIN / "jober", "dev", file],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=tmp_path,
    ) as process:
        try:
            assert process.stdout is not None
            seen: list[str] = []
            while len(seen) < 12 and not all(told in "".join(seen) for told in wanted):
                seen.append(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
    assert all(told in "".join(seen) for told in wanted)
    assert process.returncode == 0
