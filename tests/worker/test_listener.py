"""The agent's socket: who may say what, and how much."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jober.agent_socket import Connection
from jober.errors import AgentUnreachable
from jober.log_line import read_lines
from jober.output import Stream
from jober.run import Claim, Work
from jober_worker.listener import CONNECTIONS_OF_RUN, LINE_AT_MOST, Listener
from jober_worker.live_attempt import LiveAttempt
from tests.waiting import wait_until

# The ends of the processes, to be closed with the test.
OPENED: list[socket.socket] = []


@dataclass
class Heard:
    """An attempt, and what it has been told."""

    listener: Listener
    name: str
    written: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        work = Work(job="j", queue="q", data=b"", options="{}", trigger="manual", timeout=None)
        claim = Claim(id=self.name, attempt=1, work=work)
        self.attempt = LiveAttempt(
            claim, "h", lambda: 1, lambda attempt: None, self.listener.tell_cancelled
        )
        self.attempt.record(self._write, str)

    def _write(self, stream: Stream, data: bytes | bytearray | memoryview) -> None:
        assert stream is Stream.LOG
        self.written += data

    @property
    def done(self) -> float | None:
        return self.attempt.newest.whole.done if self.attempt.newest else None

    def connect(self) -> Connection:
        connection = Connection(self.listener.path, self.attempt.token)
        OPENED.append(connection.socket)
        return connection


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    listener.open()
    listener.part.start()
    yield listener
    while OPENED:
        OPENED.pop().close()
    listener.close()
    assert not Path(listener.path).parent.exists()


def test_a_process_speaks_for_the_attempt_whose_secret_it_has_and_for_no_other(
    listener: Listener,
) -> None:
    one, two = Heard(listener, "one"), Heard(listener, "two")
    assert one.attempt.token != two.attempt.token and len(one.attempt.token) >= 32
    with listener.serving(one.attempt), listener.serving(two.attempt):
        connection = one.connect()
        connection.send({"progress": {"done": 3}})
        connection.sync()
        assert (one.done, two.done) == (3, None)
        for wrong in ("guessed", "one"):
            guessing = Connection(listener.path, wrong)
            OPENED.append(guessing.socket)
            with pytest.raises(AgentUnreachable, match="has ended, or JOBER_TOKEN is wrong"):
                guessing.sync()
        early = socket.socket(socket.AF_UNIX)
        OPENED.append(early)
        early.connect(listener.path)
        early.sendall(b'{"progress": {"done": 9}}\n')
        assert b"JOBER_TOKEN is wrong" in early.recv(4096)
        assert early.recv(4096) == b""
        assert (one.done, two.done) == (3, None)


def test_what_was_said_before_an_attempt_ends_is_taken_in_and_nothing_after(
    listener: Listener,
) -> None:
    heard = Heard(listener, "one")
    with listener.serving(heard.attempt):
        connection = heard.connect()
        for n in range(500):
            connection.send({"progress": {"done": n}})
            line = {"at_ms": n, "level": "info", "logger": "l", "message": "m"}
            connection.send({"log": line})
    assert heard.done == 499
    assert len(list(read_lines(bytes(heard.written)))) == 500
    with pytest.raises(AgentUnreachable):
        connection.sync()
    with pytest.raises(AgentUnreachable, match="has ended"):
        heard.connect().sync()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"no json", "a line is not JSON"),
        (b"[" * 60_000, "a line is not JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"what": 1}', "neither progress nor log nor sync"),
        (b'{"progress": 3}', "object has no attribute"),
        (b'{"progress": {"done": "x"}}', "done is a number"),
        (b'{"progress": {"done": 1e400}}', "done is inf"),
        (b'{"progress": {"done": 1%s}}' % (b"0" * 400), "not a number from 0 to"),
        (b'{"progress": {"done": true}}', "done is a number"),
        (b'{"progress": {"group": "a//b"}}', "is not a group"),
        (b'{"log": {"level": "info"}}', "at_ms"),
        (b"x" * (LINE_AT_MOST + 10), f"a line is over {LINE_AT_MOST} bytes"),
    ],
)
def test_what_is_wrong_is_told_and_hung_up_on_and_others_go_on(
    listener: Listener, line: bytes, problem: str
) -> None:
    heard = Heard(listener, "one")
    with listener.serving(heard.attempt):
        good, bad = heard.connect(), heard.connect()
        bad.socket.sendall(line + (b"" if len(line) > LINE_AT_MOST else b"\n"))
        told = b""
        while piece := bad.socket.recv(4096):
            told += piece
        assert problem in json.loads(told)["error"]
        good.send({"progress": {"done": 1}})
        good.sync()
        assert heard.done == 1


def test_a_run_has_so_many_connections_and_those_that_it_leaves_make_room(
    listener: Listener,
) -> None:
    heard, other = Heard(listener, "one"), Heard(listener, "two")
    with listener.serving(heard.attempt), listener.serving(other.attempt):
        connections = [heard.connect() for _ in range(CONNECTIONS_OF_RUN)]
        for connection in connections:
            connection.sync()
        with pytest.raises(AgentUnreachable, match="64 connections already"):
            heard.connect().sync()
        other.connect().sync()
        connections.pop().close()

        def has_room() -> bool:
            try:
                heard.connect().sync()
            except AgentUnreachable:
                return False
            return True

        wait_until(has_room)


def test_one_that_never_listens_holds_up_nobody(listener: Listener) -> None:
    heard = Heard(listener, "one")
    with listener.serving(heard.attempt):
        deaf = heard.connect()
        for _ in range(5000):
            # Each is answered, and no answer is read.
            deaf.socket.sendall(b'{"sync": true}\n')
        heard.connect().sync()


def test_who_is_connected_and_who_comes_later_hears_that_the_run_is_asked_to_stop(
    listener: Listener,
) -> None:
    heard = Heard(listener, "one")
    with listener.serving(heard.attempt):
        before = heard.connect()
        before.sync()
        threading.Timer(0.05, heard.attempt.cancel).start()
        assert before.hear(10) == [{"cancelled": True}]
        assert heard.connect().hear(10) == [{"cancelled": True}]


def test_what_a_killed_agent_has_left_is_cleared_up_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    left = tmp_path / "jober-agent-999999999-x"
    left.mkdir()
    (left / "socket").touch()
    theirs = tmp_path / "other"
    theirs.mkdir()
    listener = Listener()
    listener.open()
    listener.part.start()
    assert not left.exists() and theirs.exists()
    assert Path(listener.path).is_relative_to(tmp_path)
    listener.close()


@pytest.mark.parametrize("at_ms", [float("inf"), 1e30, -1, "now", None])
def test_a_record_of_no_moment_is_refused_and_others_are_heard(
    listener: Listener, at_ms: object
) -> None:
    heard = Heard(listener, "a-run")
    with listener.serving(heard.attempt):
        connection = heard.connect()
        line = {"at_ms": at_ms, "level": "INFO", "logger": "x", "message": "y"}
        with pytest.raises(AgentUnreachable):
            connection.send({"log": line})
            connection.sync()
        other = heard.connect()
        other.send({"progress": {"done": 7}})
        other.sync()
        assert heard.done == 7
        assert not heard.written
