"""Runs a command and lets nothing of it survive:
`python -m tests.mutants.confined SECONDS COMMAND...`.

What a mutant was to end, and did not, must not stay behind on this machine. All that loses its
parent below this process comes to it, and is killed when the command has ended or its time is
over. The status is that of the command, or 124.
"""

import os
import signal
import subprocess
import sys
import time

from jober_worker.guardian import PARENT_DIED, children
from jober_worker.kernel import adopt_orphans, tell_when_parent_dies

TIMED_OUT = 124


class _TimeOver(Exception):
    pass


def confined(seconds: int, command: list[str]) -> int:
    adopt_orphans()
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT, PARENT_DIED):
        signal.signal(number, _on_signal)
    tell_when_parent_dies(PARENT_DIED)
    signal.alarm(seconds)
    process = subprocess.Popen(command, start_new_session=True)
    try:
        return _wait_for(process.pid)
    except _TimeOver:
        return TIMED_OUT
    finally:
        signal.alarm(0)
        _kill_all_below()
        process.returncode = 0  # it has been buried


def _on_signal(_number: int, _frame: object) -> None:
    raise _TimeOver


def _wait_for(pid: int) -> int:
    """The exit status of the command; orphans are buried as soon as they end, as by init."""
    while True:
        ended, status = os.wait()
        if ended == pid:
            return os.waitstatus_to_exitcode(status) % 256


def _kill_all_below() -> None:
    while found := list(children(os.getpid())):
        for child in found:
            os.kill(child, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


if __name__ == "__main__":
    sys.exit(confined(int(sys.argv[1]), sys.argv[2:]))
