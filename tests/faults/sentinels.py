"""Redis as it is run for high availability: a primary, a replica, and three Sentinels that make
the one the other's successor. Each of the two is reached through a proxy alone."""

import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import redis

from jober.embedded import RedisServer, end_with_parent, find_server
from tests.faults.proxy import Proxy
from tests.free_port import free_port
from tests.waiting import wait_until

SERVICE = "mymaster"
DOWN_AFTER_MS = 1_000


class Node:
    """A server that goes by the port of its proxy."""

    def __init__(self, folder: Path) -> None:
        self.server = RedisServer(folder, durable=True)
        self.proxy = Proxy(self.server.socket)
        self.client: redis.Redis = redis.Redis(unix_socket_path=str(self.server.socket))

    def __enter__(self) -> "Node":
        self.proxy.__enter__()
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()
        self.server.stop()
        self.proxy.__exit__(None, None, None)

    def start(self) -> None:
        self.server.start()
        self.client.config_set("replica-announce-ip", "127.0.0.1")
        self.client.config_set("replica-announce-port", self.proxy.port)
        self.client.config_set("repl-diskless-sync", "yes")
        self.client.config_set("repl-diskless-sync-delay", 0)

    def kill(self) -> None:
        self.server.kill()

    def follow(self, other: "Node") -> None:
        self.client.execute_command("REPLICAOF", "127.0.0.1", other.proxy.port)

    def follows(self, other: "Node") -> bool:
        """Whether it is a replica of the other, and has all that that one has."""
        told = self.client.info("replication")
        return bool(
            told["role"] == "slave"
            and told["master_port"] == other.proxy.port
            and told["master_link_status"] == "up"
        )

    def fall_behind(self) -> None:
        """From now on its replicas get nothing of what is written, and do not know."""
        wait_until(lambda: self.proxy.half_open(of=b"REPLCONF"), told="a replica that follows")


class Sentinels:
    """`url` is for clients; `primary` and `replica` are what the nodes are now."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.primary = Node(folder / "a")
        self.replica = Node(folder / "b")
        self._ports = [free_port() for _ in range(3)]
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        self.url = f"redis+sentinel://{hosts}/{SERVICE}/0"
        self._stack = ExitStack()

    def __enter__(self) -> "Sentinels":
        for node in (self.primary, self.replica):
            self._stack.enter_context(node)
        self.replica.follow(self.primary)
        wait_until(lambda: self.replica.follows(self.primary), told="the replica")
        for port in self._ports:
            self._start(port)
        wait_until(self._is_ready, told="three Sentinels that know of each other")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def fail_over(self) -> None:
        """The primary dies, and what was the replica is the primary."""
        self.primary.kill()
        heir = self.replica.proxy.port
        wait_until(lambda: self._primary_by(0) == heir, 60, "a Sentinel names the successor")
        wait_until(lambda: self.replica.client.info("replication")["role"] == "master")
        self.primary, self.replica = self.replica, self.primary

    def come_back(self) -> None:
        """The one that died comes up again, and follows."""
        self.replica.start()
        self.replica.follow(self.primary)  # as a Sentinel would have it do 8 s later
        wait_until(lambda: self.replica.follows(self.primary), 60, "the old primary follows")

    def _start(self, port: int) -> None:
        folder = self._folder / f"sentinel-{port}"
        folder.mkdir()
        conf = folder / "sentinel.conf"
        conf.write_text(
            f"port {port}\nbind 127.0.0.1\n"
            f"sentinel monitor {SERVICE} 127.0.0.1 {self.primary.proxy.port} 2\n"
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}\n"
            f"sentinel failover-timeout {SERVICE} 5000\n"
        )
        process = subprocess.Popen(
            [find_server(), str(conf), "--sentinel", "--logfile", str(folder / "log")],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=end_with_parent(),
        )
        self._stack.callback(process.wait, 10)
        self._stack.callback(process.terminate)

    def _primary_by(self, sentinel: int) -> int:
        with redis.Redis(port=self._ports[sentinel]) as client:
            return int(client.sentinel_get_master_addr_by_name(SERVICE)[1])

    def _knows(self, sentinel: int) -> tuple[int, int]:
        """How many other Sentinels, and how many replicas."""
        with redis.Redis(port=self._ports[sentinel]) as client:
            others = client.sentinel_sentinels(SERVICE)
            return len(others), len(client.sentinel_slaves(SERVICE))

    def _is_ready(self) -> bool:
        try:
            return all(self._knows(number) == (2, 1) for number in range(len(self._ports)))
        except redis.RedisError:
            return False
