"""For tests of folders: programs that open one, and all that is started for a folder."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from jober.store import Store
from tests.waiting import wait_until

WITHIN_S = 60.0


@contextmanager
def program(code: str, *arguments: object) -> "Iterator[subprocess.Popen[str]]":
    """A program that runs the code, with its arguments in sys.argv, and its own standard streams;
    killed in the end."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("JOBER_")}
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import sys\nfrom jober import Jober\n{code}",
            *map(str, arguments),
        ],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def said(process: "subprocess.Popen[str]") -> str:
    """The next line that it prints."""
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line, "it has ended, and said no more"
    return line


def tell(process: "subprocess.Popen[str]", line: str = "") -> None:
    """Let it go on."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def started_for(url: str) -> list[psutil.Process]:
    """The keeper of the folder with that Redis, and all below it."""
    store = Store(url)
    try:
        with store.connection.guard():
            redis = psutil.Process(store.connection.client.info("server")["process_id"])
    finally:
        store.close()
    keeper = redis.parent()
    assert keeper is not None
    assert "jober.embedded.keeper" in keeper.cmdline()
    return [keeper, *keeper.children(recursive=True)]


def wait_until_gone(processes: list[psutil.Process]) -> None:
    """Wait until none of them is there."""
    wait_until(
        lambda: not [one for one in processes if _runs(one)], WITHIN_S, f"the end of {processes}"
    )


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def left_in(folder: Path) -> set[str]:
    """What is in a folder that nobody has open, but for what is kept there."""
    kept = {
        "appendonly.aof",
        "appendonlydir",
        "lock",
        "redis.lock",
        "redis.log",
        "keeper.log",
        "journal",
        "logs",
    }
    kept |= {"scheduler.log", "agent.log"}
    return {file.name for file in folder.iterdir()} - kept
