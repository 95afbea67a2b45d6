"""As whom a program runs, and with what limits: what the kernel says of it, and how it ends."""

import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jober.run import RunState
from jober_worker.limits import Limits
from tests.fleet import ROOT
from tests.worker.in_process import InProcess
from tests.worker.programs import Program, sh

AS_NOBODY = """
import os, pwd, sys
os.setgroups([])
nobody = pwd.getpwnam("nobody")
os.setgid(nobody.pw_gid)
os.setuid(nobody.pw_uid)
from jober_worker.identity import IdentityRefused, find_identity
print(find_identity("nobody", None).variables["USER"])
for user, group in (("root", None), (None, "root")):
    try:
        find_identity(user, group)
    except IdentityRefused as error:
        print(error)
"""

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change to another user")


@root_only
def test_a_program_runs_as_its_user_with_its_groups_and_home() -> None:
    nobody = pwd.getpwnam("nobody")
    program = sh("id -u; id -g; id -G; echo $HOME $USER $LOGNAME", user="nobody", cwd="/")
    assert program.run().state is RunState.SUCCESS
    uid, gid, groups, login = program.out.decode().splitlines()
    assert (int(uid), int(gid)) == (nobody.pw_uid, nobody.pw_gid)
    assert {*map(int, groups.split())} == {*os.getgrouplist("nobody", nobody.pw_gid)}
    assert login == f"{nobody.pw_dir} nobody nobody"


@root_only
def test_a_user_and_a_group_may_be_numbers_and_a_group_may_come_alone() -> None:
    program = sh("id -u; id -g", user="65534", group="1", cwd="/")
    program.run()
    assert program.out == b"65534\n1\n"
    program = sh("id -u; id -g; id -G", group="daemon")
    program.run()
    assert program.out == b"0\n1\n1\n"


@root_only
def test_a_program_of_another_user_is_stopped_with_all_its_children() -> None:
    program = sh("sleep 60 & setsid sleep 60 & echo up; wait", user="nobody", cwd="/")
    program.start(until=b"up")
    program.program.stop("enough")
    assert program.ended(5).state is RunState.CANCELLED


@pytest.mark.parametrize("what", ["user", "group"])
def test_a_user_or_group_that_is_not_there_is_named(what: str) -> None:
    outcome = sh("true", **{what: "no-such-one"}).run()
    assert (outcome.state, outcome.exit_code) == (RunState.FAILED, 126)
    assert outcome.reason == f"there is no {what} 'no-such-one' ({what}) on this host"


@root_only
def test_an_agent_that_is_not_root_says_whom_it_cannot_be() -> None:
    # The interpreter may lie where nobody else may go: the process has begun as root.
    told = subprocess.run(
        [sys.executable, "-c", f"import jober_worker.identity\n{AS_NOBODY}"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    own, user, group = told.stdout.splitlines() or [told.stderr] * 3
    assert own == "nobody"
    assert user.startswith("cannot run as user 'root' on this host: the agent runs as 'nobody'")
    assert group.startswith("cannot run as group 'root' on this host")


def test_umask_and_niceness_are_set() -> None:
    program = sh("umask; nice; wc -c", umask="027", nice=5)
    assert program.run().state is RunState.SUCCESS
    assert program.out == b"0027\n5\n0\n"


def test_a_program_behind_the_gate_starts_as_any_other() -> None:
    """Same session, descriptors and signals; and what cannot be started is told alike."""
    program = Program(sys.executable, "-c", "import os; print(os.getsid(0) == os.getpid())", nice=1)
    program.run()
    assert program.out == b"True\n"
    program = sh("ls /proc/self/fd | wc -l; grep SigIgn /proc/self/status", nice=1)
    program.run()
    descriptors, ignored = program.out.splitlines()
    assert descriptors == b"4"
    assert not int(ignored.split()[1], 16) & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGINT - 1)
    for argv, cwd in (
        (["no-such-program"], None),
        (["./no-such-program"], None),
        (["/etc/passwd"], None),
        (["true"], "/no/such"),
        (["true"], "/etc/passwd"),
    ):
        gated, plain = Program(*argv, nice=1, cwd=cwd).run(), Program(*argv, cwd=cwd).run()
        assert (gated.exit_code, gated.reason) == (plain.exit_code, plain.reason)
        assert gated.state is RunState.FAILED


def test_what_the_kernel_refuses_is_told_and_the_program_never_starts(tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_NICE, (0, 0))\n"
        "sys.path[:0] = ['.']\n"
        "from jober_worker.spawn import CannotStart, _hold\n"
        "import subprocess, os, pwd\n"
        "child = subprocess.Popen(['sleep', '9'])\n"
        "os.setuid(65534)\n"
        "try: _hold(child.pid, -5, (), None)\n"
        "except CannotStart as error: print(error)\n"
    )
    if os.geteuid() == 0:
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert told.stdout.startswith("cannot give it the niceness -5 (nice; less than 0 is for")
    else:
        outcome = sh(f"touch {tmp_path}/started", nice=-5).run()
        assert outcome.state is RunState.FAILED
        assert (outcome.reason or "").startswith("cannot give it the niceness -5")
        assert not (tmp_path / "started").exists()


