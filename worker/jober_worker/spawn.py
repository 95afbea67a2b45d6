"""How the processes of runs are started: as whom, where, with what environment and limits.

Nothing of ours runs between fork and exec: Python code there (preexec_fn) can deadlock in an agent
with many threads. What asks for no more than a directory and an environment is started by the C
library (`kernel.spawn`), which costs half; for all else, and for what could not be started so,
user, group, umask and session are set by subprocess itself, in C. For the rest, a gate of a few
letters of shell waits on its standard input; meanwhile the agent sets, from outside, the niceness,
the resource limits and the cgroup of that very process, so that what cannot be set is told in the
agent's own words, and then the gate becomes the program.
"""

import os
import posix
import resource
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from jober.errors import DefinitionError, JoberError
from jober.job.memory import memory_bytes
from jober_worker.call import Options
from jober_worker.cgroups import Group, Groups
from jober_worker.env_file import EnvFileUnreadable, read_env_file
from jober_worker.identity import Identity, IdentityRefused, find_identity
from jober_worker.kernel import gate_limits, set_limit, spawn
from jober_worker.leftovers import mark
from jober_worker.limits import Limits
from jober_worker.processes import AGENT_VARIABLE

_GATE = 'read -r go || exit 125; exec "$@" </dev/null'


class CannotStart(JoberError):
    """A program could not be started; `exit_code` is what a shell tells: 127 where there is no
    such program, 126 for any other reason."""

    def __init__(self, reason: str, exit_code: int = 126) -> None:
        super().__init__(reason)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """What the C library is told to start a program with; `env` by the names of the variables, as
    text of `name=value`, `folders` are those of PATH."""

    cwd: bytes | None
    env: Mapping[str, bytes]
    folders: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """All that is the same for each process started with it; `env` in the order of their names.

    `folder` tells the directory of one that serves run after run (`folder_of`).
    """

    cwd: str | None
    env: tuple[tuple[str, str], ...]
    uid: int | None
    gid: int | None
    groups: tuple[int, ...] | None
    umask: int
    nice: int | None
    limits: Limits
    folder: tuple[int, int] | None = None

    @cached_property
    def plain(self) -> Plain | None:
        """The same for the C library; None where it cannot do all of it, or something is wrong."""
        whom = (self.uid, self.gid, self.groups, self.nice)
        if any(one is not None for one in whom) or self.umask != -1 or self.limits != Limits():
            return None
        if any("=" in name or "\0" in name + value for name, value in self.env):
            return None
        folders = tuple(os.get_exec_path(dict(self.env)))
        try:
            env = {name: os.fsencode(f"{name}={value}") for name, value in self.env}
            cwd = None if self.cwd is None else os.fsencode(self.cwd)
        except ValueError:
            return None
        return Plain(cwd=cwd, env=env, folders=folders)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A process that runs; `notes` tell what of its setting this host cannot give it."""

    pid: int
    group: Group | None
    notes: tuple[str, ...]


def read_setting(options: Options) -> Setting:
    """What the options come to on this host. Raises CannotStart."""
    try:
        identity: Identity = find_identity(options.user, options.group)
        file = read_env_file(options.env_file, options.cwd) if options.env_file else {}
    except (IdentityRefused, EnvFileUnreadable) as error:
        raise CannotStart(str(error)) from None
    return _setting(
        (*posix.environ.items(),),
        (*identity.variables.items(), *file.items(), *options.env.items()),
        (identity.uid, identity.gid, identity.groups),
        options.cwd,
        options.umask,
        options.nice,
        (options.memory, options.cpus, options.cpu_time),
    )


@lru_cache(maxsize=256)
def _setting(
    environment: tuple[tuple[bytes, bytes], ...],
    variables: tuple[tuple[str, str], ...],
    whom: tuple[int | None, int | None, tuple[int, ...] | None],
    cwd: str | None,
    umask: str | None,
    nice: int | None,
    limits: tuple[str | int | None, float | None, float | None],
) -> Setting:
    """What has been looked up, and the agent's own environment as it is, come to; most often, the
    same as for the run before. Raises CannotStart."""
    memory, cpus, cpu_time = limits
    try:
        mask = -1 if umask is None else int(umask, 8)
        limit = None if memory is None else memory_bytes(memory)
    except (ValueError, DefinitionError) as error:
        raise CannotStart(f"its umask or memory cannot be read: {error}") from None
    env = {
        **_decoded(environment),
        "PYTHONUNBUFFERED": "1",
        **dict(variables),
        AGENT_VARIABLE: mark(),
    }
    uid, gid, groups = whom
    return Setting(
        cwd=cwd,
        env=tuple(sorted(env.items())),
        uid=uid,
        gid=gid,
        groups=groups,
        umask=mask,
        nice=nice,
        limits=Limits(memory=limit, cpus=cpus, cpu_time=cpu_time),
    )


def _decoded(environment: tuple[tuple[bytes, bytes], ...]) -> dict[str, str]:
    """The agent's environment, without what opens Redis: a run has no business there."""
    decoded = {os.fsdecode(name): os.fsdecode(value) for name, value in environment}
    decoded.pop("JOBER_REDIS_URL", None)
    return decoded


def folder_of(setting: Setting) -> tuple[int, int] | None:
    """The device and the number of its directory: the name may come to mean another, as when a link
    to the newest release of a program is moved."""
    try:
        found = os.stat(setting.cwd or ".")
    except (OSError, ValueError):
        return None  # the start will say what is wrong with it
    return found.st_dev, found.st_ino


