"""The agent's socket, at which the processes of its runs say how far they are, and what they log.

One thread serves all connections, and waits for none: what comes is bounded by line, by
connection and by their number; whoever says what is wrong is told so, and hung up on. Whoever
does not know the secret of an attempt can say nothing. `jober.agent_socket` tells what is said.
"""

import json
import logging
import os
import select
import selectors
import shutil
import socket
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from jober.log_line import LEVELS, LogLine, checked_at
from jober.progress import checked_step
from jober_worker.live_attempt import LiveAttempt
from jober_worker.part import Part

log = logging.getLogger(__name__)

LINE_AT_MOST = 64 * 1024
CONNECTIONS = 512
CONNECTIONS_OF_RUN = 64
# Whoever has not said the secret by then is hung up on.
HELLO_S = 5.0
# How long the end of an attempt waits for what its processes have said and we have not heard yet.
END_S = 1.0
_PREFIX = "jober-agent-"


class _Refused(Exception):
    """What is said is wrong; the text is for whoever said it."""


class _Speaker:
    """One connection."""

    __slots__ = ("attempt", "heard", "since", "socket")

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.attempt: LiveAttempt | None = None
        self.heard = b""
        self.since = time.monotonic()


class Listener:
    """`serving` and `tell_cancelled` may be called by any thread, between `open` and `close`."""

    def __init__(self) -> None:
        self.path = ""
        self._attempts: dict[str, LiveAttempt] = {}
        self._lock = threading.Lock()
        self._to_do: deque[Callable[[], None]] = deque()
        self._speakers: dict[int, _Speaker] = {}
        self._of_run: Counter[str] = Counter()
        self._accepting = False
        self._stopping = False
        self._folder: Path | None = None
        self.part = Part("listener", self._run)

    def open(self) -> None:
        """Bind the socket, in a folder that any user may pass through and none may list."""
        _clear_up_after_others()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_runtime()))
        self._folder.chmod(0o711)
        self.path = str(self._folder / "socket")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(self.path)
        # The runs of any user may come; the secrets keep them apart.
        os.chmod(self.path, 0o666)
        self._socket.listen(128)
        self._socket.setblocking(False)
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._selector.register(self._wake_read, selectors.EVENT_READ)

    def close(self) -> None:
        """Hear no more, and leave nothing behind."""
        if self._folder is not None:
            self._stopping = True
            self._wake()
            if self.part.join(END_S):
                self._let_go()
            shutil.rmtree(self._folder, ignore_errors=True)

    @contextmanager
    def serving(self, attempt: LiveAttempt) -> Iterator[dict[str, str]]:
        """Within it, processes with these variables may speak for the attempt. What they have
        said when it ends is taken in first; that waits for a second at the most."""
        self.expect(attempt)
        try:
            yield {**attempt.variables(), "JOBER_SOCKET": self.path}
        finally:
            self._end(attempt)

    def expect(self, attempt: LiveAttempt) -> None:
        """From now on, until `forget`, its processes may speak for it."""
        with self._lock:
            self._attempts[attempt.token] = attempt

    def forget(self, attempt: LiveAttempt, *, has_spoken: bool) -> None:
        """It is over; where none of its processes has spoken, nothing is to be taken in first."""
        if has_spoken:
            self._end(attempt)
        else:
            with self._lock:
                self._attempts.pop(attempt.token, None)

    def tell_cancelled(self, attempt: LiveAttempt) -> None:
        """Tell its processes that it is asked to stop."""
        self._do(lambda: self._tell_all(attempt))

    def _end(self, attempt: LiveAttempt) -> None:
        if self._may_have_said(attempt):
            self._hear_out(attempt)
        with self._lock:
            self._attempts.pop(attempt.token, None)

    def _may_have_said(self, attempt: LiveAttempt) -> bool:
        """Whether there may be something of its processes that we have not heard. The order
        matters: who knocks is among those whom we accept next, and then among the speakers."""
        knocks = select.poll()
        knocks.register(self._socket, select.POLLIN)
        if knocks.poll(0) or self._accepting:
            return True
        return any(one.attempt in (attempt, None) for one in list(self._speakers.values()))

    def _hear_out(self, attempt: LiveAttempt) -> None:
        done = threading.Event()

        def finish() -> None:
            self._accept()
            for speaker in list(self._speakers.values()):
                if speaker.attempt in (attempt, None):
                    self._hear_rest(speaker)
                if speaker.attempt is attempt:
                    self._hang_up(speaker)
            done.set()

        self._do(finish)
        done.wait(END_S)

    def _let_go(self) -> None:
        for speaker in list(self._speakers.values()):
            self._hang_up(speaker)
        self._selector.close()
        self._socket.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _do(self, action: Callable[[], None]) -> None:
        self._to_do.append(action)
        self._wake()

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"!")
        except BlockingIOError:
            pass  # it has more than enough to wake up for

    def _run(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select(1.0 if self._speakers else None):
                if key.fileobj is self._socket:
                    self._accept()
                elif key.fd == self._wake_read:
                    os.read(self._wake_read, 4096)
                elif speaker := self._speakers.get(key.fd):
                    self._hear(speaker)
            while self._to_do:
                self._to_do.popleft()()
            self._hang_up_on_the_silent()

    def _accept(self) -> None:
        self._accepting = True
        try:
            self._accept_all()
        finally:
            self._accepting = False

    def _accept_all(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                # Out of descriptors, or it is gone again. Others come when there is room.
                log.warning("a connection of a run could not be taken: %s", error)
                time.sleep(0.01)
                return
            connection.setblocking(False)
            speaker = _Speaker(connection)
            if len(self._speakers) >= CONNECTIONS:
                self._say(connection, {"error": "too many connections to the agent"})
                connection.close()
                continue
            self._speakers[connection.fileno()] = speaker
            self._selector.register(connection, selectors.EVENT_READ)

    def _hear(self, speaker: _Speaker) -> bool:
        """Take in a piece of what it says; False where there is none, or it has hung up."""
        try:
            data = speaker.socket.recv(LINE_AT_MOST)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._hang_up(speaker)
            return False
        *lines, speaker.heard = (speaker.heard + data).split(b"\n")
        try:
            for line in lines:
                self._take(speaker, line)
            if len(speaker.heard) > LINE_AT_MOST:
                raise _Refused(f"a line is over {LINE_AT_MOST} bytes")
        except _Refused as refused:
            self._say(speaker.socket, {"error": str(refused)})
            self._hang_up(speaker)
            return False
        return True

    def _hear_rest(self, speaker: _Speaker) -> None:
        # Bounded: one that goes on and on shall not hold up all others.
        for _ in range(16):
            if not self._hear(speaker):
                return

    def _take(self, speaker: _Speaker, line: bytes) -> None:
        try:
            told: Any = json.loads(line)
        except (ValueError, RecursionError):
            raise _Refused("a line is not JSON") from None
        if not isinstance(told, dict):
            raise _Refused("a line is not a JSON object")
        if speaker.attempt is None:
            self._greet(speaker, told.get("token"))
            return
        try:
            if "progress" in told:
                said = told["progress"]
                step = checked_step(
                    said.get("done"), said.get("total"), said.get("message"), said.get("group")
                )
                speaker.attempt.progress(step)
            elif "log" in told:
                speaker.attempt.log(_line(told["log"]))
            elif "sync" in told:
                self._say(speaker.socket, {"synced": True})
            else:
                raise _Refused("it is neither progress nor log nor sync")
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise _Refused(str(error) or type(error).__name__) from None

    def _greet(self, speaker: _Speaker, token: Any) -> None:
        with self._lock:
            attempt = self._attempts.get(token) if isinstance(token, str) else None
        if attempt is None:
            raise _Refused("this run has ended, or JOBER_TOKEN is wrong")
        if self._of_run[attempt.token] >= CONNECTIONS_OF_RUN:
            raise _Refused(f"the run has {CONNECTIONS_OF_RUN} connections already")
        speaker.attempt = attempt
        self._of_run[attempt.token] += 1
        if attempt.cancelled():
            self._say(speaker.socket, {"cancelled": True})

    def _tell_all(self, attempt: LiveAttempt) -> None:
        for speaker in list(self._speakers.values()):
            if speaker.attempt is attempt:
                self._say(speaker.socket, {"cancelled": True})

    def _say(self, connection: socket.socket, told: dict[str, Any]) -> None:
        """What cannot be said at once is not said: they are few words, and nobody is waited for."""
        try:
            connection.send(json.dumps(told).encode() + b"\n")
        except OSError:
            pass

    def _hang_up_on_the_silent(self) -> None:
        late = time.monotonic() - HELLO_S
        for speaker in list(self._speakers.values()):
            if speaker.attempt is None and speaker.since < late:
                self._hang_up(speaker)

    def _hang_up(self, speaker: _Speaker) -> None:
        if self._speakers.pop(speaker.socket.fileno(), None) is None:
            return
        self._selector.unregister(speaker.socket)
        speaker.socket.close()
        if speaker.attempt is not None:
            self._of_run[speaker.attempt.token] -= 1
            if self._of_run[speaker.attempt.token] <= 0:
                del self._of_run[speaker.attempt.token]


def _line(said: Any) -> LogLine:
    return LogLine(
        at_ms=checked_at(said["at_ms"]),
        level=str(said["level"]).upper() or LEVELS[1],
        logger=str(said["logger"]),
        message=str(said["message"]),
    )


def _runtime() -> str:
    """What systemd has made for the service (RuntimeDirectory=), else where temporary files go."""
    return os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0] or tempfile.gettempdir()


def _clear_up_after_others() -> None:
    """Agents that were killed leave their folders behind."""
    for folder in Path(_runtime()).glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        try:
            mine = folder.stat().st_uid == os.getuid()
            if mine and pid.isdigit() and not psutil.pid_exists(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
