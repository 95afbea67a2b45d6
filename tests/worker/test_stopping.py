"""Runs are stopped for certain: one, all of a job, or all on a host."""

import json
import os
import pty
import subprocess
from pathlib import Path

from jober.run import RunState
from tests.fleet import BIN, Fleet
from tests.waiting import wait_until
from tests.worker.agents import ROLE, ended, numbers, start
from tests.worker.test_process import lives

STUBBORN = "trap '' TERM; (trap '' TERM; sleep 600) & echo $$; echo $!; while :; do sleep 1; done"


def cancel(fleet: Fleet, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(BIN / "jober"), "cancel", *words, "--redis", fleet.url],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def test_what_ignores_term_is_gone_within_its_grace_and_two_seconds(fleet: Fleet) -> None:
    fleet.agent("web1", ROLE)
    handle = start(fleet, "stubborn", command=STUBBORN, shell=True, grace=1)
    pids = numbers(fleet, handle, 2)
    assert handle.cancel() == "asked"
    assert handle.wait(3).state is RunState.CANCELLED
    assert not [pid for pid in pids if lives(pid)]


def test_all_runs_of_a_job_are_cancelled_wherever_they_are(fleet: Fleet) -> None:
    fleet.agent("web1", ROLE)
    jober = fleet.jober
    again = {"retries": 1, "retry_delay": 600, "concurrency": 2}
    jober.add_job("job", command="sleep 600", roles=[ROLE], **again)
    jober.add_job("other", command="sleep 600", roles=[ROLE])
    other = jober.run("other")
    delayed = jober.run("job")
    wait_until(lambda: delayed.state == "running", told="it runs")
    jober.update_job("job", command="sleep 601")
    os.kill(int(_pid_of("sleep 600", other.id)), 9)
    wait_until(lambda: delayed.state == "delayed", told="it waits for another attempt")
    running, running_too, parked = (jober.run("job") for _ in range(3))
    wait_until(lambda: parked.state == "parked" and running_too.state == "running", told="full")
    done = cancel(fleet, "--job", "job", "--wait", "--json")
    assert done.returncode == 0, done.stderr
    assert {one["id"]: one["cancel"] for one in json.loads(done.stdout)} == {
        delayed.id: "withdrawn",
        parked.id: "withdrawn",
        running.id: "asked",
        running_too.id: "asked",
    }
    assert {one.state for one in (delayed, running, running_too, parked)} == {"cancelled"}
    assert other.state == "running"
    assert "no run of job goes on or waits" in cancel(fleet, "--job", "job").stderr
    assert cancel(fleet, "--job", "nobody").returncode == 1


def _pid_of(command: str, not_of: str) -> str:
    """The process of a command, of another run than the one told."""

    def found() -> list[str]:
        pids = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue
            if line == command and b"JOBER_JOB=job\0" in environment:
                if not_of.encode() not in environment:
                    pids.append(folder.name)
        return pids

    return wait_until(found, told=f"a process of {command}")[0]


def test_all_on_a_host_is_cancelled_and_nothing_elsewhere(fleet: Fleet) -> None:
    fleet.agent("web1", ROLE, slots=1)
    fleet.agent("web2", ROLE)
    jober = fleet.jober
    jober.add_job("job", command="sleep 600", roles=[ROLE], overlap="allow")
    here = jober.run("job", host="web1")
    wait_until(lambda: here.state == "running", told="it runs")
    bound, elsewhere = jober.run("job", host="web1"), jober.run("job", host="web2")
    wait_until(lambda: elsewhere.state == "running", told="the other runs")
    done = cancel(fleet, "--all-on", "web1", "--wait")
    assert done.stdout == "cancelled 1 run that waited, stopped 1 run\n", done.stderr
    assert (here.state, bound.state, elsewhere.state) == ("cancelled", "cancelled", "running")
    assert "no agent is live on 'web'" in cancel(fleet, "--all-on", "web").stderr
    assert cancel(fleet, "--all-on", "web1", "--job", "job").returncode == 2
    assert cancel(fleet).returncode == 2


def test_a_person_is_asked_before_many_runs_are_cancelled(fleet: Fleet) -> None:
    jober = fleet.jober
    jober.add_job("job", command="true")
    ids = [jober.run("job").id for _ in range(250)]
    assert _answer(fleet, "n\n") == 1
    assert {jober.handle(id).state for id in ids} == {"queued"}
    assert _answer(fleet, "y\n") == 0
    assert {jober.handle(id).state for id in ids} == {"cancelled"}
    assert jober.store.connection.command("LLEN", "rq:queue:default") == 0


def _answer(fleet: Fleet, answer: str) -> int:
    """Cancel in a terminal, and say something; the exit status."""
    ours, theirs = pty.openpty()
    command = [str(BIN / "jober"), "cancel", "--job", "job", "--redis", fleet.url]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        while b"[y/N]" not in said:
            said += os.read(ours, 1024)
        assert b"Cancel 250 runs of job?" in said
        os.write(ours, answer.encode())
        status = process.wait(30)
    os.close(ours)
    return status


DEAF = """
import signal, sys, threading
from jober import current_run
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def look():
    if current_run().wait_cancelled(60):
        print("heard", flush=True)
thread = threading.Thread(target=look)
thread.start()
thread.join()
"""


def test_what_has_had_its_timeout_hears_of_it_though_it_is_deaf_to_term(
    fleet: Fleet, tmp_path: Path
) -> None:
    fleet.agent("web1", ROLE)
    (tmp_path / "deaf.py").write_text(DEAF)
    run = ended(fleet, "deaf", script=str(tmp_path / "deaf.py"), timeout=2, grace=30, within=25)
    assert run.state is RunState.TIMEOUT
    assert fleet.jober.handle(run.id).output.bytes() == b"heard\n"
