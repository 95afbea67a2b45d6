"""`jober user`: who may log in."""

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from jober import Jober
from jober.access.password import PasswordHash
from jober.client.log_in import LogIn
from jober.embedded import RedisServer
from jober.store import Store
from tests.cli.conftest import Cli
from tests.fleet import BIN
from tests.waiting import wait_until

PASSWORD = "correct horse"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password stands at standard input of each command."""

    class Typed(io.StringIO):
        def readline(self, _size: int | None = -1) -> str:  # type: ignore[override]
            return f"{PASSWORD}\n"

    monkeypatch.setattr(sys, "stdin", Typed())


def test_a_user_is_added_listed_changed_and_removed(cli: Cli, typed: None, store: Store) -> None:
    assert "no users: jober user add" in cli("user", "list").err
    done = cli("user", "add", "ann", "--scope", "admin", "--password-stdin")
    assert (done.status, done.text) == (0, "user ann: admin, all jobs\n")
    done = cli("user", "add", "ben", "--tag", "b", "--tag", "a", "--role", "db", "--password-stdin")
    assert done.text == "user ben: viewer, jobs of tags a, b; roles db\n"
    [ann, ben] = cli("user", "list", "--json").json
    assert (ann["name"], ann["scope"], ann["tags"], ann["sessions"]) == ("ann", "admin", None, 0)
    assert (ben["tags"], ben["roles"], ben["logged_in_at"]) == (["a", "b"], ["db"], None)
    assert "password" not in ann
    assert "tags a, b; roles db" in cli("user", "list").text
    assert [one["name"] for one in cli("user", "list", "--after", "ann", "--json").json] == ["ben"]
    assert cli("user", "scope", "ben", "operator").text == "user ben: operator, all jobs\n"
    assert cli("user", "scope", "ben", "operator").text.endswith("(as before)\n")
    assert cli("user", "remove", "ben").text == "user ben is removed\n"
    assert "no user is named 'ben'" in cli("user", "remove", "ben").err
    user = store.users.user("ann")
    hash = PasswordHash.read(user.password) if user else None
    assert hash and hash.is_of(PASSWORD)


def test_another_password_ends_the_sessions(cli: Cli, typed: None, store: Store) -> None:
    cli("user", "add", "ann", "--password-stdin")
    with Jober(store.url) as jober:
        log_in = LogIn(jober)
        opened = log_in.with_password("ann", PASSWORD, "192.0.2.1")
        assert cli("user", "list", "--json").json[0]["sessions"] == 1
        done = cli("user", "passwd", "ann", "--password-stdin")
        assert done.text == "user ann has another password; all sessions have ended\n"
        assert log_in.known(opened.id) is None
        log_in.with_password("ann", PASSWORD, "192.0.2.1")
        assert cli("user", "logout", "ann").text == "ann: 1 session ended\n"
    assert "no user is named 'ben'" in cli("user", "passwd", "ben", "--password-stdin").err


def test_what_is_wrong_with_a_user_is_told_and_nothing_is_written(
    cli: Cli, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    done = cli("user", "add", "ann", "--password-stdin")
    assert (done.status, "the password has 5 characters" in done.err) == (1, True)
    assert "'root' is no scope" in cli("user", "add", "ann", "--scope", "root").err
    assert "is not the name of a user" in cli("user", "add", "a b", "--password-stdin").err
    done = cli("user", "add", "ann")
    assert (done.status, "give --password-stdin" in done.err) == (2, True)
    assert cli("user", "passwd", "ann", "secret-as-argument").status == 2
    assert store.connection.command("KEYS", "*") == []


def test_a_password_is_asked_for_twice_at_a_terminal_and_never_shown(
    redis_server: RedisServer, store: Store, tmp_path: Path
) -> None:
    def ask(*answers: str) -> tuple[int, bytes]:
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [str(BIN / "jober"), "user", "add", "ann", "--scope", "admin"],
            env={**os.environ, "JOBER_REDIS_URL": redis_server.url},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,  # with no terminal of its own but ours
        )
        os.close(slave)
        seen = b""
        for number, answer in enumerate(answers):
            prompt = (b"Password of ann: ", b"Once more: ")[number]
            while prompt not in seen:
                seen += os.read(master, 1024)
            os.write(master, f"{answer}\n".encode())
        wait_until(lambda: process.poll() is not None, 60)
        while True:
            try:
                piece = os.read(master, 1024)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        os.close(master)
        return process.returncode, seen

    status, seen = ask(PASSWORD, "another horse")
    assert (status, b"the two passwords differ" in seen) == (1, True)
    assert not store.users.any()
    status, seen = ask(PASSWORD, PASSWORD)
    assert (status, b"user ann: admin" in seen) == (0, True)
    assert PASSWORD.encode() not in seen
