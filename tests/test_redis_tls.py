"""A fleet whose Redis is reached by TLS alone, with certificates for both ends."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from jober import Jober
from jober.errors import RedisUnavailable
from tests.fleet import Fleet
from tests.free_port import free_port
from tests.redis_seven import server

PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Tls:
    """A server that wants a certificate of its clients, and the files of each side."""

    port: int
    authority: Path
    client: Path

    @property
    def url(self) -> str:
        return (
            f"rediss://127.0.0.1:{self.port}/0?ssl_ca_certs={self.authority}"
            f"&ssl_certfile={self.client}&ssl_keyfile={self.client}"
        )


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[Tls]:
    folder = tmp_path / "tls"
    folder.mkdir()
    authority, port = trustme.CA(), free_port()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    for name, host in (("server", "127.0.0.1"), ("client", "jober")):
        authority.issue_cert(host).private_key_and_cert_chain_pem.write_to_path(
            str(folder / f"{name}.pem")
        )
    pem = str(folder / "server.pem")
    with server(
        folder,
        *("--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1"),
        *("--tls-cert-file", pem, "--tls-key-file", pem),
        *("--tls-ca-cert-file", str(folder / "ca.pem"), "--tls-auth-clients", "yes"),
    ):
        yield Tls(port, folder / "ca.pem", folder / "client.pem")


def test_a_fleet_works_by_tls_as_without(tls: Tls, tmp_path: Path) -> None:
    fleet = Fleet(tls.url, tmp_path)
    try:
        fleet.scheduler()
        fleet.agent("db1", "db")
        fleet.jober.add_job("echo hello", name="nightly", shell=True, roles=["db"], every=1)
        run = fleet.jober.run("nightly")
        assert run.wait(PATIENCE_S).state == "success"
        assert run.output.lines() == ["hello"]
        assert "".join(run.output.follow(PATIENCE_S)).strip() == "hello"
        fleet.jober.events(after="0")
    finally:
        fleet.stop()
        print(fleet.logs())  # noqa: T201 - shown where it fails


@pytest.mark.parametrize(
    ("without", "words"),
    [
        # The server says why, or has gone before it is heard.
        (r"&ssl_certfile=.*", "certificate required|violation of protocol|Connection"),
        (r"\?ssl_ca_certs=[^&]*&", "certificate verify failed"),
        (r"(?<=^redis)s", "Connection"),
    ],
)
def test_who_has_not_what_it_takes_is_told_so_in_a_line(without: str, words: str, tls: Tls) -> None:
    url = re.sub(without, "?" if "ca_certs" in without else "", tls.url)
    url = re.sub(r"\?.*", "", url) if url.startswith("redis:") else url
    with Jober(url) as jober, pytest.raises(RedisUnavailable, match=f"(?i){words}"):
        jober.leader()
