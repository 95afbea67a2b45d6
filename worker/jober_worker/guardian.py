"""The guardian: forks the agent, and lets nothing of it survive.

It is small and single-threaded. As PR_SET_CHILD_SUBREAPER it inherits every process that loses its
parent below it, however it forked or changed its session; the agent is one below that too, so
orphans of a run first come to the agent. When the agent dies, all that is left is killed, and a
new agent is forked. An agent that stops giving signs of life (it hangs, or was stopped) is
killed before its leases are over: it must not go on with what others take over. When the guardian
itself dies, the kernel tells the agent (PR_SET_PDEATHSIG), which then stops everything.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

from jober.failpoint import failpoint
from jober.pace import paced_s
from jober_worker.kernel import adopt_orphans, tell_when_parent_dies

# A sign of life is due each second; leases last 10 s, and are renewed each 2 s.
SILENCE_S = paced_s(7.0)
# The first one may take longer: a busy host is slow to start a program, and nothing is leased yet.
FIRST_SIGN_S = 60.0
# An agent that dies is replaced after so long; one that dies young, after twice as long each time.
RESTART_S = paced_s(1.0)
RESTART_AT_MOST_S = paced_s(30.0)
YOUNG_S = paced_s(20.0)
PARENT_DIED = signal.SIGUSR2
# Exit statuses of the agent (sysexits.h): a part of it has failed for good; its settings are
# wrong, so that another would fare no better.
DIED = 70
UNUSABLE = 78

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def children(pid: int) -> Iterator[int]:
    """The processes whose parent is `pid`, zombies too, read from /proc."""
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                with open(f"{entry.path}/stat", "rb") as file:
                    stat = file.read()
            except OSError:
                continue
            # The name in parentheses may hold anything; what follows the last one is plain.
            if int(stat.rpartition(b")")[2].split()[1]) == pid:
                yield int(entry.name)


def be_without(agent: Callable[[None], int]) -> NoReturn:
    """Be the agent in this very process, where the system has no means to guard it."""
    _become(lambda: agent(None))


def guard(agent: Callable[[int], int], log_format: str) -> int:
    """Run `agent(sign)` in a child, again when it dies, until told to stop; the exit status.

    The agent writes a byte to the descriptor `sign` each second. SIGTERM, SIGINT and SIGHUP are
    passed on as SIGTERM, and the agent that ends after one is not started again.
    """
    return _Guardian(agent, log_format).guard()


class _Guardian:
    def __init__(self, agent: Callable[[int], int], log_format: str) -> None:
        self._agent = agent
        self._log_format = log_format
        self._pid = 0
        self._stopping = False
        self._wake_read, self._wake_write = os.pipe()

    def guard(self) -> int:
        adopt_orphans()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        for number in (*_STOP_SIGNALS, signal.SIGCHLD):
            # What nohup has set to be ignored stays so.
            if signal.getsignal(number) is not signal.SIG_IGN or number == signal.SIGCHLD:
                signal.signal(number, self._on_signal)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        pause_s = RESTART_S
        while True:
            began = time.monotonic()
            sign = self._fork()
            if sign is None:
                return 0
            failpoint("guardian.forked")
            status = self._watch(sign)
            os.close(sign)
            failpoint("guardian.before_clearing")
            self._kill_all_below()
            failpoint("guardian.cleared")
            if self._stopping and status in (-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP):
                return 0  # it was told so early that it could not hear
            if status == UNUSABLE:
                return UNUSABLE
            if self._stopping or status == 0:
                return status if status >= 0 else 128 - status
            if time.monotonic() - began > YOUNG_S:
                pause_s = RESTART_S
            self._say(f"the agent ended with status {status}; starting another in {pause_s:g} s")
            self._pause(pause_s)
            pause_s = min(pause_s * 2, RESTART_AT_MOST_S)

    def _say(self, text: str) -> None:
        if self._log_format == "json":
            # Loaded where it is wanted, which is hardly ever: it takes memory.
            import logging

            from jober.logs import set_up_logs

            set_up_logs("info", self._log_format)
            logging.getLogger("jober_worker.guardian").warning("%s", text)
            return
        try:
            sys.stderr.write(f"jober-worker guardian: {text}\n")
            sys.stderr.flush()
        except (OSError, ValueError, AttributeError):
            pass

    def _on_signal(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD:
            self._stopping = True
            _send(self._pid, signal.SIGTERM)

    def _fork(self) -> int | None:
        """Start an agent; where it gives its signs. None where it is told to stop before."""
        sign_read, sign_write = os.pipe()
        guardian = os.getpid()
        # A signal that comes in between would be lost: the child has no ear for it yet.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
        if self._stopping:
            return None
        self._pid = os.fork()
        if self._pid == 0:
            signal.set_wakeup_fd(-1)
            for number in (*_STOP_SIGNALS, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            for descriptor in (self._wake_read, self._wake_write, sign_read):
                os.close(descriptor)
            tell_when_parent_dies(PARENT_DIED)
            if os.getppid() != guardian:
                os._exit(1)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
            _become(lambda: self._agent(sign_write))
        os.close(sign_write)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
        return sign_read

    def _watch(self, sign: int) -> int:
        """Wait until the agent has ended; kill it when it gives no sign. Its exit status."""
        patience_s = FIRST_SIGN_S
        silent_at = time.monotonic() + patience_s
        heard = [self._wake_read, sign]
        while True:
            wait_s = min(1.0, max(0.0, silent_at - time.monotonic()))
            ready, _, _ = select.select(heard, [], [], wait_s)
            if self._wake_read in ready:
                os.read(self._wake_read, 4096)
            if sign in ready:
                if os.read(sign, 4096):
                    patience_s = SILENCE_S
                    silent_at = time.monotonic() + patience_s
                else:
                    heard = [self._wake_read]
            status = self._reap()
            if status is not None:
                return status
            if not ready and time.monotonic() >= silent_at:
                self._say(f"no sign of life from the agent for {patience_s:g} s; killing it")
                _send(self._pid, signal.SIGKILL)
                silent_at = time.monotonic() + patience_s

    def _reap(self) -> int | None:
        """Bury all that have ended, the orphans that came to us among them; the exit status of
        the agent if it is one of them."""
        found = None
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return found
            if pid == 0:
                return found
            if pid == self._pid:
                # Nobody is to be told anything by this number from now on.
                self._pid = 0
                found = os.waitstatus_to_exitcode(status)

    def _kill_all_below(self) -> None:
        """Kill every process below us, and those that come to us while we do, until none is left,
        or what is left is in the hands of the kernel."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            found = list(children(os.getpid()))
            if not found:
                return
            for child in found:
                _send(child, signal.SIGKILL)
            gone = [_bury(child) for child in found]
            if not all(gone):
                time.sleep(0.002)
        self._say("some processes of the agent could not be killed")

    def _pause(self, pause_s: float) -> None:
        until = time.monotonic() + pause_s
        while not self._stopping and (rest := until - time.monotonic()) > 0:
            if select.select([self._wake_read], [], [], rest)[0]:
                os.read(self._wake_read, 4096)


def _become(agent: Callable[[], int]) -> NoReturn:
    """Be the agent, and end with it, whatever happens."""
    status = 1
    try:
        status = agent()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError, AttributeError):
                continue
        os._exit(status)


def _bury(child: int) -> bool:
    """Take the exit status of a child; False where it has not ended."""
    try:
        return os.waitpid(child, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True


def _send(pid: int, number: int) -> None:
    if pid > 0:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
