"""What a program holds of a folder: its place among those that share it.

The first to come starts the keeper, and waits until its Redis answers; a lock sees to it that there
is one. Where the keeper of a folder is killed, who is still there starts another.
"""

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from jober.embedded.folder import Folder
from jober.embedded.paths import home_of, own_paths
from jober.embedded.redis_server import find_server
from jober.errors import JoberError

log = logging.getLogger(__name__)

# How long a keeper may take to start, and to answer.
START_S = 60.0
AGAIN_S = 1.0
# How long the end is waited for: runs may have a grace.
END_S = 30.0


class Membership:
    """One program in a folder, or in a temporary one of its own. Raises JoberError, and
    NoRedisServer where none is installed.

    `id` names it among the owners of runs; `url` is where the Redis of the folder is.
    """

    def __init__(self, folder: str | os.PathLike[str] | None) -> None:
        self.id: str | None = None
        self._closing = threading.Event()
        self._temporary: Path | None = None
        find_server()
        if folder is None:
            self._temporary = Path(_start_keeper(None))
            self._folder = Folder(self._temporary)
            self._join(self._connected())
        else:
            self._folder = Folder(folder)
            self._enter()
        self._watch = threading.Thread(target=self._stay, name="jober-folder", daemon=True)
        self._watch.start()

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self._folder.path

    def can_import(self, module: str) -> bool:
        """Whether the agent of the folder imports a module from where this program does."""
        home = home_of(module)
        return home is None or home not in own_paths() or home in self._paths

    def close(self) -> None:
        """Leave; runs that are not detached end, and where nobody is left, all does, which is
        waited for."""
        if self._closing.is_set():
            return
        self._closing.set()
        try:
            self._connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the keeper has gone
        self._watch.join(END_S)
        self._connection.close()

    def _enter(self) -> None:
        with self._folder.locked():
            connection = self._connect()
            if connection is None:
                _start_keeper(self._folder.path)
                connection = self._connected()
            self._join(connection)

    def _connected(self) -> socket.socket:
        connection = self._connect()
        if connection is None:
            raise JoberError(
                f"the keeper of {self._folder.path} has ended at once "
                f"(see {self._folder.keeper_log})"
            )
        return connection

    def _connect(self) -> socket.socket | None:
        """A connection to the keeper; None where there is none."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(START_S)
        try:
            connection.connect(str(self._folder.keeper_socket))
        except OSError:
            connection.close()
            return None
        return connection

    def _join(self, connection: socket.socket) -> None:
        try:
            hello = {"pid": os.getpid(), **({"member": self.id} if self.id else {})}
            connection.sendall(json.dumps(hello).encode() + b"\n")
            heard = b""
            while not heard.endswith(b"\n"):
                data = connection.recv(65536)
                if not data:
                    raise OSError("it has hung up")
                heard += data
        except OSError as error:
            connection.close()
            raise JoberError(f"the keeper of {self._folder.path}: {error}") from None
        connection.settimeout(None)
        told: dict[str, Any] = json.loads(heard)
        self.id, self.url = told["member"], told["url"]
        self._paths = frozenset(told["paths"])
        self._connection = connection

    def _stay(self) -> None:
        """Come back where the keeper is killed; a temporary folder is gone with it."""
        while not self._closing.is_set():
            try:
                if self._connection.recv(1):
                    continue
            except OSError:
                pass
            if self._closing.is_set():
                return
            if self._temporary is not None:
                shutil.rmtree(self._temporary, ignore_errors=True)
                return
            log.warning("the keeper of %s has gone; starting another", self._folder.path)
            self._connection.close()
            self._come_back()

    def _come_back(self) -> None:
        while not self._closing.is_set():
            try:
                self._enter()
                return
            except JoberError as error:
                log.warning("%s", error)
                time.sleep(AGAIN_S)


def _start_keeper(folder: Path | None) -> str:
    """Start a keeper, and wait until it serves; the folder."""
    paths = os.pathsep.join(own_paths())
    try:
        started = subprocess.run(
            # -P: where one stands must not decide what is imported.
            [
                sys.executable,
                "-P",
                "-m",
                "jober.embedded.keeper",
                *([str(folder)] if folder else []),
            ],
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=START_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise JoberError(f"no keeper could be started: {error}") from None
    try:
        told: dict[str, str] = json.loads(started.stdout)
        if "problem" in told:
            raise JoberError(told["problem"])
        return told["folder"]
    except (ValueError, KeyError):
        said = (started.stderr or started.stdout).decode("utf-8", "replace").strip()
        raise JoberError(
            f"no keeper could be started: {said[-500:] or 'it said nothing'}"
        ) from None
