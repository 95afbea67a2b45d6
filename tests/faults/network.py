"""Several hosts on one machine: each in a network namespace of its own, with an address, and a
cable to a switch that can lose what goes either way.

    with Network() as network:
        alpha = network.host("alpha")
        with alpha.entered():
            ...                     # what is started here is on alpha, and sees its network alone
        alpha.cut()

Nothing of it is on the machine's own network. The namespaces have no names: the kernel removes them
with their cables when this process is gone and the last one in them has ended. What a test process
that was killed has left running is ended by the next one that makes a network.

The switch loses frames by nftables, and without a word: neither end is told, as where a cable is
cut in the middle. Linux, as root, with iproute2 and nftables (`make test` installs them).
"""

import ctypes
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import pytest

from jober.embedded import RedisServer
from jober.store import Store
from jober_worker.kernel import all_processes, variables_of
from jober_worker.leftovers import lives, mark
from jober_worker.processes import send
from tests.waiting import wait_until

# Which test process has started a process: as long as it lives, it sees to it.
OWNER = "JOBER_TEST_NETWORK"
_CLONE_NEWNET = 0x40000000
# Addresses that are for examples: they are nowhere else.
_SUBNET = "192.0.2"
_REDIS_PORT = 6379
_TOOLS = {"ip": "iproute2", "tc": "iproute2", "nft": "nftables"}


class NoNetwork(Exception):
    """Why this machine, or this user, cannot have networks of its own."""


class Host:
    """One host of a network: its `name`, its `address`."""

    def __init__(self, switch: int, name: str, number: int) -> None:
        self.name = name
        self.address = f"{_SUBNET}.{number}"
        self.namespace = _new_namespace()
        self._switch = switch
        self._port = f"port{number}"
        own = f"/proc/{os.getpid()}/fd/{self.namespace}"
        _tell(
            switch,
            f"link add {self._port} type veth peer name eth0 netns {own}",
            f"link set {self._port} master switch up",
        )
        _tell(
            self.namespace,
            "link set lo up",
            "link set eth0 up",
            f"address add {self.address}/24 dev eth0",
        )

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be on this host: sockets that are opened and processes that are started, by this thread,
        are on its network."""
        before = os.environ.get(OWNER)
        os.environ[OWNER] = mark()
        try:
            with _inside(self.namespace):
                yield
        finally:
            if before is None:
                del os.environ[OWNER]
            else:
                os.environ[OWNER] = before

    def lose(self, *, sent: int = 0, received: int = 0) -> None:
        """Lose so many percent of what the host sends, and of what is sent to it, from now on."""
        directions = (("ingress", sent), ("egress", received))
        chains = "".join(
            f"chain {hook} {{ type filter hook {hook} device {self._port} priority 0; "
            f"numgen random mod 100 <= {percent - 1} drop; }}\n"
            for hook, percent in directions
            if percent
        )
        # In one step: what was lost before is not let through in between.
        table = f"netdev {self._port}"
        _run(
            self._switch,
            ["nft", "-f", "-"],
            f"table {table}\ndelete table {table}\ntable {table} {{\n{chains}}}\n",
        )

    def cut(self) -> None:
        """Pull the cable: all is lost, both ways."""
        self.lose(sent=100, received=100)

    def slow(self, kilobits_per_s: int) -> None:
        """Have all that is sent to the host wait for a slow line."""
        rate = f"rate {kilobits_per_s}kbit burst 3200 latency 10s"
        _run(self._switch, f"tc qdisc replace dev {self._port} root tbf {rate}".split())

    def heal(self) -> None:
        """Lose nothing, and be fast, from now on."""
        self.lose()
        if "tbf" in _run(self._switch, f"tc qdisc show dev {self._port}".split()):
            _run(self._switch, f"tc qdisc del dev {self._port} root".split())


class Network:
    """Hosts, and the switch between them. Raises NoNetwork where there can be none."""

    def __init__(self) -> None:
        for tool, package in _TOOLS.items():
            if shutil.which(tool) is None:
                raise NoNetwork(f"the program {tool} is missing: apt install {package}")
        clear_leftovers()
        self.hosts: list[Host] = []
        self._switch = _new_namespace()
        _tell(self._switch, "link add switch type bridge", "link set switch up")

    def __enter__(self) -> "Network":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all that is still on the hosts, and remove them."""
        namespaces = [host.namespace for host in self.hosts]
        ours = {os.fstat(namespace).st_ino for namespace in namespaces}

        def kill_all() -> bool:
            left = [pid for pid in all_processes() if _network_of(pid) in ours]
            send(left, signal.SIGKILL)
            return not left

        wait_until(kill_all, told="all on the hosts has ended")
        for namespace in (*namespaces, self._switch):
            os.close(namespace)

    def host(self, name: str) -> Host:
        """Another host, which reaches all the others."""
        host = Host(self._switch, name, len(self.hosts) + 1)
        self.hosts.append(host)
        return host


@contextmanager
def redis_on(host: Host, *, durable: bool = False) -> Iterator[tuple[RedisServer, str]]:
    """A Redis on a host, and its address for the others. By its own `url`, which is a socket in a
    folder, tests reach it whatever becomes of the network."""
    with host.entered():
        server = RedisServer(durable=durable).start()
    try:
        store = Store(server.url)
        for setting in (("protected-mode", "no"), ("bind", host.address), ("port", _REDIS_PORT)):
            store.connection.command("CONFIG", "SET", *setting)
        store.close()
        yield server, f"redis://{host.address}:{_REDIS_PORT}/0"
    finally:
        server.stop()


@contextmanager
def network_or_told() -> Iterator[Network]:
    """A network; where there can be none the test is skipped, and says why. In CI it fails."""
    try:
        network = Network()
    except NoNetwork as error:
        told = f"tests of several hosts need root, iproute2 and nftables: {error}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(told)
    with network:
        yield network


def clear_leftovers() -> list[int]:
    """Kill what test processes that are gone have left on their hosts; tells the pids."""
    owners = {pid: variables_of(pid, OWNER).get(OWNER) for pid in all_processes()}
    left = [pid for pid, owner in owners.items() if owner and not lives(owner)]
    send(left, signal.SIGKILL)
    return left


def _network_of(pid: int) -> int | None:
    """What stands for the network that a process is on; None where it has ended."""
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino
    except OSError:
        return None


def _new_namespace() -> int:
    """A descriptor of a new network namespace. It is made in a thread, which leaves ours alone."""
    made: list[int] = []
    failed: list[OSError] = []

    def make() -> None:
        try:
            _call("unshare", _CLONE_NEWNET)
            made.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if failed:
        raise NoNetwork(f"no network namespace can be made, which root may: {failed[0].strerror}")
    return made[0]


@contextmanager
def _inside(namespace: int) -> Iterator[None]:
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        _call("setns", namespace, _CLONE_NEWNET)
        try:
            yield
        finally:
            _call("setns", own, _CLONE_NEWNET)
    finally:
        os.close(own)


def _call(name: str, *arguments: int) -> None:
    """Call a function of the C library. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _tell(namespace: int, *commands: str) -> None:
    """Have `ip` carry out commands in a namespace."""
    _run(namespace, ["ip", "-batch", "-"], "".join(f"{command}\n" for command in commands))


def _run(namespace: int, argv: list[str], given: str = "") -> str:
    """What a program says that is run in a namespace. Raises NoNetwork where it fails."""
    with _inside(namespace):
        done = subprocess.run(argv, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoNetwork(f"{' '.join(argv)} failed: {done.stderr.strip()}\n{given}")
    return done.stdout
