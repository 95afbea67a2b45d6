"""The settings of Redis that are shipped: it starts with them, and does what they say."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from jober import Jober
from jober.embedded import find_server
from tests.deploy.shipped import DEPLOY
from tests.fleet import Fleet
from tests.waiting import wait_until

CONF = DEPLOY / "redis" / "redis.conf"


@contextmanager
def server_of_the_conf(folder: Path, *more: str) -> Iterator[redis.Redis]:
    """A server started with the file alone, but for where it listens."""
    path = folder / "redis.sock"
    process = subprocess.Popen(
        [find_server(), str(CONF), "--port", "0", "--unixsocket", str(path), *more],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    client: redis.Redis = redis.Redis(unix_socket_path=str(path))
    try:
        wait_until(lambda: path.exists() or process.poll() is not None, told="its socket")
        if process.poll() is not None:
            pytest.fail(f"it does not start: {process.communicate()[0].decode()}")
        yield client
    finally:
        client.close()
        process.terminate()
        process.communicate()


def test_redis_starts_with_the_configuration_and_keeps_what_it_is_told(tmp_path: Path) -> None:
    with server_of_the_conf(tmp_path) as client:
        for setting, value in {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "no-appendfsync-on-rewrite": "no",
            "maxmemory-policy": "noeviction",
            "protected-mode": "yes",
            "bind": "127.0.0.1 -::1",
            "save": "",
            "timeout": "0",
            "min-replicas-to-write": "0",
        }.items():
            assert client.config_get(setting) == {setting: value}
        limits = str(client.config_get("client-output-buffer-limit"))
        assert f"pubsub {32 << 20} {8 << 20} 60" in limits
        client.set("kept", "yes")
    with server_of_the_conf(tmp_path) as client:
        assert client.get("kept") == b"yes"


def test_the_settings_for_replicas_are_taken_and_stop_writes_on_a_single_node(
    tmp_path: Path,
) -> None:
    told = re.findall(r"^#(min-replicas-\S+) (\d+)$", CONF.read_text("utf-8"), re.MULTILINE)
    assert dict(told) == {"min-replicas-to-write": "1", "min-replicas-max-lag": "10"}
    options = [word for name, value in told for word in (f"--{name}", value)]
    with server_of_the_conf(tmp_path, *options) as client:
        with pytest.raises(redis.ResponseError, match="NOREPLICAS"):
            client.set("a", "b")


def test_each_setting_has_its_reason_above_it() -> None:
    above = ""
    for line in CONF.read_text("utf-8").splitlines():
        setting = line and not line.startswith("#")
        assert not setting or above.startswith("# "), f"{line} stands without a word"
        above = line


def test_the_user_of_the_configuration_may_do_all_that_a_fleet_does_and_no_more(
    fleet: Fleet,
) -> None:
    (rules,) = re.findall(r"^#user jober (.+)$", CONF.read_text("utf-8"), re.MULTILINE)
    fleet.jober.store.connection.command("ACL", "SETUSER", "jober", *rules.split())
    fleet.url = fleet.url.replace("unix://", "unix://jober:change-me@")
    fleet.scheduler()
    fleet.agent("alpha", "adder")
    with Jober(fleet.url) as jober:
        jober.add_job("sum", call="operator:add", args=[1, 2], every=1, roles=["adder"])
        assert jober.run("sum").result(timeout=60) == 3
        wait_until(lambda: [run for run in jober.runs("sum") if run.trigger == "schedule"])
        for forbidden in (("FLUSHALL",), ("CONFIG", "GET", "*"), ("GET", "of-others")):
            with pytest.raises(Exception, match=r"NOPERM|permissions"):
                jober.store.connection.command(*forbidden)
