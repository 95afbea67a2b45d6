"""SIGTERM, for a program that ends by itself when it is asked to."""

import os
import signal
import threading
from types import FrameType


class Terminated:
    """From its making on, SIGTERM ends the process no more but is noted, where nobody else has
    taken care of SIGTERM, and this is the main thread: only there can it be done. `descriptor`
    is readable when it has come.
    """

    def __init__(self) -> None:
        self.came = False
        # An Event would not do: its lock may be held by the very code that is interrupted.
        self.descriptor, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._is_set = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        )
        if self._is_set:
            signal.signal(signal.SIGTERM, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        try:
            os.write(self._write, b"!")
        except BlockingIOError:
            pass  # it is readable already

    def close(self) -> None:
        """Let SIGTERM do as before."""
        if self._is_set and signal.getsignal(signal.SIGTERM) == self._note:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.close(self.descriptor)
        os.close(self._write)
