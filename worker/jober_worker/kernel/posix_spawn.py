"""Programs started by the C library's posix_spawn, called without the lock of the interpreter: the
kernel holds up whoever starts a program until that is loaded, and no other thread shall wait.

It is glibc's of 2.34 or later; where there is none, `spawn` says so by an OSError.
"""

import ctypes
import os
import signal
from collections.abc import Sequence
from functools import cache

# Of <spawn.h>.
_SETSIGDEF, _SETSID = 0x04, 0x80
# More than what glibc and others take for any of their structures.
_ROOM = 1024
_NOTHING = os.fsencode(os.devnull)
# What Python ignores, a program shall not.
_DEFAULT_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ)


def spawn(
    path: bytes,
    argv: Sequence[bytes],
    env: Sequence[bytes],
    cwd: bytes | None,
    stdout: int,
    stderr: int,
) -> int:
    """Start the program at `path` in a session of its own, in the directory `cwd`, with these two
    descriptors, both greater than 2, and no other; its standard input is empty. Its pid. Raises
    OSError."""
    library = _library()
    actions = ctypes.create_string_buffer(_ROOM)
    _check(library.posix_spawn_file_actions_init(actions))
    try:
        _check(library.posix_spawn_file_actions_addopen(actions, 0, _NOTHING, os.O_RDONLY, 0))
        _check(library.posix_spawn_file_actions_adddup2(actions, stdout, 1))
        _check(library.posix_spawn_file_actions_adddup2(actions, stderr, 2))
        if cwd is not None:
            _check(library.posix_spawn_file_actions_addchdir_np(actions, cwd))
        _check(library.posix_spawn_file_actions_addclosefrom_np(actions, 3))
        pid = ctypes.c_int()
        _check(
            _waiting().posix_spawn(
                ctypes.byref(pid),
                path,
                actions,
                _attributes(),
                (ctypes.c_char_p * (len(argv) + 1))(*argv),
                (ctypes.c_char_p * (len(env) + 1))(*env),
            )
        )
    finally:
        library.posix_spawn_file_actions_destroy(actions)
    return pid.value


@cache
def _waiting() -> ctypes.CDLL:
    """The library for the one call that waits: it lets go of the interpreter's lock."""
    return ctypes.CDLL(None)


@cache
def _library() -> ctypes.PyDLL:
    """The library for all others, which take no time. Raises OSError."""
    library = ctypes.PyDLL(None)
    if not hasattr(library, "posix_spawn_file_actions_addclosefrom_np"):
        raise OSError("the C library cannot close all other descriptors")
    return library


@cache
def _attributes() -> "ctypes.Array[ctypes.c_char]":
    library = _library()
    defaults = ctypes.create_string_buffer(_ROOM)
    _check(library.sigemptyset(defaults))
    for number in _DEFAULT_SIGNALS:
        _check(library.sigaddset(defaults, int(number)))
    attributes = ctypes.create_string_buffer(_ROOM)
    _check(library.posix_spawnattr_init(attributes))
    _check(library.posix_spawnattr_setsigdefault(attributes, defaults))
    _check(library.posix_spawnattr_setflags(attributes, ctypes.c_short(_SETSIGDEF | _SETSID)))
    return attributes


def _check(error: int) -> None:
    if error:
        raise OSError(error, os.strerror(error))
