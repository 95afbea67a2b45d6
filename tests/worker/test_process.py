"""Programs as runs: how they end, what they see, what they write, how they are stopped."""

import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from jober.output import Stream
from jober.run import RunState
from jober_worker.functions import Data
from tests.waiting import wait_until
from tests.worker.programs import Program, sh


def lives(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@pytest.mark.parametrize(("status", "state"), [(0, RunState.SUCCESS), (3, RunState.FAILED)])
def test_the_exit_code_of_a_program_is_told(status: int, state: RunState) -> None:
    outcome = sh(f"exit {status}").run()
    assert (outcome.state, outcome.exit_code) == (state, status)
    assert outcome.reason == (f"exit code {status}" if status else None)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_a_program_that_a_signal_killed_ends_with_128_and_its_number(
    number: signal.Signals,
) -> None:
    outcome = sh(f"kill -{number} $$").run()
    assert (outcome.state, outcome.exit_code) == (RunState.FAILED, 128 + number)
    assert outcome.reason == f"killed by {number.name}"


def test_a_program_that_is_not_there_ends_with_127() -> None:
    outcome = Program("no-such-program").run()
    assert (outcome.state, outcome.exit_code) == (RunState.FAILED, 127)
    assert outcome.reason == "no-such-program is not there on this host"


def test_a_program_whose_interpreter_is_not_there_says_so(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    outcome = Program(str(script)).run()
    assert outcome.exit_code == 127
    assert outcome.reason == f"what the first line of {script} names (#!) is not there on this host"


def test_a_file_that_may_not_be_executed_ends_with_126(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("exit 0")
    outcome = Program(str(script)).run()
    assert (outcome.state, outcome.exit_code) == (RunState.FAILED, 126)
    assert outcome.reason == f"cannot start {script}: Permission denied"


@pytest.mark.parametrize(
    ("cwd", "why"), [("/no/such", "No such file or directory"), ("/etc/passwd", "Not a directory")]
)
def test_a_directory_that_is_not_there_is_named(cwd: str, why: str) -> None:
    outcome = sh("true", cwd=cwd).run()
    assert (outcome.state, outcome.exit_code) == (RunState.FAILED, 126)
    assert outcome.reason == f"cannot start in the directory {cwd} (cwd) on this host: {why}"


def test_arguments_that_no_program_can_take_fail_the_run_alone() -> None:
    assert Program("echo", "a\0b").run().reason == "cannot start echo: embedded null byte"
    outcome = Program("echo", "x" * 10_000_000).run()
    assert outcome.reason == "cannot start echo: Argument list too long"


def test_the_environment_is_merged_and_ours_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_AGENT", "agent")
    monkeypatch.setenv("OF_BOTH", "agent")
    env = {"OF_BOTH": "job", "PYTHONUNBUFFERED": "", "JOBER_RUN_ID": "forged"}
    program = sh(
        'echo "$OF_AGENT$OF_THE_AGENT $OF_BOTH [$PYTHONUNBUFFERED] $JOBER_RUN_ID"; pwd',
        env=env,
        cwd=str(tmp_path),
        run="real",
    )
    program.run()
    assert program.out.decode() == f"agent job [] real\n{tmp_path}\n"


def test_a_program_starts_with_no_input_no_descriptor_and_no_signal_held_back() -> None:
    program = sh("grep -E 'SigBlk|SigIgn' /proc/self/status; wc -c; ls /proc/self/fd | wc -l")
    program.run()
    blocked, ignored, input_, descriptors = program.out.split(b"\n")[:4]
    assert int(blocked.split()[1], 16) == 0
    assert not int(ignored.split()[1], 16) & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGTERM - 1)
    assert input_ == b"0"
    # The three streams, and the one by which ls reads the folder.
    assert descriptors == b"4"


def test_a_program_does_not_get_what_the_agent_has_left_open_for_others() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    try:
        program = sh(f"test -e /proc/self/fd/{writing} && echo there; exec 1>&- 2>&-; sleep 60")
        program.start()
        os.close(writing)
        assert os.read(reading, 1) == b"", "its only writer is gone"
        program.program.stop("enough")
        program.ended()
        assert program.out == b""
    finally:
        os.close(reading)


def test_a_program_is_found_by_the_path_of_its_own_environment(tmp_path: Path) -> None:
    (tmp_path / "first" / "hello").mkdir(parents=True)
    for folder in ("second", "third"):
        (tmp_path / folder).mkdir()
        script = tmp_path / folder / "hello"
        script.write_text(f"#!/bin/sh\necho {folder} $*\n")
        script.chmod(0o755 if folder == "third" else 0o644)
    path = ":".join(str(tmp_path / folder) for folder in ("first", "second", "third"))
    program = Program("hello", "you", env={"PATH": f"{path}:/bin"})
    assert program.run().state is RunState.SUCCESS
    assert program.out == b"third you\n"
    program = Program("hello", env={"PATH": "third"}, cwd=str(tmp_path))
    assert program.run().state is RunState.SUCCESS
    assert program.out == b"third\n"


def test_each_stream_keeps_its_order_and_every_byte() -> None:
    noise = random.Random(1).randbytes(300_000)
    program = Program(
        sys.executable,
        "-c",
        "import os, random\n"
        "noise = random.Random(1).randbytes(300_000)\n"
        "for start in range(0, len(noise), 7001):\n"
        "    os.write(1, noise[start:start + 7001])\n"
        "    os.write(2, noise[start:start + 7001][::-1])\n",
    )
    program.run()
    assert program.out == noise
    assert program.err == b"".join(noise[i : i + 7001][::-1] for i in range(0, len(noise), 7001))


def test_five_megabytes_are_drained_without_loss_though_the_reader_is_slow() -> None:
    program = sh("head -c 5000000 /dev/zero; head -c 65536 /dev/zero >&2")
    written = program._write

    def slowly(stream: Stream, data: Data) -> None:
        if len(program.err) + len(program.out) > 4_990_000:
            time.sleep(0.1)
        written(stream, data)

    program.program._write = slowly
    assert program.run().state is RunState.SUCCESS
    assert (len(program.out), len(program.err)) == (5_000_000, 65_536)


def test_what_is_left_in_a_pipe_at_the_end_of_the_time_is_read() -> None:
    """A child outside the session holds the pipes, so that their end never comes."""
    program = sh("setsid sh -c 'echo $$ >&2; head -c 60000 /dev/zero; sleep 60' & sleep 0.2")
    program.run()
    assert len(program.out) == 60_000


def test_what_passes_the_output_through_ends_before_it_is_killed() -> None:
    program = Program("bash", "-c", "exec > >(sleep 0.1; cat); echo all of it")
    assert program.run().state is RunState.SUCCESS
    assert program.out == b"all of it\n"


def test_a_timeout_of_a_year_is_waited_for_a_piece_at_a_time() -> None:
    assert sh("echo on", timeout_s=366 * 86_400).run().state is RunState.SUCCESS


def test_a_program_is_stopped_after_its_timeout() -> None:
    program = sh("echo on; sleep 60", timeout_s=0.1)
    outcome = program.run()
    assert (outcome.state, outcome.exit_code) == (RunState.TIMEOUT, 128 + signal.SIGTERM)
    assert outcome.reason == "stopped after its timeout of 0.1 s"
    assert program.out == b"on\n"


def test_a_tree_that_ignores_term_is_killed_after_the_grace() -> None:
    program = sh(
        "trap '' TERM; sh -c 'echo $$; while :; do sleep 1; done' & "
        "setsid sh -c 'echo $$; while :; do sleep 1; done' & wait; echo went on",
        timeout_s=0.2,
        grace_s=0.2,
    )
    outcome = program.run()
    assert (outcome.state, outcome.exit_code) == (RunState.TIMEOUT, 128 + signal.SIGKILL)
    pids = [int(line) for line in program.out.split()]
    assert len(pids) == 2
    wait_until(lambda: not any(lives(pid) for pid in pids), within=1)


def test_all_of_a_tree_has_its_grace_though_the_first_process_ends_at_once() -> None:
    program = sh(
        'python3 -c "import signal, sys, time\n'
        "def end(*_): time.sleep(0.8); print('cleaned up', flush=True); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(60)\"; true",
        grace_s=5.0,
    ).start(until=b"up")
    program.program.stop("cancelled")
    outcome = program.ended()
    assert (outcome.state, outcome.exit_code) == (RunState.CANCELLED, 128 + signal.SIGTERM)
    assert program.out == b"up\ncleaned up\n"


def test_a_program_that_is_stopped_is_cancelled_with_the_reason() -> None:
    program = sh("echo up; sleep 60").start(until=b"up")
    program.program.stop("not needed")
    program.program.stop("again")
    outcome = program.ended()
    assert (outcome.state, outcome.exit_code) == (RunState.CANCELLED, 143)
    assert outcome.reason == "not needed"


def test_what_is_killed_before_its_follower_hears_of_the_stop_was_stopped_all_the_same() -> None:
    """As when an agent kills all below it."""
    program = sh("echo ready; kill -STOP $$").start(b"ready")
    # As `stop` does, but for the bell: the follower may hear of the death first.
    program.program._stop_reason, program.program._at_once = "its agent was stopped", True
    assert program.program.pid is not None
    os.killpg(program.program.pid, signal.SIGKILL)
    outcome = program.ended()
    assert (outcome.state, outcome.reason) == (RunState.CANCELLED, "its agent was stopped")


def test_a_stop_at_once_does_not_wait_for_the_grace() -> None:
    program = sh("trap '' TERM; echo up; while :; do sleep 1; done", grace_s=60.0)
    program.start(until=b"up")
    program.program.stop("politely")
    program.program.stop("now", at_once=True)
    outcome = program.ended(2)
    assert (outcome.state, outcome.exit_code) == (RunState.CANCELLED, 137)


def test_a_program_that_is_stopped_before_it_starts_never_does(tmp_path: Path) -> None:
    program = sh(f"touch {tmp_path}/started")
    program.program.stop("too late")
    assert program.run().state is RunState.CANCELLED
    assert program.program.pid is None
    assert not (tmp_path / "started").exists()


def test_a_stop_after_the_end_is_harmless() -> None:
    program = sh("true")
    assert program.run().state is RunState.SUCCESS
    program.program.stop("too late", at_once=True)


def test_a_stop_in_its_grace_is_not_overtaken_by_the_timeout() -> None:
    program = sh(
        "trap 'sleep 0.4; exit 4' TERM; echo up; while :; do sleep 0.05; done", timeout_s=0.5
    ).start(until=b"up")
    program.program.stop("cancelled")
    outcome = program.ended()
    assert (outcome.state, outcome.exit_code) == (RunState.CANCELLED, 4)


def test_an_exit_status_that_somebody_else_took_is_no_success() -> None:
    program = sh("echo up; exit 3")
    written = program._write

    def take_it(stream: Stream, data: Data) -> None:
        written(stream, data)
        assert program.program.pid
        os.waitpid(program.program.pid, 0)

    program.program._write = take_it
    outcome = program.run()
    assert (outcome.state, outcome.exit_code) == (RunState.FAILED, None)
    assert "something else in the agent took its exit status" in (outcome.reason or "")


def test_two_hundred_runs_leak_no_descriptor_and_no_zombie() -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    sh("true").run()
    before = descriptors()
    for n in range(200):
        if n % 10 == 0:
            Program("no-such-program").run()
        elif n % 10 == 1:
            stopped = sh("true")
            stopped.program.stop("before")
            stopped.run()
        else:
            assert sh(f"exit {n % 3}").run().exit_code == n % 3
    assert descriptors() == before
    with pytest.raises(ChildProcessError):
        # The Redis of other tests may be a child too: it runs, so that nothing is to be had.
        if os.waitpid(-1, os.WNOHANG) == (0, 0):
            raise ChildProcessError
