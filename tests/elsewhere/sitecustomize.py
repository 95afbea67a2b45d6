"""Takes what only Linux has from every Python that is started with this folder on PYTHONPATH: it
then goes by what another system, such as macOS, would have."""

import fcntl
import os
import resource
import select
import socket
import sys
import time
from typing import Any

ABSENT = (
    (fcntl, ("F_SETPIPE_SZ", "F_GETPIPE_SZ")),
    (os, ("pidfd_open", "waitid", "pipe2", "sched_getaffinity", "splice", "memfd_create")),
    (resource, ("prlimit",)),
    (select, ("epoll",)),
    (socket, ("SO_PEERCRED", "MSG_CMSG_CLOEXEC", "TCP_KEEPIDLE", "SOCK_CLOEXEC")),
    (time, ("CLOCK_BOOTTIME",)),
)


def _is_ours() -> bool:
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(("psutil", "sitecustomize")):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _started_s(process: Any) -> float:
    """Since boot, as Linux tells it. Else the agents that are deprived and all others on this host
    would not know each other's processes, and take what they run for leftovers."""
    try:
        with open(f"/proc/{process.pid}/stat", "rb") as file:
            stat = file.read()
    except OSError:
        raise psutil.NoSuchProcess(process.pid) from None
    return int(stat.rpartition(b")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")


def _environ(process: Any) -> dict[str, str]:
    """Not of the processes in containers, whose numbers are other ones."""
    try:
        if os.readlink(f"/proc/{process.pid}/ns/pid") == os.readlink("/proc/self/ns/pid"):
            return environ(process)
    except OSError:
        pass
    raise psutil.AccessDenied(process.pid)


def _clock(_clock: int) -> float:
    return gettime(boottime)


def _deny(event: str, args: tuple[Any, ...]) -> None:
    if event == "ctypes.dlsym" and args[1] == "prctl":
        raise AttributeError("there is no prctl here")
    if event in ("open", "os.scandir", "os.listdir"):
        path = os.fsdecode(args[0]) if isinstance(args[0], str | bytes) else ""
        # psutil is what stands for /proc elsewhere, and is made for the system that it is on.
        if path.startswith(("/proc", "/sys/fs/cgroup")) and not _is_ours():
            raise FileNotFoundError(2, "there is no /proc here", path)


gettime, boottime = time.clock_gettime, time.CLOCK_BOOTTIME
for module, names in ABSENT:
    for name in names:
        if hasattr(module, name):
            delattr(module, name)

# They look which system this is when they are first asked.
import sysconfig  # noqa: E402
import urllib.request  # noqa: E402, F401

import psutil  # noqa: E402

environ = psutil.Process.environ
for name, told in (("create_time", _started_s), ("environ", _environ)):
    setattr(psutil.Process, name, told)
time.clock_gettime = _clock
sysconfig.get_config_vars()
sys.platform = "darwin"
sys.addaudithook(_deny)
