"""The pipes that a program writes to: read as they fill, so that it hardly ever waits for us.

What is read is handed on as a view of a buffer that is used again: whoever keeps it copies it.
"""

import fcntl
import os
import time

from jober.output import Stream
from jober_worker.functions import Writer

# What is handed on at once, at the most: larger buffers fall out of the caches.
READ_BYTES = 256 * 1024
# A pipe of the usual size that is found full is made large, where the system allows it.
USUAL_PIPE = 64 * 1024
LARGE_PIPE = 1024 * 1024
# A large one that had little is read again after a nap in which it may fill: to wake up for each
# few KiB of a flood costs both sides more than to read them.
NAP_S = 0.001
# What is left in a pipe when its writers are gone: at most its size (fs.pipe-max-size).
PIPE_AT_MOST = 1024 * 1024


class Pipes:
    """Two pipes, or one for both streams (`merged`), or none where nothing is kept (`thrown`).

    `stdout` and `stderr` are for the child; `after_start` lets go of them here. `streams` tells
    the reading ends that are not at their end yet, none of which blocks.
    """

    def __init__(self, write: Writer, *, merged: bool = False, thrown: bool = False) -> None:
        self.streams: dict[int, Stream] = {}
        self._write = write
        self._found_full: set[int] = set()
        self._large: set[int] = set()
        self._napping: set[int] = set()
        self._buffer = memoryview(bytearray(0 if thrown else READ_BYTES))
        self._childs: list[int] = []
        self._ours: list[int] = []
        if thrown:
            self.stdout = self.stderr = self._keep(os.open(os.devnull, os.O_WRONLY))
            return
        self.stdout = self._open(Stream.STDOUT)
        self.stderr = self.stdout if merged else self._open(Stream.STDERR)

    def _open(self, stream: Stream) -> int:
        try:
            reading, writing = os.pipe()
        except OSError:
            self.close()
            raise
        os.set_blocking(reading, False)
        self.streams[reading] = stream
        self._ours.append(reading)
        return self._keep(writing)

    def _keep(self, descriptor: int) -> int:
        self._childs.append(descriptor)
        return descriptor

    def after_start(self) -> None:
        """The child has its ends by now: their last writer is what it leaves behind."""
        while self._childs:
            os.close(self._childs.pop())

    def pass_on(self, descriptor: int) -> bool:
        """Pass on what is there, in bounds; False at the end of the pipe."""
        size = 0
        if descriptor in self._napping:
            time.sleep(NAP_S)
        try:
            while size < READ_BYTES:
                got = os.readv(descriptor, [self._buffer[size:]])
                if not got:
                    break
                size += got
        except BlockingIOError:
            got = -1
        if size:
            self._write(self.streams[descriptor], self._buffer[:size])
        if not got:
            del self.streams[descriptor]
            return False
        if size >= USUAL_PIPE and descriptor not in self._found_full:
            self._enlarge(descriptor)
        if descriptor in self._large and size < READ_BYTES:
            self._napping.add(descriptor)
        else:
            self._napping.discard(descriptor)
        return True

    def _enlarge(self, descriptor: int) -> None:
        self._found_full.add(descriptor)
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, LARGE_PIPE)
            self._large.add(descriptor)
        except (OSError, AttributeError):
            pass  # more than the system gives to one user: it stays as it is

    def pass_on_rest(self) -> None:
        """Pass on what is left in the pipes, though somebody may hold them and write on."""
        for descriptor in list(self.streams):
            left = PIPE_AT_MOST
            while left > 0:
                size = 0
                try:
                    size = os.readv(descriptor, [self._buffer])
                except BlockingIOError:
                    pass
                if not size:
                    break
                self._write(self.streams[descriptor], self._buffer[:size])
                left -= size

    def close(self) -> None:
        """Let go of all ends; harmless when it is done."""
        self.after_start()
        self.streams.clear()
        while self._ours:
            os.close(self._ours.pop())
