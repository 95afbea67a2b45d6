"""The processes of this host as the kernel tells of them, and those that belong to a run."""

import os
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

RUN_VARIABLE = "JOBER_RUN_ID"

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """One process. `started_s` is seconds since boot (CLOCK_BOOTTIME), rounded down to a tick."""

    pid: int
    state: str
    parent: int
    session: int
    started_s: float

    @property
    def has_ended(self) -> bool:
        """It is a zombie: only its exit status is left of it."""
        return self.state == "Z"


def all_processes() -> dict[int, Process]:
    """Every process, by pid, as /proc tells."""
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                stat = Path(entry.path, "stat").read_bytes()
            except OSError:
                continue
            # The name in parentheses may hold anything; what follows the last one is plain.
            fields = stat.rpartition(b")")[2].split()
            found[int(entry.name)] = Process(
                pid=int(entry.name),
                state=fields[0].decode(),
                parent=int(fields[1]),
                session=int(fields[3]),
                started_s=int(fields[19]) / _TICKS_PER_S,
            )
    return found


def below(roots: Iterable[int], processes: Mapping[int, Process]) -> set[int]:
    """The processes that descend from `roots`, without them."""
    children: dict[int, list[int]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process.pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found


def run_of(pid: int) -> str | None:
    """The run that a process was started for, as its environment tells; None where it does not."""
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return None
    prefix = f"{RUN_VARIABLE}=".encode()
    for variable in environ.split(b"\0"):
        if variable.startswith(prefix):
            return variable[len(prefix) :].decode("utf-8", "replace")
    return None


def members(run: str, root: int) -> list[int]:
    """Every live process of a run whose first process is or was `root`: its descendants, its
    session, and what was orphaned to us and carries the run in its environment. Its exit status
    has not been taken yet, so that the session is no other's.

    The oldest first: a parent that is killed first does not go on when its children end.
    """
    processes = all_processes()
    ours = below([os.getpid()], processes)
    session = {pid for pid, process in processes.items() if process.session == root}
    named = {pid for pid in ours if processes[pid].parent == os.getpid() and run_of(pid) == run}
    found = ({root} & ours) | session | named
    live = [pid for pid in found | below(found, processes) if not processes[pid].has_ended]
    return sorted(live, key=lambda pid: (processes[pid].started_s, pid))


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each that is still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue
