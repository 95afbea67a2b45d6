"""The keeper of a folder: a process that runs its Redis, scheduler and agent while it has members.

A member is a program that holds a connection to the keeper's socket: that ends with the program,
however it ends, and so does the pidfd that the keeper has of it, where a forked child still holds
the connection. The runs of a member end with it, but for detached ones. When the last member has
gone, and no detached run goes on, the keeper ends what it has started, and itself. Where it is
killed, the kernel ends them, and the next to open the folder starts another.
"""

import json
import logging
import os
import selectors
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from jober.embedded.daemons import Daemon, kill_all
from jober.embedded.folder import Folder
from jober.embedded.mark import lives, mark_of
from jober.embedded.paths import own_paths
from jober.embedded.redis_server import RedisServer
from jober.errors import JoberError, RedisUnavailable
from jober.logs import set_up_logs
from jober.store import Store
from jober.store.owners import DETACHED

log = logging.getLogger("jober.keeper")

LOOK_S = 0.5
# A keeper that nobody comes to ends after this.
ALONE_S = 10.0
# How long runs may go on once it ends; then they are stopped, with their grace.
DRAIN_S = 1
END_S = 30.0
# A log that is longer begins anew with the next keeper.
LOG_AT_MOST = 1024 * 1024
HELLO_AT_MOST = 4096
GONE = "the program that it was run for has ended"


