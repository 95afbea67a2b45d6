"""A folder that programs share: which files are in it, and who may change what.

`lock` is held by who opens the folder, and by its keeper as it ends, so that one keeper serves a
folder at a time. `redis.lock` is held by its Redis as long as that lives, though its keeper be
killed: two never write the same file. Both locks are the kernel's, and are gone with their holders.
"""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from jober.errors import JoberError

# The path of a socket is no longer than that, on any system.
_SOCKET_PATH_AT_MOST = 100


class Folder:
    """The folder at `path`. Raises JoberError where it cannot be had."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self.problem(error) from None
        self.sockets = self._sockets()

    @property
    def keeper_socket(self) -> Path:
        """Where its keeper listens."""
        return self.sockets / "keeper.sock"

    @property
    def keeper_log(self) -> Path:
        return self.path / "keeper.log"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold its lock, as soon as nobody else does."""
        file = self._open("lock")
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

    def try_lock(self) -> int | None:
        """Its lock, held until that file is closed; None where somebody else holds it."""
        file = self._open("lock")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        return file

    def lock_redis(self) -> int:
        """The lock of its Redis, as soon as the one before has gone."""
        file = self._open("redis.lock")
        fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def problem(self, error: OSError) -> JoberError:
        """What is to be said of an error of the system."""
        said = error.strerror or str(error)
        return JoberError(f"the folder {self.path} cannot be used: {said} (name another)")

    def _open(self, name: str) -> int:
        try:
            return os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self.problem(error) from None

    def _sockets(self) -> Path:
        """Where its sockets are: in itself, but where their paths would be too long for one."""
        if len(os.fsencode(self.path / "keeper.sock")) <= _SOCKET_PATH_AT_MOST:
            return self.path
        told = self.path.stat()
        name = sha256(f"{told.st_dev} {told.st_ino}".encode()).hexdigest()[:16]
        path = Path(tempfile.gettempdir(), f"jober-{os.getuid()}-{name}")
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise JoberError(
                f"{path}, for the sockets of {self.path}, is another's "
                "(remove it, or name a folder with a shorter path)"
            )
        return path

    def end(self) -> None:
        """Remove what only a keeper that is there needs."""
        with suppress(OSError):
            self.keeper_socket.unlink(missing_ok=True)
            if self.sockets != self.path:
                (self.sockets / "redis.sock").unlink(missing_ok=True)
                self.sockets.rmdir()