def test_a_program_over_its_cpu_time_is_ended_with_the_reason() -> None:
    outcome = sh("while :; do :; done", cpu_time=1).run()
    assert (outcome.state, outcome.exit_code) == (RunState.FAILED, 128 + signal.SIGXCPU)
    assert outcome.reason == "killed by SIGXCPU: over its cpu_time of 1 s"
    assert 0.5 < (outcome.cpu_s or 0) < 2
    # One that goes on all the same is killed.
    stubborn = "import signal; signal.signal(24, lambda *_: None)\nwhile True: pass"
    outcome = Program(sys.executable, "-c", stubborn, cpu_time=1).run()
    assert outcome.reason == "killed by SIGKILL: over its cpu_time of 1 s"


def test_a_program_over_its_memory_fails() -> None:
    """By its cgroup where the host has one to give, else by the limit of each process."""
    greedy = "print('up', flush=True); held = bytearray(200_000_000); print('had it')"
    program = Program(sys.executable, "-c", greedy, memory="100M")
    outcome = program.run()
    assert outcome.state is RunState.FAILED
    assert program.out == b"up\n"
    if b"holds for each process by itself on this host" in program.err:
        assert b"MemoryError" in program.err
    else:
        assert outcome.reason == "killed by SIGKILL: over its memory limit of 100M"
    enough = Program(sys.executable, "-c", greedy, memory="400M")
    assert enough.run().state is RunState.SUCCESS


def test_limits_that_this_host_cannot_enforce_are_told_in_the_output() -> None:
    limits = Limits(memory=1 << 30, cpus=1.5)
    assert limits.notes(frozenset({"memory", "cpu"})) == []
    cpus, memory = limits.notes(frozenset())
    assert cpus == (
        "cpus = 1.5 is not enforced on this host: "
        "no cgroup v2 with a cpu controller that the agent may write to is here"
    )
    assert memory.startswith("memory = 1G holds for each process by itself on this host: no cgroup")
    program = sh("true", cpus=1.5)
    assert program.run().state is RunState.SUCCESS
    held = b"" if program.err == b"" else f"jober: {cpus}\n".encode()
    assert program.err == held


def test_a_function_over_its_limits_says_which(tmp_path: Path) -> None:
    (tmp_path / "greedy.py").write_text(
        "def take(n): return len(bytearray(n))\ndef spin():\n    while True: pass\n"
    )
    file = str(tmp_path / "greedy.py")
    outcome = InProcess("take", 300_000_000, file=file, memory="200M").run()
    assert outcome.state is RunState.FAILED
    assert outcome.reason in (
        "MemoryError: over its memory limit of 200M",
        "its process ended before the function returned: "
        "killed by SIGKILL: over its memory limit of 200M",
    )
    assert InProcess("take", 1_000, file=file, memory="200M").run().return_value == 1_000
    outcome = InProcess("spin", file=file, cpu_time=1).run()
    assert outcome.state is RunState.FAILED
    assert (outcome.reason or "").endswith("killed by SIGXCPU: over its cpu_time of 1 s")