class Member:
    """A program, as its keeper knows it."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.id: str | None = None
        self.pidfd: int | None = None
        self.heard = b""


class Keeper:
    """`run` serves the folder until nobody needs it."""

    def __init__(self, folder: Folder, *, durable: bool) -> None:
        self._folder = folder
        # Held by the server too: it is let go of when both are gone.
        self._redis_lock = folder.lock_redis()
        self._server = RedisServer(
            folder.path, durable=durable, sockets=folder.sockets, held=[self._redis_lock]
        )
        self._daemons: list[Daemon] = []
        self._members: dict[int, Member] = {}
        self._leaving: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._told_to_end = False
        self._had_members = False
        self._began = time.monotonic()

    def start(self) -> None:
        """Start it all, and listen. Raises JoberError, and leaves nothing then."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end_soon)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._server.start()
        self._store = Store(self._server.url)
        folder, level = self._folder.path, ["--log-level", "warning", "--log-format", "text"]
        kept = ["--journal-dir", str(folder / "journal"), "--log-dir", str(folder / "logs")]
        worker = ["worker", *level, "--roles", "*", "--drain", str(DRAIN_S), *kept]
        for name, arguments in (("scheduler", ["scheduler", *level]), ("agent", worker)):
            daemon = Daemon(name, arguments, self._server.url, folder)
            _begin_anew(daemon.log)
            self._daemons.append(daemon)
            daemon.start()
        self._folder.keeper_socket.unlink(missing_ok=True)
        self._listener.bind(str(self._folder.keeper_socket))
        self._listener.listen(128)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def run(self) -> int:
        """Serve; the exit status."""
        looked = 0.0
        status = 0
        try:
            while not self._may_end():
                for key, _ in self._selector.select(LOOK_S):
                    key.data(key.fileobj)
                now = time.monotonic()
                if self._leaving and (self._members or self._any_detached()):
                    self._let_go()
                if now - looked >= LOOK_S:
                    looked = now
                    self._look(now)
        except JoberError as error:
            log.critical("%s", error)
            status = 1
        finally:
            self.stop()
        return status

    def stop(self) -> None:
        """End what was started, and leave nothing but what is kept."""
        for daemon in self._daemons:
            daemon.send(signal.SIGTERM)
        deadline = time.monotonic() + END_S
        while any(daemon.is_running for daemon in self._daemons) and time.monotonic() < deadline:
            time.sleep(0.02)
        kill_all(self._daemons)
        self._server.stop()
        self._listener.close()
        self._folder.end()

    def _let_go(self) -> None:
        """Those that wait for the end need not: it is not yet."""
        for connection in self._leaving:
            connection.close()
        self._leaving.clear()

    def _end_soon(self, _number: int, _frame: object) -> None:
        self._told_to_end = True

    def _may_end(self) -> bool:
        """Whether nobody needs it; from then on nobody can come."""
        if not self._told_to_end:
            if self._members or not (self._had_members or self._is_late()):
                return False
            if self._any_detached():
                return False
        lock = self._folder.try_lock()
        if lock is None:
            return False  # somebody comes
        if not self._told_to_end and self._accept(self._listener):
            os.close(lock)
            return False
        # Kept until this process ends: who comes now waits, and starts another.
        self._folder.keeper_socket.unlink(missing_ok=True)
        return True

    def _is_late(self) -> bool:
        """Whether who was to come should have."""
        return time.monotonic() - self._began >= ALONE_S

    def _any_detached(self) -> bool:
        try:
            return bool(self._store.owners.runs(DETACHED))
        except RedisUnavailable as error:
            log.warning("%s", error)
            return False

    def _look(self, now: float) -> None:
        if not self._server.is_running:
            raise JoberError("the Redis of the folder has ended")
        for daemon in self._daemons:
            if told := daemon.look(now):
                log.warning("%s", told)
        try:
            self._end_runs_of_the_gone()
        except RedisUnavailable as error:
            log.warning("%s", error)

    def _end_runs_of_the_gone(self) -> None:
        """Cancel what those have left that are no members any more. One whose keeper was killed is
        none yet, and comes back."""
        here = {member.id for member in self._members.values()}
        for owner in self._store.owners.all():
            if owner == DETACHED or owner in here:
                continue
            if lives(owner) and not self._is_late():
                continue
            self._end_runs(owner)

    def _end_runs(self, owner: str) -> None:
        runs = self._store.owners.runs(owner)
        if runs:
            self._store.runs.cancel_all(runs, GONE)
        self._store.owners.forget(owner)

    def _accept(self, listener: Any) -> bool:
        """Take in who comes; False where nobody does."""
        try:
            connection, _ = listener.accept()
        except OSError:
            return False
        connection.setblocking(False)
        member = Member(connection)
        self._members[connection.fileno()] = member
        self._selector.register(connection, selectors.EVENT_READ, lambda _: self._hear(member))
        return True

    def _hear(self, member: Member) -> None:
        try:
            data = member.connection.recv(HELLO_AT_MOST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._leave(member)
            return
        if member.id is not None:
            return
        member.heard += data
        if b"\n" in member.heard:
            self._welcome(member)
        elif len(member.heard) >= HELLO_AT_MOST:
            self._leave(member)

    def _welcome(self, member: Member) -> None:
        try:
            told = json.loads(member.heard)
            pid = _peer(member.connection) or int(told["pid"])
            name = told.get("member")
        except (ValueError, TypeError, KeyError, AttributeError):
            self._leave(member)
            return
        mark = mark_of(pid) or f"{pid}-0"
        member.id = name if isinstance(name, str) else f"{mark}-{os.urandom(4).hex()}"
        with suppress(OSError, AttributeError):  # of another host's numbers, or not on Linux
            member.pidfd = os.pidfd_open(pid)
            self._selector.register(
                member.pidfd, selectors.EVENT_READ, lambda _: self._leave(member)
            )
        self._had_members = True
        reply = {"member": member.id, "url": self._server.url, "paths": own_paths()}
        try:
            member.connection.sendall(json.dumps(reply).encode() + b"\n")
        except OSError:
            self._leave(member)

    def _leave(self, member: Member) -> None:
        """It has gone, or was never one."""
        if self._members.pop(member.connection.fileno(), None) is None:
            return
        self._selector.unregister(member.connection)
        # It may wait until all has ended: then this end goes with the process.
        self._leaving.append(member.connection)
        if member.pidfd is not None:
            self._selector.unregister(member.pidfd)
            os.close(member.pidfd)
        if member.id is not None:
            try:
                self._end_runs(member.id)
            except RedisUnavailable as error:
                log.warning("%s", error)


def _peer(connection: socket.socket) -> int | None:
    """The process at the other end, as the kernel tells; None where it does not."""
    if not hasattr(socket, "SO_PEERCRED"):
        return None
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", told)[0]
    return pid or None


def _begin_anew(file: Path) -> None:
    with suppress(OSError):
        if file.stat().st_size > LOG_AT_MOST:
            os.truncate(file, 0)


def _serve(path: str | None, ready: int) -> int:
    """Be the keeper of the folder, or of a temporary one; tells `ready` where it is, or in words
    what is wrong."""
    place = Path(tempfile.mkdtemp(prefix="jober-")) if path is None else Path(path)
    try:
        folder = Folder(place)
        _begin_anew(folder.keeper_log)
        log_file = os.open(folder.keeper_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log_file, 1)
        os.dup2(log_file, 2)
        os.close(log_file)
        set_up_logs("warning")
        keeper = Keeper(folder, durable=path is not None)
        try:
            keeper.start()
        except BaseException:
            keeper.stop()
            raise
        os.write(ready, json.dumps({"folder": str(place)}).encode())
        os.close(ready)
        return keeper.run()
    except JoberError as error:
        with suppress(OSError):
            os.write(ready, json.dumps({"problem": str(error)}).encode())
        return 1
    finally:
        if path is None:
            shutil.rmtree(place, ignore_errors=True)


def main(argv: list[str]) -> int:
    """Start a keeper of the folder that is named, or of a temporary one, and print, when it is
    there, what it told."""
    heard, ready = os.pipe()
    if os.fork():
        os.close(ready)
        with os.fdopen(heard, "rb") as told:
            sys.stdout.buffer.write(told.read())
        return 0
    os.close(heard)
    # Nothing of who opened the folder: neither its terminal nor what it reads of us.
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    return _serve(argv[0] if argv else None, ready)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
