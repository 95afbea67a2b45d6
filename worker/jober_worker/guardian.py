"""The guardian: forks the agent, and lets nothing of it survive.

It is small and single-threaded. As PR_SET_CHILD_SUBREAPER it inherits every process that loses its
parent below it, however it forked or changed its session; the agent is one below that too, so
orphans of a run first come to the agent. When the agent dies, all that is left is killed, and a
new agent is forked. An agent that stops giving signs of life (it hangs, or was stopped) is
killed before its leases are over: it must not go on with what others take over. When the guardian
itself dies, the kernel tells the agent (PR_SET_PDEATHSIG), which then stops everything.
"""

import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

# A sign of life is due each second; leases last 10 s.
SILENCE_S = 7.0
RESTART_S = 1.0
PARENT_DIED = signal.SIGUSR2

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LINUX = sys.platform == "linux"


def adopt_orphans() -> None:
    """Make this process the parent of all below it that lose theirs (Linux only)."""
    if _LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def tell_when_parent_dies(number: int) -> None:
    """Have the kernel send this process a signal when its parent dies (Linux only)."""
    if _LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def children(pid: int) -> Iterator[int]:
    """The processes whose parent is `pid`, zombies too, read from /proc."""
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                stat = Path(entry.path, "stat").read_bytes()
            except OSError:
                continue
            # The name in parentheses may hold anything; what follows the last one is plain.
            if int(stat.rpartition(b")")[2].split()[1]) == pid:
                yield int(entry.name)


def guard(agent: Callable[[int], int]) -> int:
    """Run `agent(sign)` in a child, again when it dies, until told to stop; the exit status.

    The agent writes a byte to the descriptor `sign` each second. SIGTERM and SIGINT are passed
    on, and the agent that ends after one is not started again.
    """
    adopt_orphans()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    stopping = False

    def on_signal(number: int, _frame: object) -> None:
        nonlocal stopping
        if number != signal.SIGCHLD:
            stopping = True
            _send(pid, signal.SIGTERM)

    pid = 0
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, on_signal)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    while True:
        sign_read, sign_write = os.pipe()
        guardian = os.getpid()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            for descriptor in (wake_read, wake_write, sign_read):
                os.close(descriptor)
            tell_when_parent_dies(PARENT_DIED)
            if os.getppid() != guardian:
                os._exit(1)
            _become(agent, sign_write)
        os.close(sign_write)
        if stopping:
            _send(pid, signal.SIGTERM)
        status = _watch(pid, wake_read, sign_read)
        os.close(sign_read)
        _kill_all_below()
        if stopping or status == 0:
            return status
        _say(f"the agent ended with status {status}; starting another")
        deadline = time.monotonic() + RESTART_S
        while not stopping and (rest := deadline - time.monotonic()) > 0:
            select.select([wake_read], [], [], rest)
            _empty(wake_read)
        if stopping:
            return 0


def _become(agent: Callable[[int], int], sign: int) -> None:
    status = 1
    try:
        status = agent(sign)
    except KeyboardInterrupt:
        pass
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _watch(pid: int, wake: int, sign: int) -> int:
    """Wait until the agent has ended; kill it when it gives no sign. Its exit status."""
    last_sign = time.monotonic()
    sign_open = True
    while True:
        ready, _, _ = select.select([wake, sign] if sign_open else [wake], [], [], 1.0)
        if wake in ready:
            _empty(wake)
        if sign in ready:
            if os.read(sign, 4096):
                last_sign = time.monotonic()
            else:
                sign_open = False
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() - last_sign > SILENCE_S:
            _say(f"no sign of life from the agent for {SILENCE_S:.0f} s; killing it")
            _send(pid, signal.SIGKILL)
            last_sign = time.monotonic()
        _reap_others(pid)


def _reap_others(agent: int) -> None:
    """Bury the orphans that came to us and have ended."""
    for child in children(os.getpid()):
        if child != agent:
            try:
                os.waitpid(child, os.WNOHANG)
            except ChildProcessError:
                continue


def _kill_all_below() -> None:
    """Kill every process below us, and those that come to us while we do, until none is left."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = list(children(os.getpid()))
        if not found:
            return
        for child in found:
            _send(child, signal.SIGKILL)
        for child in found:
            try:
                os.waitpid(child, 0)
            except ChildProcessError:
                continue


def _send(pid: int, number: int) -> None:
    if pid > 0:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def _empty(descriptor: int) -> None:
    if select.select([descriptor], [], [], 0)[0]:
        os.read(descriptor, 4096)


def _say(text: str) -> None:
    sys.stderr.write(f"jober-worker guardian: {text}\n")
    sys.stderr.flush()
