"""Other systems, such as macOS: what psutil and POSIX have in place of Linux's own ways.

It has no pidfd, no waitid before Python 3.13, no process that orphans come to, no limits set from
outside, and tells no peak of memory: what is missing is looked at from time to time instead, or is
not promised (`MISSING`).
"""

import errno
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import psutil

from jober_worker.kernel.process import TICKS_PER_S, Process

MISSING = (
    "nobody ends the runs of an agent that is killed or hangs, until the next one starts here",
    "a process that leaves the session of its run may outlive it",
    "memory and cpus of jobs are not enforced",
)
LIMITED = frozenset({resource.RLIMIT_CPU})
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024

# How often it is looked whether a process has ended.
_LOOK_S = 0.01
_ULIMIT = {resource.RLIMIT_CPU: "-t"}


def adopt_orphans() -> None:
    """Orphans come to the first process of the system."""


def tell_when_parent_dies(number: int) -> None:
    """Nobody tells."""


def now_s() -> float:
    """Now, by the clock that the starts of processes are told by: since the epoch."""
    return time.clock_gettime(time.CLOCK_REALTIME)


def all_processes() -> dict[int, Process]:
    """Every process, by pid."""
    found = {}
    for pid in psutil.pids():
        if process := read_process(pid):
            found[pid] = process
    return found


def read_process(pid: int) -> Process | None:
    """One process; None where there is none of that number, or it is not for us to see."""
    try:
        told = psutil.Process(pid)
        with told.oneshot():
            return Process(
                pid=pid,
                state="Z" if told.status() == psutil.STATUS_ZOMBIE else "S",
                parent=told.ppid(),
                session=_session(pid),
                started_ticks=round(told.create_time() * TICKS_PER_S),
            )
    except psutil.Error:
        return None


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return pid


def variables_of(pid: int, *names: str) -> dict[str, str]:
    """Those of the variables that a process was started with; the system hides some."""
    try:
        variables = psutil.Process(pid).environ()
    except (psutil.Error, OSError):
        return {}
    return {name: value for name, value in variables.items() if name in names}


def may_be_orphans(processes: Mapping[int, Process]) -> list[int]:
    """Those that may have been orphaned by a run: any, since others adopt them."""
    return list(processes)


def sees_our_numbers(pid: int) -> bool:
    """Whether the numbers of processes mean the same to it."""
    return True


def has_children() -> bool:
    """Whether this process has any, ended ones among them."""
    return bool(psutil.Process().children())


def has_ended(pid: int) -> bool:
    """Whether a child has ended; its exit status is not taken."""
    process = read_process(pid)
    return process is None or process.has_ended


@contextmanager
def until_end(pid: int) -> Iterator[int]:
    """A descriptor that can be read as soon as a child has ended."""
    reading, writing = os.pipe()
    stopping = threading.Event()

    def look() -> None:
        while not stopping.is_set():
            if has_ended(pid):
                os.write(writing, b".")
                return
            stopping.wait(_LOOK_S)

    looker = threading.Thread(target=look, name=f"end of {pid}", daemon=True)
    looker.start()
    try:
        yield reading
    finally:
        stopping.set()
        looker.join()
        os.close(reading)
        os.close(writing)


def children_of(pid: int) -> list[int]:
    """The children of a process."""
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.Error:
        return []


def peak_memory_bytes(pid: int | None = None) -> int | None:
    """What a process, or this one, has in memory now: of its peak nobody tells before its end."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None


def forget_peak() -> bool:
    """It cannot be."""
    return False


def spawn(
    path: bytes,
    argv: Sequence[bytes],
    env: Sequence[bytes],
    cwd: bytes | None,
    stdout: int,
    stderr: int,
) -> int:
    """It has no such way to start a program: OSError."""
    raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))


def shared_memory(size: int) -> int:
    """A descriptor of so many bytes of a file without a name, all 0."""
    with tempfile.TemporaryFile() as file:
        file.truncate(size)
        return os.dup(file.fileno())


def set_limit(pid: int, kind: int, soft: int, hard: int) -> None:
    """Nobody sets it from outside: see `gate_limits`."""


def gate_limits(limits: list[tuple[int, int, int]]) -> str:
    """The shell that a gate begins with, to set limits: kind, soft and hard."""
    return "".join(
        f"ulimit -S {_ULIMIT[kind]} {soft} && ulimit -H {_ULIMIT[kind]} {hard} || exit 125; "
        for kind, soft, hard in limits
    )
