"""Redis as `deploy/` ships it for high availability: three servers and three Sentinels, by TLS
alone, with a user for each part. The files are those that `make-secrets.sh` makes, in a folder for
each server, with its ports; nothing else is told to them."""

import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import redis

from tests.free_port import free_port
from tests.redis_seven import redis_seven
from tests.waiting import wait_until

ADDRESS = "127.0.0.1"
SERVICE = "mymaster"
DOWN_AFTER_MS = 2_000


class HighlyAvailable:
    """`servers` by port; the first is the primary. `secrets` is what has been made."""

    def __init__(self, secrets: Path, folder: Path) -> None:
        self.secrets = secrets
        self.servers: dict[int, subprocess.Popen[bytes]] = {}
        self.sentinels: list[int] = []
        self._folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> "HighlyAvailable":
        try:
            self._start_all()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def url(self, part: str) -> str:
        """The address for a part of jober: each has a user, and a file with its password."""
        hosts = ",".join(f"{ADDRESS}:{port}" for port in self.sentinels)
        return (
            f"rediss+sentinel://{part}@{hosts}/{SERVICE}/0"
            f"?ssl_ca_certs={self.secrets}/tls/ca.pem&wait_replicas=1"
            f"&password_file={self.secrets}/{part}.password"
            f"&sentinel_password_file={self.secrets}/watchers.password"
        )

    def primary(self) -> int:
        """Its port, as a Sentinel tells it."""
        with self._client(self.sentinels[0], "watchers") as client:
            return int(client.sentinel_get_master_addr_by_name(SERVICE)[1])

    def fail_over(self) -> None:
        """The primary dies, and another takes its place."""
        dead = self.primary()
        self.servers[dead].kill()
        self.servers.pop(dead).wait()
        wait_until(lambda: self.primary() != dead, 60, "a successor")

    def refused(self) -> set[str]:
        """Who was refused what, by the logs of the servers that live."""
        found = set()
        for port in self.servers:
            with self._client(port, "administrator") as client:
                found |= {f"{one['username']}: {one['object']}" for one in client.acl_log()}
        return found

    def _start_all(self) -> None:
        first, *others = (free_port() for _ in range(3))
        self._start("ha.conf", first, first)
        for port in others:
            self._start("ha.conf", port, first, follows=True)
        wait_until(lambda: self._told(first, "connected_slaves") == 2, 30, "two replicas")
        self.sentinels = [free_port() for _ in range(3)]
        for port in self.sentinels:
            self._start("sentinel.conf", port, first, "--sentinel")
        wait_until(self._is_watched, 30, "three Sentinels that know of each other")

    def _start(
        self, name: str, port: int, primary: int, *arguments: str, follows: bool = False
    ) -> None:
        folder = self._folder / f"redis-{port}"
        shutil.copytree(self.secrets, folder)
        conf = folder / name
        text = conf.read_text("utf-8")
        for shipped, own in {
            "/etc/redis/": f"{folder}/",
            "bind * -::*": f"bind {ADDRESS}",
            "tls-port 6379": f"tls-port {port}",
            "tls-port 26379": f"tls-port {port}",
            "monitor mymaster redis-1 6379": f"monitor {SERVICE} {ADDRESS} {primary}",
            "down-after-milliseconds mymaster 5000": f"down-after-milliseconds {SERVICE} "
            f"{DOWN_AFTER_MS}",
        }.items():
            text = text.replace(shipped, own)
        conf.write_text(text + f"replicaof {ADDRESS} {primary}\n" * follows)
        with (folder / "users.acl").open("a") as file:
            # Who looks on for the test.
            file.write("user administrator on >secret ~* &* +@all\n")
        (folder / "administrator.password").write_text("secret\n")
        program = redis_seven()
        process = subprocess.Popen(
            [program.path, str(conf), *arguments, "--logfile", str(folder / "log")],
            cwd=folder,
            env=program.environ,
            stdout=subprocess.DEVNULL,
        )
        self._stack.callback(process.wait, 30)
        self._stack.callback(process.kill)
        if name == "ha.conf":
            self.servers[port] = process

    def _client(self, port: int, user: str) -> redis.Redis:
        folder = self._folder / f"redis-{port}"
        return redis.Redis(
            host=ADDRESS,
            port=port,
            username=None if user == "watchers" else user,
            password=(folder / f"{user}.password").read_text().strip(),
            ssl=True,
            ssl_ca_certs=str(self.secrets / "tls" / "ca.pem"),
        )

    def _told(self, port: int, fact: str) -> object:
        try:
            with self._client(port, "administrator") as client:
                return client.info("replication")[fact]
        except redis.RedisError:
            return None

    def _is_watched(self) -> bool:
        try:
            for port in self.sentinels:
                with self._client(port, "watchers") as client:
                    told = client.sentinel_master(SERVICE)
                    if (told["num-slaves"], told["num-other-sentinels"]) != (2, 2):
                        return False
        except redis.RedisError:
            return False
        return True
