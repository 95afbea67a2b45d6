"""The users of Redis that are shipped may do all that their part of jober does, and no more. A
fleet of them reaches Redis by TLS."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import redis
import trustme

from tests.everything import end_all, make_all_happen, observed, wait_for_all
from tests.fleet import Fleet
from tests.free_port import free_port
from tests.receiver import Receiver
from tests.redis_seven import administrator, server

SHIPPED = Path(__file__).parents[1] / "deploy" / "redis" / "users.acl"
USERS = re.findall(r"^user (\w+) on", SHIPPED.read_text("utf-8"), re.MULTILINE)
PROGRAMS = {"jober-scheduler": "scheduler", "jober-worker": "agent", "jober-web": "web"}
ROOT_PASSWORD = "of-the-tests"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of the server, and of who has signed it."""
    folder, authority = tmp_path_factory.mktemp("tls"), trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    own = authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem
    own.write_to_path(str(folder / "server.pem"))
    return folder


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def socket(
    certificates: Path, port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A server with the users of the file, but for `default`, who looks on."""
    folder, pem = tmp_path_factory.mktemp("acl"), str(certificates / "server.pem")
    text = SHIPPED.read_text("utf-8").replace("change-me-", "secret-")
    onlooker = f"user default on >{ROOT_PASSWORD} ~* &* +@all"
    (folder / "users.acl").write_text(text.replace("user default off", onlooker))
    with server(
        folder,
        *("--port", "0", "--aclfile", str(folder / "users.acl")),
        *("--tls-port", str(port), "--bind", "127.0.0.1", "--tls-auth-clients", "no"),
        *("--tls-cert-file", pem, "--tls-key-file", pem),
        *("--tls-ca-cert-file", str(certificates / "ca.pem")),
    ) as socket:
        yield socket


def url(socket: Path, user: str) -> str:
    return f"unix://{user}:secret-{user}@{socket}"


def onlooker(socket: Path) -> redis.Redis:
    return administrator(socket, ROOT_PASSWORD)


def denied(socket: Path) -> set[str]:
    """Who was refused what, by Redis's own log."""
    with onlooker(socket) as client:
        found = client.acl_log()
    return {
        f"{one['username']}: {one['reason']} {one['object']} in {one['context']}" for one in found
    }


class FleetOfUsers(Fleet):
    """Each program with the user that is its own, by TLS; who asks is `ops`."""

    def __init__(self, port: int, authority: Path, folder: Path) -> None:
        self._address = f"127.0.0.1:{port}/0?ssl_ca_certs={authority}"
        super().__init__(self._url("ops"), folder)

    def _url(self, user: str) -> str:
        return f"rediss://{user}:secret-{user}@{self._address}"

    def start(
        self, program: str, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        own = {"JOBER_REDIS_URL": self._url(PROGRAMS[program])}
        return super().start(program, *arguments, environ={**own, **(environ or {})})


def test_with_a_user_each_a_fleet_does_all_it_can_and_none_is_refused_anything(
    socket: Path, certificates: Path, port: int, tmp_path: Path
) -> None:
    fleet = FleetOfUsers(port, certificates / "ca.pem", tmp_path)
    of_onlooker = f"unix://default:{ROOT_PASSWORD}@{socket}"
    try:
        with observed(of_onlooker) as observer, Receiver() as receiver:
            make_all_happen(fleet, observer, receiver.url)
            wait_for_all(fleet.jober, observer)
            end_all(fleet, observer)
    finally:
        fleet.stop()
        print(fleet.logs(), *sorted(denied(socket)), sep="\n")  # noqa: T201 - shown where it fails
    assert denied(socket) == set()


@pytest.mark.parametrize(
    ("user", "command"),
    [
        *((user, ("FLUSHALL",)) for user in USERS),
        *((user, ("CONFIG", "SET", "appendonly", "no")) for user in USERS),
        *((user, ("ACL", "SETUSER", "default", "on", "nopass")) for user in USERS),
        *((user, ("KEYS", "*")) for user in USERS),
        *((user, ("SET", "other", "1")) for user in USERS),
        *((user, ("GET", "other")) for user in USERS),
        *((user, ("SHUTDOWN", "NOSAVE")) for user in USERS),
        # An agent runs what is defined, and defines nothing.
        ("agent", ("HSET", "jober:job:nightly", "spec", "{}")),
        ("agent", ("EVAL", "redis.call('HSET', KEYS[1], 'spec', '{}')", "1", "jober:job:nightly")),
        ("agent", ("ZADD", "jober:jobs", "0", "mine")),
        ("agent", ("DEL", "jober:leader")),
        # Who may log in is for those who let people in.
        *(
            (user, command)
            for user in ("scheduler", "agent", "reader")
            for command in (
                ("HGETALL", "jober:user:ann"),
                ("HSET", "jober:user:ann", "scope", "admin"),
                ("HGETALL", "jober:token:abcdefghij"),
                ("HGETALL", "jober:session:0123456789abcdef"),
                ("XRANGE", "jober:audit", "-", "+"),
            )
        ),
        # A dashboard looks.
        ("reader", ("SET", "jober:leader", "1:me")),
        ("reader", ("PUBLISH", "rq:pubsub:db1-abcdef", '{"command": "shutdown"}')),
        ("reader", ("LPUSH", "rq:queue:db", "x")),
        ("reader", ("EVAL", "return 1", "0")),
    ],
)
def test_what_is_not_for_a_user_is_refused(
    user: str, command: tuple[str, ...], socket: Path
) -> None:
    with redis.Redis.from_url(url(socket, user)) as client:
        client.ping()
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*command)


def test_a_reader_sees_what_there_is(socket: Path) -> None:
    with onlooker(socket) as client:
        client.set("jober:leader", "7:node")
        client.hset("rq:job:nightly-1", "state", "queued")
    with redis.Redis.from_url(url(socket, "reader")) as client:
        assert client.get("jober:leader") == b"7:node"
        assert client.hget("rq:job:nightly-1", "state") == b"queued"
