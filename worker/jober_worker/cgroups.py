"""Control groups (cgroup v2): one for each run that asks for memory or cpus, where the agent may.

Runs get theirs below the agent's own group. The kernel lets no group both have processes and give
controllers to those below it, so guardian and agent move to a leaf of it first; a systemd unit
needs Delegate=yes for that. Where controllers cannot be given, nothing is changed, and the
resource limits of processes have to do.
"""

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

log = logging.getLogger(__name__)

CONTROLLERS = ("memory", "cpu")
_LEAF = "jober-agent"
_RUN = "jober-run-"
# How long killed processes may take to leave their group.
_GONE_S = 2.0


class Group:
    """The group of one run, with the `held` controllers. Its processes end with `end`."""

    def __init__(self, path: Path, held: frozenset[str]) -> None:
        self.path = path
        self.held = held

    def add(self, pid: int) -> None:
        """Put a process into it. Raises OSError."""
        (self.path / "cgroup.procs").write_text(str(pid))

    def kills_for_memory(self) -> int:
        """How many of its processes the kernel has killed for want of memory."""
        return _numbers(self.path / "memory.events").get("oom_kill", 0)

    def kill(self) -> None:
        """Kill all its processes at once: none can fork away (Linux 5.14; else one by one)."""
        try:
            (self.path / "cgroup.kill").write_text("1")
        except OSError:
            for pid in _processes(self.path):
                try:
                    os.kill(pid, 9)
                except (ProcessLookupError, PermissionError):
                    continue

    def end(self) -> bool:
        """Kill what is in it, and remove it; False where something would not go."""
        deadline = time.monotonic() + _GONE_S
        while True:
            try:
                self.path.rmdir()
                return True
            except FileNotFoundError:
                return True
            except OSError:
                if time.monotonic() > deadline:
                    return False
            self.kill()
            time.sleep(0.002)


class Groups:
    """The groups of one agent; `owner` (`leftovers.mark`) is in their names, by which a later one
    knows leftovers."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._lock = threading.Lock()
        self._number = 0
        self._base: Path | None = None
        self._given: frozenset[str] | None = None

    def make(self, files: Mapping[str, Mapping[str, str]]) -> Group | None:
        """A new group that holds what `files` says by controller, as far as the host can; None
        where it can hold none of it."""
        with self._lock:
            if self._given is None:
                self._base = own_group()
                self._given = _give_controllers(self._base) if self._base else frozenset()
            held = self._given & frozenset(files)
            if self._base is None or not held:
                return None
            self._number += 1
            path = self._base / f"{_RUN}{self._owner}-{self._number}"
        try:
            path.mkdir()
            for controller in held:
                for name, text in files[controller].items():
                    # Kernels without swap accounting lack the file for it.
                    if (path / name).exists():
                        (path / name).write_text(text)
        except OSError as error:
            log.warning("no group for a run: %s: %s", path, error.strerror)
            Group(path, held).end()
            return None
        return Group(path, held)


def remove_leftovers(base: Path | None, lives: Callable[[str], bool]) -> int:
    """Kill and remove the groups of agents that are gone, as `lives(owner)` tells; how many."""
    removed = 0
    for path in base.glob(f"{_RUN}*") if base else ():
        owner = re.fullmatch(rf"{_RUN}(\d+-\d+)-\d+", path.name)
        if owner and not lives(owner[1]):
            removed += Group(path, frozenset()).end()
    return removed


def own_group() -> Path | None:
    """The folder below which the groups of runs belong; None where no cgroup v2 is mounted."""
    mount = _mount()
    if mount is None:
        return None
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        if line.startswith("0::"):
            path = Path(str(mount) + line[3:])
            return path.parent if path.name == _LEAF else path
    return None


def _mount() -> Path | None:
    try:
        mounts = Path("/proc/self/mountinfo").read_text()
    except FileNotFoundError:
        return None
    for line in mounts.splitlines():
        fields, _, kind = line.partition(" - ")
        if kind.startswith("cgroup2 "):
            return Path(fields.split()[4].replace("\\040", " "))
    return None


def _give_controllers(base: Path) -> frozenset[str]:
    """Have the groups below `base` get the controllers; tells which they have."""
    try:
        wanted = set(CONTROLLERS) & set((base / "cgroup.controllers").read_text().split())
        missing = wanted - set((base / "cgroup.subtree_control").read_text().split())
        if missing:
            _switch_on(base, missing)
        given = set((base / "cgroup.subtree_control").read_text().split())
    except OSError as error:
        log.info("cgroup %s gives no controllers: %s", base, error.strerror)
        return frozenset()
    return frozenset(wanted & given)


def _switch_on(base: Path, missing: set[str]) -> None:
    control, text = base / "cgroup.subtree_control", " ".join(f"+{name}" for name in missing)
    try:
        control.write_text(text)
        return
    except OSError:
        # It has processes: ours, if it was delegated to us.
        ours = {os.getppid(), os.getpid()}
        if set(_processes(base)) - ours - {0}:
            raise
    leaf = base / _LEAF
    leaf.mkdir(exist_ok=True)
    moved = [pid for pid in _processes(base) if pid]
    for pid in moved:
        (leaf / "cgroup.procs").write_text(str(pid))
    try:
        control.write_text(text)
    except OSError:
        for pid in moved:
            (base / "cgroup.procs").write_text(str(pid))
        raise


def _processes(path: Path) -> list[int]:
    try:
        return [int(line) for line in (path / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def _numbers(path: Path) -> dict[str, int]:
    try:
        pairs = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {name: int(value) for name, value in pairs}
