"""The process that functions are called in, one run after another: `python -m jober_worker.child
SOCKET`.

Each message on the socket brings four descriptors: a file with the request (JSON: `name`, `file`,
`args`, `kwargs` and `locals`, or `rq` for a plain RQ job; `path`, `variables`, `cpu_time`), a file
for the outcome (JSON), and the pipes that are stdout and stderr of that run, at the level of
descriptors: what a C library or a child writes is told apart too. The reply is one byte: `+` for
ready for another run, `-` for not. What a run has changed is set back; what it has left running is
killed, and is why this process ends.
"""

import ctypes
import json
import os
import resource
import signal
import socket
import sys
import threading
from dataclasses import asdict, replace
from io import FileIO, TextIOWrapper
from math import ceil
from typing import Any, TextIO

from jober.current.here import leave_run
from jober.run import Outcome
from jober_worker.functions import call
from jober_worker.kernel import (
    MAXRSS_BYTES,
    adopt_orphans,
    forget_peak,
    has_children,
    peak_memory_bytes,
    tell_when_parent_dies,
)
from jober_worker.processes import kill_descendants
from jober_worker.records import capture_records_of_process


class _Surroundings:
    """What a run may change, as it is before the first."""

    def __init__(self) -> None:
        self._environ = dict(os.environ)
        self._path = list(sys.path)
        self._argv = list(sys.argv)
        self._folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        os.umask(umask := os.umask(0o077))
        self._umask = umask
        self._handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}

    def restore(self) -> None:
        for name in os.environ.keys() - self._environ.keys():
            del os.environ[name]
        for name, value in self._environ.items():
            if os.environ.get(name) != value:
                os.environ[name] = value
        sys.path[:] = self._path
        sys.argv[:] = self._argv
        os.fchdir(self._folder)
        os.umask(self._umask)
        for number, handler in self._handlers.items():
            if signal.getsignal(number) != handler and handler is not None:
                signal.signal(number, handler)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())


class Child:
    def __init__(self, asked: socket.socket) -> None:
        self._socket = asked
        self._pid = os.getpid()
        self._is_first = True
        self._null = os.open(os.devnull, os.O_RDWR)
        self._surroundings = _Surroundings()

    def serve(self) -> None:
        """Serve runs until the agent lets go of the socket, or one cannot be come out of."""
        while True:
            message, descriptors, _, _ = socket.recv_fds(
                self._socket, 1, 4, getattr(socket, "MSG_CMSG_CLOEXEC", 0)
            )
            if not message:
                return
            is_clean = self._run(*descriptors)
            self._socket.send(b"+" if is_clean else b"-")
            if not is_clean:
                return
            self._surroundings.restore()

    def _run(self, request: int, answer: int, out: int, err: int) -> bool:
        for descriptor, stream in ((out, 1), (err, 2)):
            os.dup2(descriptor, stream)
            os.close(descriptor)
        sys.stdout, sys.stderr = _stream(1), _stream(2)
        with os.fdopen(request) as file:
            asked = json.load(file)
        outcome = self._call(asked)
        if os.getpid() != self._pid:
            os._exit(0)  # a fork of the function's has come back here
        _say(outcome.traceback or "")
        _flush_c_streams()
        is_clean = not _children() and not _threads()
        for stream in (1, 2):
            os.dup2(self._null, stream)
        # Whole or not at all: the agent reads it only where all of it was written.
        text = json.dumps(asdict(outcome))
        with os.fdopen(answer, "w") as file:
            file.write(text)
        return is_clean

    def _call(self, asked: dict[str, Any]) -> Any:
        os.environ.update(asked["variables"])
        if asked["path"] not in sys.path:
            # What the agent can import, it can import in another folder (cwd) too.
            sys.path.append(asked["path"])
        # The first run is told what the start of the process has used as well.
        began_s = 0.0 if self._is_first else _cpu_s()
        self._is_first = False
        capture_records_of_process()
        measures = forget_peak()
        grown = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        limit = resource.getrlimit(resource.RLIMIT_CPU)
        if asked["cpu_time"] is not None:
            _limit_cpu(ceil(_cpu_s() + asked["cpu_time"]), limit[1])
        try:
            outcome = _outcome(asked)
        finally:
            leave_run()
            if asked["cpu_time"] is not None:
                resource.setrlimit(resource.RLIMIT_CPU, limit)
        used_s = _cpu_s() - began_s
        peak = (peak_memory_bytes() or 0) if measures else 0
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        if largest > grown:
            peak = max(peak, largest * MAXRSS_BYTES)
        return replace(outcome, cpu_s=round(used_s, 6), peak_memory_bytes=peak or None)


def _outcome(asked: dict[str, Any]) -> Outcome:
    if "rq" in asked:
        # Only where there is such a job: this imports RQ.
        from jober_worker.rq_child import perform

        return perform(asked["rq"])
    return call(
        asked["name"],
        asked["args"],
        asked["kwargs"],
        file=asked["file"],
        with_locals=asked["locals"],
    )


def _limit_cpu(seconds: int, hard: int) -> None:
    if hard != resource.RLIM_INFINITY:
        seconds = min(seconds, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


def _cpu_s() -> float:
    """What this process and those that it has waited for have used so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _stream(descriptor: int) -> TextIO:
    """A text stream that writes through, as an interpreter started with -u has."""
    raw = FileIO(descriptor, "w", closefd=False)
    errors = "backslashreplace" if descriptor == 2 else "surrogateescape"
    return TextIOWrapper(raw, encoding="utf-8", errors=errors, write_through=True)


def _children() -> bool:
    """Whether the run has left processes that lived; none is left after this."""
    if not has_children():
        return False
    found = kill_descendants()
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    return found


def _flush_c_streams() -> None:
    """Write out what C libraries have printed so far."""
    ctypes.CDLL(None).fflush(None)


def _threads() -> bool:
    """Whether the run has left threads that an interpreter would wait for at its end."""
    main = threading.main_thread()
    return any(one is not main and not one.daemon for one in threading.enumerate())


def _say(text: str) -> None:
    """Write to stderr after all that was printed; the function may have closed either stream."""
    for stream, what in ((sys.stdout, ""), (sys.stderr, text)):
        try:
            stream.write(what)
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue


def main(descriptor: int) -> None:
    adopt_orphans()
    # It is told when the thread that started us ends; those of the agent's pool last as it does.
    tell_when_parent_dies(signal.SIGKILL)
    asked = socket.socket(fileno=descriptor)
    # Not for the processes that functions start.
    asked.set_inheritable(False)
    try:
        Child(asked).serve()
    except OSError:
        pass  # the agent is gone, or the function has closed what it did not open


if __name__ == "__main__":
    # Ended at once when all is said: threads that the function left behind do not hold it.
    try:
        main(int(sys.argv[1]))
    finally:
        os._exit(0)