def start(
    argv: Sequence[str],
    setting: Setting,
    variables: Mapping[str, str],
    groups: Groups,
    *,
    stdout: int,
    stderr: int,
    pass_fds: Sequence[int] = (),
) -> Started:
    """Start a program in a session of its own. Raises CannotStart, and has left nothing then."""
    if setting.plain is not None and not pass_fds:
        pid = _spawned(argv, setting.plain, variables, stdout, stderr)
        if pid is not None:
            return Started(pid=pid, group=None, notes=())
    env = {**dict(setting.env), **variables}
    limits = setting.limits
    group = groups.make(limits.group_files()) if limits.wants_group else None
    held = group.held if group else frozenset[str]()
    ours = _in_bounds(limits.resource_limits(held))
    gate = ("/bin/sh", "-c", gate_limits(ours) + _GATE, "jober-gate")
    gated = bool(group or ours or setting.nice is not None)
    try:
        if gated:
            _find(argv[0], env, setting.cwd)
        process = subprocess.Popen(
            (*gate, *argv) if gated else argv,
            stdin=subprocess.PIPE if gated else subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            bufsize=0,
            cwd=setting.cwd,
            env=env,
            start_new_session=True,
            pass_fds=pass_fds,
            user=setting.uid,
            group=setting.gid,
            extra_groups=setting.groups,
            umask=setting.umask,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        if group:
            group.end()
        raise _why_not(argv[0], setting.cwd, error) from None
    # Its end is for nobody but `reap` to look at.
    process.returncode = 0
    if gated:
        try:
            _hold(process.pid, setting.nice, ours, group)
        except CannotStart:
            _undo(process, group)
            raise
        _open(process)
    return Started(pid=process.pid, group=group, notes=tuple(limits.notes(held)))


def _spawned(
    argv: Sequence[str], plain: Plain, variables: Mapping[str, str], stdout: int, stderr: int
) -> int | None:
    """The pid, where the C library can start it; None is no more than that: subprocess tries it
    again, and tells what is wrong."""
    path = _path(argv[0], plain.folders, int(time.monotonic()))
    if path is None or min(stdout, stderr) < 3:
        return None
    # All of it is encoded at once.
    told = [path, *argv, *(f"{name}={value}" for name, value in variables.items())]
    try:
        words = os.fsencode("\0".join(told)).split(b"\0")
        if len(words) != len(told):
            return None
        env = {**plain.env, **dict(zip(variables, words[1 + len(argv) :], strict=True))}
        of_program = words[1 : 1 + len(argv)]
        return spawn(words[0], of_program, [*env.values()], plain.cwd, stdout, stderr)
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=256)
def _path(program: str, folders: Sequence[str], _second: int) -> str | None:
    """Where a program is, as an exec would find it, looked up once a second; None where that is not
    said so quickly."""
    if "/" in program:
        return program
    for folder in folders:
        if not folder.startswith("/"):
            return None  # it would be another from another directory
        path = f"{folder}/{program}"
        if os.access(path, os.X_OK):
            return path
    return None


def _hold(
    pid: int, nice: int | None, limits: Sequence[tuple[int, int, int]], group: Group | None
) -> None:
    """Set for a process that waits what is set from outside. Raises CannotStart."""
    try:
        what = "put it into its cgroup"
        if group:
            group.add(pid)
        if nice is not None:
            what = f"give it the niceness {nice} (nice; less than 0 is for root)"
            os.setpriority(os.PRIO_PROCESS, pid, nice)
        for kind, soft, hard in limits:
            what = "limit its cpu_time" if kind == resource.RLIMIT_CPU else "limit its memory"
            set_limit(pid, kind, soft, hard)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise CannotStart(f"cannot {what} on this host: {why}") from None


def _in_bounds(limits: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Of each limit the kind, the soft and the hard one: no more than what the agent has, which
    what it starts has too."""
    found = []
    for kind, value in limits:
        _, hard = resource.getrlimit(kind)
        # Of CPU time, a second more to end in by itself.
        most = value + 1 if kind == resource.RLIMIT_CPU else value
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        found.append((kind, min(value, bound), bound))
    return found


def _open(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(b"\n")
        process.stdin.close()
    except OSError:
        pass  # it has been killed meanwhile, which its exit status tells


def _undo(process: "subprocess.Popen[bytes]", group: Group | None) -> None:
    os.kill(process.pid, signal.SIGKILL)
    if process.stdin:
        process.stdin.close()
    os.waitpid(process.pid, 0)
    if group:
        group.end()


def _find(program: str, env: Mapping[str, str], cwd: str | None) -> None:
    """Raise what an exec would, since that of the gate is told in the shell's words."""
    if cwd is not None and not os.path.isdir(cwd):
        os.stat(cwd)
        raise NotADirectoryError(20, "Not a directory", cwd)
    folders = [""] if "/" in program else os.get_exec_path({**env})
    paths = [Path(cwd or "", folder, program) for folder in folders]
    there = [path for path in paths if path.is_file()]
    if not there:
        raise FileNotFoundError(2, "No such file or directory", program)
    if not any(os.access(path, os.X_OK) for path in there):
        raise PermissionError(13, "Permission denied", program)


def _why_not(program: str, cwd: str | None, error: Exception) -> CannotStart:
    if not isinstance(error, OSError):
        return CannotStart(f"cannot start {program}: {error}")
    if cwd is not None and error.filename == cwd:
        return CannotStart(
            f"cannot start in the directory {cwd} (cwd) on this host: {error.strerror}"
        )
    if isinstance(error, FileNotFoundError):
        if os.path.exists(os.path.join(cwd or "", program)):
            reason = f"what the first line of {program} names (#!) is not there on this host"
        else:
            reason = f"{program} is not there on this host"
        return CannotStart(reason, 127)
    return CannotStart(f"cannot start {program}: {error.strerror}")
