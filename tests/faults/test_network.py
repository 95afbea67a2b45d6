"""The network that other tests use does what it says, and leaves nothing behind."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from jober_worker.kernel import read_process
from tests.faults import network as networks
from tests.faults.network import Host, Network, network_or_told
from tests.fleet import ROOT
from tests.waiting import wait_until

PORT = 4000
# What is lost without a word is waited for so long, and what arrives at the most so long.
LOST_S = 0.3
ARRIVES_S = 10.0
OTHER_TEST = """
import subprocess, time
from tests.faults.network import Network
network = Network()
with network.host("alpha").entered():
    print(subprocess.Popen(["sleep", "600"]).pid, flush=True)
time.sleep(600)
"""


def is_gone(pid: int) -> bool:
    process = read_process(pid)
    return process is None or process.has_ended


class Ear:
    """Listens on a host, to datagrams and to connections."""

    def __init__(self, host: Host) -> None:
        self.host = host
        with host.entered():
            self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.datagrams.bind((host.address, PORT))
            self.server = socket.create_server((host.address, PORT))

    def __enter__(self) -> "Ear":
        return self

    def __exit__(self, *_: object) -> None:
        self.datagrams.close()
        self.server.close()

    def hears(self, other: Host, said: bytes, within_s: float = ARRIVES_S) -> bool:
        """Whether a datagram of another host arrives."""
        with other.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
            mouth.sendto(said, (self.host.address, PORT))
        self.datagrams.settimeout(within_s)
        try:
            return self.datagrams.recv(100) == said
        except TimeoutError:
            return False

    def is_reached_from(self, other: Host, within_s: float = ARRIVES_S) -> bool:
        """Whether another host gets a connection."""
        with other.entered():
            try:
                socket.create_connection((self.host.address, PORT), within_s).close()
            except OSError:
                return False
            return True


def test_each_host_reaches_each_other_by_its_address_and_this_machine_none(
    network: Network,
) -> None:
    hosts = [network.host(name) for name in ("alpha", "beta", "redis")]
    assert len({host.address for host in hosts}) == 3
    for host in hosts:
        with Ear(host) as ear:
            assert all(ear.is_reached_from(other) for other in hosts)
            with pytest.raises(OSError):
                socket.create_connection((host.address, PORT), LOST_S).close()


def test_who_is_cut_off_reaches_nobody_until_it_is_healed_and_the_others_go_on(
    network: Network,
) -> None:
    alpha, beta, redis = (network.host(name) for name in ("alpha", "beta", "redis"))
    with Ear(redis) as ear:
        alpha.cut()
        assert not ear.is_reached_from(alpha, LOST_S)
        assert ear.is_reached_from(beta)
        alpha.heal()
        wait_until(lambda: ear.is_reached_from(alpha), told="it is healed")


def test_a_connection_that_is_cut_is_told_nothing_and_goes_on_when_it_is_healed(
    network: Network,
) -> None:
    alpha, redis = network.host("alpha"), network.host("redis")
    with Ear(redis) as ear, alpha.entered():
        mouth = socket.create_connection((redis.address, PORT), 5)
        heard, _ = ear.server.accept()
        with mouth, heard:
            alpha.cut()
            mouth.sendall(b"lost, and sent again")
            heard.settimeout(LOST_S)
            with pytest.raises(TimeoutError):
                heard.recv(100)
            alpha.heal()
            heard.settimeout(15)
            assert heard.recv(100) == b"lost, and sent again"


def test_what_a_host_sends_may_be_lost_and_what_it_is_sent_not_and_the_other_way_round(
    network: Network,
) -> None:
    alpha, beta = network.host("alpha"), network.host("beta")
    with Ear(alpha) as of_alpha, Ear(beta) as of_beta:
        # Each knows the other's hardware by now; to ask for it takes both ways.
        assert of_beta.hears(alpha, b"0") and of_alpha.hears(beta, b"0")
        alpha.lose(sent=100)
        assert not of_beta.hears(alpha, b"1", LOST_S)
        assert of_alpha.hears(beta, b"2")
        alpha.lose(received=100)
        assert of_beta.hears(alpha, b"3")
        assert not of_alpha.hears(beta, b"4", LOST_S)
        assert not of_alpha.is_reached_from(beta, LOST_S)
        assert not of_beta.is_reached_from(alpha, LOST_S)


def test_a_share_of_what_is_sent_is_lost(network: Network) -> None:
    alpha, beta = network.host("alpha"), network.host("beta")
    with Ear(beta) as ear:
        assert ear.hears(alpha, b"0")
        alpha.lose(sent=50)
        arrived = 0
        with alpha.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
            for _ in range(10):
                # No more than the kernel keeps for a socket that is not read.
                for _ in range(100):
                    mouth.sendto(b"1", (beta.address, PORT))
                ear.datagrams.settimeout(LOST_S / 10)
                with pytest.raises(TimeoutError):
                    while ear.datagrams.recv(100):
                        arrived += 1
        # Of a thousand, half are lost: less than one of 10^20 times is beyond.
        assert 350 < arrived < 650


def test_a_slow_line_lets_all_through_in_time(network: Network) -> None:
    alpha, beta = network.host("alpha"), network.host("beta")
    with Ear(alpha) as ear, beta.entered():
        alpha.slow(kilobits_per_s=800)
        mouth = socket.create_connection((alpha.address, PORT), 5)
        heard, _ = ear.server.accept()
        with mouth, heard:
            mouth.sendall(b"x" * 40_000)
            # 0.4 s of the line: it cannot be there by now.
            heard.settimeout(0.05)
            got = 0
            with pytest.raises(TimeoutError):
                while data := heard.recv(100_000):
                    got += len(data)
                    heard.settimeout(0.001)
            heard.settimeout(15)
            assert got < 40_000
            while got < 40_000:
                got += len(heard.recv(100_000))


def test_what_is_started_on_a_host_ends_with_the_network_whatever_it_did_to_get_away(
    network: Network,
) -> None:
    with Network() as other, other.host("alpha").entered():
        told = subprocess.check_output(["sh", "-c", "setsid sleep 600 >/dev/null & echo $!"])
        assert not is_gone(int(told))
    assert is_gone(int(told))


def test_what_a_test_process_that_was_killed_has_left_is_ended_by_the_next_one(
    network: Network,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_TEST], cwd=ROOT, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        pid = int(other.stdout.readline())
        assert networks.clear_leftovers() == [], "its owner lives"
        other.kill()
    assert not is_gone(pid), "nobody was there to end it"
    Network().__exit__(None, None, None)
    wait_until(lambda: is_gone(pid), told="its end")


def test_who_may_make_no_network_is_told_what_it_takes(
    network: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make = "from tests.faults.network import Network\nNetwork()"
    done = subprocess.run(
        ["setpriv", "--bounding-set=-sys_admin", sys.executable, "-c", make],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "no network namespace can be made, which root may" in done.stderr
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt install iproute2"), network_or_told():
        pass
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt install iproute2"), network_or_told():
        pass
