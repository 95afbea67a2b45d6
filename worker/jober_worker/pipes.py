"""The pipes that a program writes to: read as they fill, so that it hardly ever waits for us.

What is read is handed on as a view of a buffer that is used again: whoever keeps it copies it.
"""

import fcntl
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

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

    def pass_on(self, descriptor: int, *, is_empty: bool = False) -> bool:
        """Pass on what is there, in bounds; False at the end of the pipe: where `is_empty`, there
        is nothing but that."""
        if is_empty:
            del self.streams[descriptor]
            return False
        if descriptor in self._napping:
            time.sleep(NAP_S)
        with _buffer() as buffer:
            size, at_end = _fill(descriptor, buffer)
            if size:
                self._write(self.streams[descriptor], buffer[:size])
        if at_end:
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
            with _buffer() as buffer:
                while left > 0:
                    size, at_end = _fill(descriptor, buffer)
                    if size:
                        self._write(self.streams[descriptor], buffer[:size])
                    if at_end or not size:
                        break
                    left -= size

    def close(self) -> None:
        """Let go of all ends; harmless when it is done."""
        self.after_start()
        self.streams.clear()
        while self._ours:
            os.close(self._ours.pop())


def _fill(descriptor: int, buffer: memoryview) -> tuple[int, bool]:
    """Read what is there, in bounds; how much it is, and whether that is the end of the pipe."""
    size = 0
    try:
        while size < len(buffer):
            got = os.readv(descriptor, [buffer[size:]])
            if not got:
                return size, True
            size += got
    except BlockingIOError:
        pass
    return size, False


# Those that nobody reads into now: to make one costs more than what most programs write.
_buffers: deque[memoryview] = deque(maxlen=4)


@contextmanager
def _buffer() -> Iterator[memoryview]:
    try:
        buffer = _buffers.pop()
    except IndexError:
        buffer = memoryview(bytearray(READ_BYTES))
    try:
        yield buffer
    finally:
        _buffers.append(buffer)
