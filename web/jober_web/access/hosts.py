"""Where it may be served, and under which names: refused is what would send passwords in the clear,
or let a page of another site reach us by a name of its own (DNS rebinding)."""

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from jober.bind import Bind
from jober.errors import DefinitionError

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253})(?::\d{1,5})?")


def is_loopback(host: str) -> bool:
    """Whether only this host can reach it there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_bind(bind: Bind, *, has_tls: bool, behind_proxy: bool) -> None:
    """Raises DefinitionError where others would reach it without encryption."""
    if not (is_loopback(bind.host) or has_tls or behind_proxy):
        raise DefinitionError(
            f"{bind} can be reached from other hosts, and passwords would cross the network in the "
            "clear",
            field="bind",
            value=str(bind),
            mend="give --tls-cert and --tls-key, or --behind-proxy where a proxy has the TLS, or "
            "bind to 127.0.0.1",
        )


def check_public_url(text: str) -> str:
    """The address that people know us by, without a slash at its end. Raises DefinitionError."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.netloc) or parts.query:
        raise DefinitionError(
            f"'{text[:100]}' is not the address of a site",
            field="public-url",
            value=text,
            mend="as https://jober.example.org, or https://example.org/jober",
        )
    return text.rstrip("/")


def allowed_hosts(bind: Bind, public_url: str | None) -> frozenset[str]:
    """The names that a request may be for: those of this host, and that of the public address."""
    names = {"localhost", bind.host.lower()}
    if not is_loopback(bind.host):
        names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    if public_url:
        names.add((urlsplit(public_url).hostname or "").lower())
    return frozenset(names)


def is_allowed(header: str, names: frozenset[str]) -> bool:
    """Whether a request may be for this `Host`. An address is no name, so nobody can have given it
    to us."""
    found = _HOST.fullmatch(header)
    if found is None:
        return False
    host = found[1].strip("[]").lower()
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.rstrip(".") in names
    return True
