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
from importlib import import_module
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
from jober_worker.surroundings import Surroundings

# The message that asks for a batch of plain RQ jobs; see `rq_batch_child`.
BATCH = b"b"
# Said when it is up; see `warm`.
UP = b"^"
# With None: writes out what C libraries have printed so far.
_flush_c_streams = ctypes.CDLL(None).fflush


class Child:
    def __init__(self, asked: socket.socket) -> None:
        self._socket = asked
        self._pid = os.getpid()
        self.is_first = True
        self._streams: tuple[TextIO, TextIO] = sys.stdout, sys.stderr
        self._null = os.open(os.devnull, os.O_RDWR)
        self._surroundings = Surroundings()

    def serve(self) -> None:
        """Serve runs until the agent lets go of the socket, or one cannot be come out of."""
        while True:
            message, descriptors, _, _ = socket.recv_fds(
                self._socket, 1, 6, getattr(socket, "MSG_CMSG_CLOEXEC", 0)
            )
            if not message:
                return
            if message == BATCH:
                # Only where there is such a job: this imports RQ.
                import_module("jober_worker.rq_batch_child")
            if self.is_first:
                self._socket.send(UP)
            serve = self._batch if message == BATCH else self._run
            is_clean = serve(*descriptors)
            self._socket.send(b"+" if is_clean else b"-")
            if not is_clean:
                return
            self._surroundings.restore()

    def _batch(self, queue: int, answers: int, file: int, begun: int, out: int, err: int) -> bool:
        from jober_worker.rq_batch_child import serve

        self._open_streams(out, err)
        with (
            socket.socket(fileno=queue) as asked,
            FileIO(answers, "w") as answer,
            FileIO(file, "r+") as shared,
        ):
            return serve(self, asked, answer, shared, begun)

    def _open_streams(self, out: int, err: int) -> None:
        for descriptor, stream in ((out, 1), (err, 2)):
            os.dup2(descriptor, stream)
            os.close(descriptor)
        self._streams = sys.stdout, sys.stderr = _stream(1), _stream(2)

    def close_streams(self) -> None:
        for stream in (1, 2):
            os.dup2(self._null, stream)

    def come_out(self, outcome: Outcome) -> bool:
        """The run is over: all that it has printed is written out. Whether it has left nothing
        running that would go on."""
        if os.getpid() != self._pid:
            os._exit(0)  # a fork of the function's has come back here
        if outcome.traceback or (sys.stdout, sys.stderr) != self._streams:
            _say(outcome.traceback or "")  # what goes through our own streams is written at once
        _flush_c_streams(None)
        return not _children() and not _threads()

    def _run(self, request: int, answer: int, out: int, err: int) -> bool:
        self._open_streams(out, err)
        with os.fdopen(request) as file:
            asked = json.load(file)
        is_clean = self.come_out(outcome := self._call(asked))
        self.close_streams()
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
        began_s = 0.0 if self.is_first else _cpu_s()
        self.is_first = False
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


def _threads() -> bool:
    """Whether the run has left threads that an interpreter would wait for at its end."""
    if threading.active_count() == 1:
        return False
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
