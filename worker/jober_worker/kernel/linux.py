"""Linux: /proc, pidfds, PR_SET_CHILD_SUBREAPER, prlimit."""

import ctypes
import os
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from jober_worker.kernel.process import Process

MISSING: tuple[str, ...] = ()
# The resource limits that hold here.
LIMITED = frozenset({resource.RLIMIT_CPU, resource.RLIMIT_DATA})
# The unit of ru_maxrss.
MAXRSS_BYTES = 1024

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Make this process the parent of all below it that lose theirs."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def tell_when_parent_dies(number: int) -> None:
    """Have the kernel send this process a signal when its parent dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def now_s() -> float:
    """Now, by the clock that the starts of processes are told by: since boot."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def all_processes() -> dict[int, Process]:
    """Every process, by pid, as /proc tells."""
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and (process := read_process(int(entry.name))):
            found[process.pid] = process
    return found


def read_process(pid: int) -> Process | None:
    """One process; None where there is none of that number."""
    try:
        stat = _read(f"/proc/{pid}/stat")
    except OSError:
        return None
    # The name in parentheses may hold anything; what follows the last one is plain.
    fields = stat.rpartition(b")")[2].split()
    return Process(
        pid=pid,
        state=fields[0].decode(),
        parent=int(fields[1]),
        session=int(fields[3]),
        started_ticks=int(fields[19]),
    )


def variables_of(pid: int, *names: str) -> dict[str, str]:
    """Those of the variables that a process was started with."""
    try:
        environ = _read(f"/proc/{pid}/environ")
    except OSError:
        return {}
    found = {}
    for variable in environ.split(b"\0"):
        name, _, value = variable.partition(b"=")
        if name.decode("utf-8", "replace") in names:
            found[name.decode()] = value.decode("utf-8", "replace")
    return found


def may_be_orphans(processes: Mapping[int, Process]) -> list[int]:
    """Those that may have been orphaned by a run: children of ours, who adopt them."""
    me = os.getpid()
    return [pid for pid, process in processes.items() if process.parent == me]


def sees_our_numbers(pid: int) -> bool:
    """Whether a process is not in a container, where other numbers hold."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid") == os.readlink("/proc/self/ns/pid")
    except OSError:
        return False


def has_children() -> bool:
    """Whether this process has any, ended ones among them."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def has_ended(pid: int) -> bool:
    """Whether a child has ended; its exit status is not taken."""
    try:
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return found is not None


@contextmanager
def until_end(pid: int) -> Iterator[int]:
    """A descriptor that can be read, or says so, as soon as a child has ended."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def children_of(pid: int) -> list[int]:
    """The children of a process, or fewer."""
    try:
        return [int(one) for one in _read(f"/proc/{pid}/task/{pid}/children").split()]
    except (OSError, ValueError):
        return []


def peak_memory_bytes(pid: int | None = None) -> int | None:
    """The most that a process, or this one, had in memory; None where it has ended."""
    try:
        status = _read(f"/proc/{pid or 'self'}/status")
    except OSError:
        return None
    _, found, rest = status.partition(b"\nVmHWM:")
    return int(rest.split(None, 1)[0]) * 1024 if found else None


def forget_peak() -> bool:
    """Have the peak of this process begin anew; False where the kernel does not let it."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return False
    return True


def shared_memory(size: int) -> int:
    """A descriptor of so many bytes of memory, all 0, which lasts as long as anybody has it."""
    file = os.memfd_create("jober")
    os.ftruncate(file, size)
    return file


def set_limit(pid: int, kind: int, soft: int, hard: int) -> None:
    """Set a resource limit of a process that waits at its gate. Raises OSError, ValueError."""
    resource.prlimit(pid, kind, (soft, hard))


def gate_limits(limits: list[tuple[int, int, int]]) -> str:
    """The shell that a gate begins with, to set limits that `set_limit` does not: none."""
    return ""


def _read(path: str) -> bytes:
    """All of a file, without the layers of io and pathlib, since it is read of every process.
    Raises OSError."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        pieces = []
        while piece := os.read(file, 16384):
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        os.close(file)
