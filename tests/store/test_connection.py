"""Addresses of Redis, and what is told when there is none."""

import subprocess
from pathlib import Path

import pytest

from jober.embedded import RedisServer, find_server
from jober.errors import DefinitionError, RedisRefused, RedisUnavailable
from jober.store import Store
from jober.store.connection import shown
from tests.free_port import free_port
from tests.waiting import wait_until


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("localhost:6379", "'localhost:6379' is not an address of Redis"),
        ("http://localhost", "'http://localhost' is not an address of Redis"),
        ("", "'' is not an address of Redis"),
        ("redis://h:abc/0", "its port is no number"),
        ("redis://h:6379/abc", "'abc' is not the number of a database"),
        ("redis://h:6379/0?pasword=x", "unknown option 'pasword', did you mean 'password'"),
        ("redis+sentinel://h:26379", "the name of the service is missing"),
        ("redis+sentinel://h:x/mymaster", "invalid literal"),
        ("redis+sentinel://h/mymaster/0?sentinel_pasword=x", "did you mean 'sentinel_password'"),
        ("redis+sentinel://h/mymaster/0?ssl_cert_reqs=none", "unknown option 'ssl_cert_reqs'"),
        ("redis+sentinel://h/mymaster?sentinel_password_file=x", "'x' is no absolute path"),
        ("rediss+sentinel://h/mymaster/0?ssl_check_hostname=x&db=1", "unknown option 'db'"),
        ("redis://h/0?ssl_ca_certs=/ca.pem", "unknown option 'ssl_ca_certs'"),
        ("redis://h/0?wait_replicas=one", "'one' is not a number of replicas"),
        ("redis://:x@h/0?password_file=/x", "one of them is enough"),
        ("redis://h/0?password_file=x", "'x' is no absolute path"),
    ],
)
def test_an_address_that_cannot_be_read_is_told_with_the_mend(url: str, problem: str) -> None:
    with pytest.raises(DefinitionError, match=problem):
        Store(url)


def test_a_password_is_never_told() -> None:
    assert shown("redis://user:secret@h:6379/0") == "redis://***@h:6379/0"
    assert shown("unix:///tmp/x.sock") == "unix:///tmp/x.sock"
    assert shown("redis://h/0?wait_replicas=1") == "redis://h/0", "it is the same Redis"
    assert shown("unix:///x?wait_replicas=1&db=2") == "unix:///x?db=2"
    store = Store("redis://:hunter2@127.0.0.1:1/0")
    with pytest.raises(RedisUnavailable) as error:
        store.observe_time()
    assert "hunter2" not in str(error.value)
    assert "--redis or JOBER_REDIS_URL" in str(error.value)


def test_a_password_is_read_from_its_file_with_each_new_connection(tmp_path: Path) -> None:
    file = tmp_path / "password"
    with RedisServer() as server:
        address = server.url.replace("unix://", "unix://agent@")
        store = Store(f"{address}{'&' if '?' in address else '?'}password_file={file}")
        with pytest.raises(RedisUnavailable, match=f"password_file {file}: No such file"):
            store.observe_time()
        administrator = Store(server.url)
        for password in ("first", "second"):
            rules = ("reset", "on", f">{password}", "~*", "&*", "+@all")
            administrator.connection.command("ACL", "SETUSER", "agent", *rules)
            file.write_text(f"{password}\n")
            store.observe_time()
            assert store.connection.command("ACL", "WHOAMI") == b"agent"
            # Those of a user whose password has changed stay, until they are cut.
            administrator.connection.command("CLIENT", "KILL", "USER", "agent")
        administrator.close()
        store.close()


def test_what_redis_refuses_is_told_as_refused(store: Store) -> None:
    store.connection.command("SET", "jober:jobs", "of another type")
    with pytest.raises(RedisRefused, match="refuses: WRONGTYPE"):
        store.jobs.count()


def test_a_script_that_redis_has_forgotten_is_loaded_again(store: Store) -> None:
    store.leader.lead("a:1:aaaaaa", 6000)
    store.connection.command("SCRIPT", "FLUSH")
    assert store.leader.lead("a:1:aaaaaa", 6000).is_of("a:1:aaaaaa")


def test_the_primary_is_found_through_sentinels(tmp_path: Path) -> None:
    port, sentinel_port = free_port(), free_port()
    conf = tmp_path / "sentinel.conf"
    conf.write_text(
        f"port {sentinel_port}\nbind 127.0.0.1\n"
        f"sentinel monitor mymaster 127.0.0.1 {port} 1\n"
        "sentinel down-after-milliseconds mymaster 500\n"
    )
    program = find_server()
    primary = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", tmp_path],
        stdout=subprocess.DEVNULL,
    )
    sentinel = subprocess.Popen(
        [program, conf, "--sentinel"], stdout=subprocess.DEVNULL, cwd=tmp_path
    )
    try:
        nobody = free_port()
        store = Store(f"redis+sentinel://127.0.0.1:{nobody},127.0.0.1:{sentinel_port}/mymaster/2")

        def answers() -> bool:
            try:
                store.observe_time()
            except RedisUnavailable:
                return False
            return True

        wait_until(answers)
        assert store.leader.lead("a:1:aaaaaa", 6000).elected
        store.close()
        direct = Store(f"redis://127.0.0.1:{port}/2")
        leader = direct.leader.current()
        assert leader is not None and leader.node == "a:1:aaaaaa"
        direct.close()
    finally:
        for process in (sentinel, primary):
            process.terminate()
            process.wait(45)


def test_a_server_in_a_folder_keeps_what_it_was_told(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "state", durable=True) as server:
        Store(server.url).leader.lead("a:1:aaaaaa", 60_000)
    with RedisServer(tmp_path / "state", durable=True) as server:
        leader = Store(server.url).leader.current()
    assert leader is not None


def test_a_temporary_server_leaves_nothing_behind() -> None:
    with RedisServer() as server:
        folder, pid = server.folder, server.pid
    assert not folder.exists()
    assert not Path(f"/proc/{pid}").exists()
