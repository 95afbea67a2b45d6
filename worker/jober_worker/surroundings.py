"""What a run may change of its process, and the next one there is to find as it was."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

# Neither os.environb nor the functions of signal are fit to be asked after each run: they make
# objects of all that they are told and tell, which takes a hundred times as long.
_environ: dict[bytes, bytes] = vars(os.environb)["_data"]
_getsignal: Callable[[int], Any] = vars(sys.modules["_signal"])["getsignal"]
_sigmask: Callable[[int, Any], Any] = vars(sys.modules["_signal"])["pthread_sigmask"]
_SETMASK = int(signal.SIG_SETMASK)
_NUMBERS = tuple(map(int, signal.valid_signals()))


class Surroundings:
    """As they are when it is made; `restore` sets them back. It is done after each run, most of
    which change nothing."""

    def __init__(self) -> None:
        self._environ = dict(_environ)
        self._path = list(sys.path)
        self._argv = list(sys.argv)
        self._folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        os.umask(umask := os.umask(0o077))
        self._umask = umask
        self._handlers = _handlers()

    def close(self) -> None:
        os.close(self._folder)

    def set(self, name: bytes, value: bytes) -> None:
        """From now on, the environment has this too."""
        if self._environ.get(name) != value or _environ.get(name) != value:
            os.putenv(name, value)
            _environ[name] = self._environ[name] = value

    def restore(self) -> None:
        if self._environ != _environ:
            for name in _environ.keys() - self._environ.keys():
                del os.environb[name]
            for name, value in self._environ.items():
                if _environ.get(name) != value:
                    os.environb[name] = value
        sys.path[:] = self._path
        sys.argv[:] = self._argv
        os.fchdir(self._folder)
        os.umask(self._umask)
        if (handlers := _handlers()) != self._handlers:
            for number, now, before in zip(_NUMBERS, handlers, self._handlers, strict=True):
                if now != before and before is not None:
                    signal.signal(number, before)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _sigmask(_SETMASK, ())


def _handlers() -> list[Any]:
    return [*map(_getsignal, _NUMBERS)]
