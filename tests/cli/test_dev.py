"""`jober dev`: a whole fleet, of which nothing is left."""

import fcntl
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import termios
from pathlib import Path
from typing import IO

import httpx
import psutil
import pytest

from tests.fleet import BIN
from tests.waiting import wait_until

FILE = """
[jobs.tick]
command = "date"
every = 1
roles = ["web"]
[jobs.talk]
command = "echo begun; sleep 60"
shell = true
every = 1
grace = 1
roles = ["db"]
"""
LINE = re.compile(r"\d\d:\d\d:\d\d  tick  (alpha|beta )  success    +\d+\.\d\d\ds\n")
LINK = re.compile(r"pages \(this link logs you in once\): (http://\S+)")
FORM = re.compile(r'<form[^>]* action="([^"]+)"')
URL = re.compile(r"export JOBER_REDIS_URL=unix://(\S+)/redis\.sock")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "fleet.toml"
    file.write_text(FILE)
    return file


def start(file: Path, stdout: int | IO[bytes] = subprocess.PIPE) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [str(BIN / "jober"), "dev", str(file)],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE if stdout == subprocess.PIPE else stdout,
        start_new_session=True,
    )


def below(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def folder(process: "subprocess.Popen[bytes]") -> Path:
    """The folder of its Redis, as it is told on stderr."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := URL.search(line.decode()):
            return Path(found[1])
    raise AssertionError("no address was told")


def test_without_a_terminal_it_prints_a_line_a_run_and_ends_without_a_trace(file: Path) -> None:
    process = start(file)
    assert process.stdout is not None
    place = folder(process)
    assert place.is_dir()
    for _ in range(2):
        assert LINE.fullmatch(process.stdout.readline().decode())
    # Redis, a scheduler, pages, two guardians, two agents, and what the long run starts.
    wait_until(lambda: len(below(process)) >= 8, 60)
    left = below(process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert err == b""
    assert re.search(rb"talk +(alpha|beta) +cancelled", out)
    assert not [one for one in left if one.is_running()]
    assert not place.exists()


def test_it_has_pages_and_tells_a_link_that_logs_one_in_once(file: Path) -> None:
    process = start(file)
    assert process.stderr is not None
    try:
        told = (LINK.search(line.decode()) for line in process.stderr)
        link = next(found[1] for found in told if found)
        with httpx.Client(follow_redirects=True, timeout=30) as browser:

            def page() -> str:
                try:
                    return browser.get(link).text
                except httpx.ConnectError:
                    return ""  # it is about to listen

            form = wait_until(page, 60, "a page")
            action = FORM.search(form)
            assert action, form
            hidden = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
            pressed = browser.post(str(httpx.URL(link).join(action[1])), data=hidden)
            assert pressed.status_code == 200
            assert "tick" in browser.get(str(httpx.URL(link).join("/jobs"))).text
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_where_it_is_killed_its_children_end_too(file: Path) -> None:
    process = start(file)
    assert process.stdout is not None
    place = folder(process)
    process.stdout.readline()
    left = below(process)
    process.kill()
    process.communicate(timeout=60)
    psutil.wait_procs(left, timeout=60)
    assert not [one for one in left if one.is_running()]
    shutil.rmtree(place)


def test_in_a_terminal_it_shows_output_and_state_and_ends_when_that_closes(file: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = start(file, theirs)
    os.close(theirs)
    shown = b""

    def sees(*words: bytes) -> bool:
        nonlocal shown
        shown += os.read(ours, 65536)
        return all(word in shown for word in words)

    wait_until(
        lambda: sees(
            *(b"talk@", b"begun", b"success", b"leader", b"alpha", b"next"),
            b"export JOBER_REDIS_URL=unix://",
        ),
        within=20,
    )
    found = URL.search(shown.decode(errors="replace"))
    assert found
    # A change of the file is applied, and told.
    file.write_text(FILE.replace('every = 1\nroles = ["web"]', 'every = 2\nroles = ["web"]'))
    wait_until(lambda: sees("every: 1 → 2".encode()))
    file.write_text("[jobs.tick]\ncrn = 1\n")
    wait_until(lambda: sees(b"the jobs are as before"))
    left = below(process)
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    process.wait(20)
    assert not [one for one in left if one.is_running()]
    assert not Path(found[1]).exists()


def test_a_bad_file_starts_nothing(file: Path) -> None:
    file.write_text("[jobs.tick]\ncrn = 1\n")
    process = start(file)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, b"")
    assert b"unknown field 'crn', did you mean 'cron'?" in err
