"""A way to Redis that can be made bad in the ways a network is, and healed: cut, half-open, slow,
or one that swallows a request, or the reply of a request that was carried out."""

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Literal

# Where it is narrow, so much is passed on at once; and of what a connection asks first, so much is
# kept, to know it by.
_PIECE = 4 * 1024
_FIRST = 4 * 1024

Swallowed = Literal["request", "reply"]


class _Link:
    """A connection: `near` is the client's, `far` the server's."""

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self.near = near
        self.far = far
        self.asked = b""
        self.is_dead = False  # what comes is swallowed, and neither end is told
        self.drops_reply = False

    def end(self) -> None:
        for one in (self.near, self.far):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class Proxy:
    """Listens on a port of this host, and passes all on to `target`: a unix socket, or a port.

    `delay_s` is added to each way, and `bytes_per_s` is what all connections together get through
    in each direction; 0 is no limit. `left_to_drop` counts what `drop` has still to swallow.
    """

    def __init__(self, target: Path | int) -> None:
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.delay_s = 0.0
        self.bytes_per_s = 0
        self.left_to_drop = 0
        self._lock = threading.Lock()
        self._links: set[_Link] = set()
        self._is_cut = False
        self._to_drop = ("", b"")
        self._free_at = {"request": 0.0, "reply": 0.0}
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.delay_s, self.bytes_per_s = 0.0, 0
        self.cut()
        while self._links:
            time.sleep(0.01)

    def cut(self) -> None:
        """End all connections, and refuse those that come."""
        with self._lock:
            self._is_cut = True
            for link in self._links:
                link.end()

    def heal(self) -> None:
        """Pass on all that comes from now on; what is dead is found to be so."""
        with self._lock:
            self._is_cut = False
            self.left_to_drop = 0
            self.delay_s, self.bytes_per_s = 0.0, 0
            for link in self._links:
                if link.is_dead:
                    link.end()

    def lead_to(self, target: Path | int) -> None:
        """Where new connections go from now on; those that are open stay where they are."""
        with self._lock:
            self.target = target

    def half_open(self, of: bytes = b"") -> int:
        """From now on nothing gets through the connections that are open, and neither end hears of
        it; new ones are as ever. `of`: only those whose first words had this. How many."""
        with self._lock:
            dead = [link for link in self._links if of in link.asked]
            for link in dead:
                link.is_dead = True
            return len(dead)

    def drop(self, what: Swallowed, of: bytes = b"", times: int = 1) -> None:
        """Swallow the next requests that have `of` in them, or what is replied to them, and end
        their connections."""
        with self._lock:
            self._to_drop, self.left_to_drop = (what, of), times

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                try:
                    if self._is_cut:
                        raise ConnectionRefusedError
                    far = self._connect()
                except OSError:
                    near.close()
                    continue
                link = _Link(near, far)
                self._links.add(link)
            threading.Thread(target=self._join, args=(link,), daemon=True).start()

    def _connect(self) -> socket.socket:
        if isinstance(self.target, int):
            far = socket.create_connection(("127.0.0.1", self.target))
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return far
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(str(self.target))
        except OSError:
            far.close()
            raise
        return far

    def _join(self, link: _Link) -> None:
        link.near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=self._reply, args=(link,), daemon=True)
        back.start()
        self._ask(link)
        back.join()
        with self._lock:
            self._links.discard(link)
        link.near.close()
        link.far.close()

    def _ask(self, link: _Link) -> None:
        with suppress(OSError):
            while data := link.near.recv(self._at_once()):
                link.asked = (link.asked + data)[:_FIRST]
                self._wait("request", len(data))
                if self._drops(link, data):
                    link.end()
                elif not link.is_dead:
                    link.far.sendall(data)
        # Where it is dead, the server is not told that the client has gone.
        if not link.is_dead:
            with suppress(OSError):
                link.far.shutdown(socket.SHUT_RDWR)

    def _reply(self, link: _Link) -> None:
        with suppress(OSError):
            while data := link.far.recv(self._at_once()):
                self._wait("reply", len(data))
                if link.drops_reply:
                    link.end()
                elif not link.is_dead:
                    link.near.sendall(data)
        if not link.is_dead:
            with suppress(OSError):
                link.near.shutdown(socket.SHUT_RDWR)

    def _drops(self, link: _Link, data: bytes) -> bool:
        """Whether the request is swallowed; remembers whether its reply is."""
        with self._lock:
            what, of = self._to_drop
            if not self.left_to_drop or of not in data:
                return False
            self.left_to_drop -= 1
            link.drops_reply = what == "reply"
            return not link.drops_reply

    def _at_once(self) -> int:
        return _PIECE if self.bytes_per_s else 64 * 1024

    def _wait(self, way: Swallowed, size: int) -> None:
        until = now = time.monotonic()
        if self.bytes_per_s:
            with self._lock:
                until = max(now, self._free_at[way]) + size / self.bytes_per_s
                self._free_at[way] = until
        if until + self.delay_s > now:
            time.sleep(until + self.delay_s - now)
