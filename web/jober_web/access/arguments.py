"""What `jober-web` is told of access, as arguments: read, and checked together."""

import argparse
import ipaddress
import os
import ssl
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from jober.access.session import SessionTimes
from jober.bind import Bind
from jober.client.moments import read_span_s
from jober.errors import DefinitionError, JoberError
from jober_web.access.hosts import allowed_hosts, check_bind, check_public_url, is_loopback
from jober_web.access.oidc_settings import OidcSettings, check_issuer, read_scopes
from jober_web.access.settings import AccessSettings

SECRET_VARIABLE = "JOBER_OIDC_CLIENT_SECRET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How bytes reach us: `cert` and `key` where we have the TLS ourselves; whose word on where a
    request comes from is believed (`proxies`)."""

    cert: str | None = None
    key: str | None = None
    proxies: tuple[str, ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("who may reach it, and log in")
    group.add_argument("--tls-cert", metavar="FILE", help="serve HTTPS, with this certificate")
    group.add_argument("--tls-key", metavar="FILE", help="its key (default: in the same file)")
    group.add_argument(
        "--behind-proxy",
        metavar="ADDRESS",
        action="append",
        default=[],
        help="the address or network of a proxy that has the TLS, once for each: its "
        "X-Forwarded-For and X-Forwarded-Proto are believed, and nobody else's (default: none)",
    )
    group.add_argument(
        "--public-url",
        metavar="URL",
        help="the address that people know it by, such as https://jober.example.org (default: that "
        "of this host)",
    )
    group.add_argument(
        "--session-idle",
        metavar="SPAN",
        default="12h",
        help="a session ends when nothing was asked for so long (default: 12h)",
    )
    group.add_argument(
        "--session-life", metavar="SPAN", default="7d", help="and at the latest then (default: 7d)"
    )
    oidc = parser.add_argument_group(
        "log-ins by OpenID Connect (pip install 'jober[oidc]')",
        f"The secret of the client is in {SECRET_VARIABLE}, or in a file.",
    )
    oidc.add_argument("--oidc-issuer", metavar="URL", help="the server that says who somebody is")
    oidc.add_argument("--oidc-client-id", metavar="ID", help="what it knows us by")
    oidc.add_argument("--oidc-client-secret-file", metavar="FILE", help="the secret of that client")
    oidc.add_argument(
        "--oidc-claim", metavar="NAME", default="groups", help="what decides (default: groups)"
    )
    oidc.add_argument(
        "--oidc-scope",
        metavar="VALUE=SCOPE",
        action="append",
        default=[],
        help="who has this value is a viewer, operator or admin; once for each value",
    )
    oidc.add_argument(
        "--oidc-title",
        metavar="TEXT",
        default="OpenID Connect",
        help="what stands on the button (default: OpenID Connect)",
    )


def read_access(given: argparse.Namespace, bind: Bind) -> tuple[AccessSettings, Transport]:
    """Raises DefinitionError where it does not go together, or would let passwords be read."""
    transport = _transport(given)
    check_bind(bind, has_tls=transport.cert is not None, behind_proxy=bool(transport.proxies))
    public_url = check_public_url(given.public_url) if given.public_url else None
    if public_url is None and transport.proxies:
        raise _wrong("behind-proxy", "it is not known by which address", "give --public-url too")
    if public_url is None and given.oidc_issuer and not is_loopback(bind.host):
        raise _wrong("oidc-issuer", "it is not known where to come back to", "give --public-url")
    has_tls = transport.cert is not None or (public_url or "").startswith("https:")
    settings = AccessSettings(
        hosts=allowed_hosts(bind, public_url),
        public_url=public_url,
        has_tls=has_tls,
        times=SessionTimes(
            idle_s=_span_s(given.session_idle, "session-idle"),
            absolute_s=_span_s(given.session_life, "session-life"),
        ),
        oidc=_oidc(given) if given.oidc_issuer else None,
    )
    return settings, transport


def _transport(given: argparse.Namespace) -> Transport:
    if given.tls_key and not given.tls_cert:
        raise _wrong("tls-key", "there is a key, and no certificate", "give --tls-cert too")
    if given.tls_cert:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                given.tls_cert, given.tls_key
            )
        except (OSError, ValueError) as error:
            told = getattr(error, "strerror", None) or str(error)
            raise _wrong(
                "tls-cert",
                f"{given.tls_cert} is not a certificate with its key: {told}",
                "PEM files, the certificate of this host first",
            ) from None
    for address in given.behind_proxy:
        try:
            ipaddress.ip_network(address)
        except ValueError:
            raise _wrong(
                "behind-proxy",
                f"'{address[:100]}' is no address and no network",
                "as 127.0.0.1 or 10.0.0.0/24",
            ) from None
    return Transport(cert=given.tls_cert, key=given.tls_key, proxies=tuple(given.behind_proxy))


def _oidc(given: argparse.Namespace) -> OidcSettings:
    if find_spec("authlib") is None:
        raise JoberError("log-ins by OpenID Connect want Authlib (pip install 'jober[oidc]')")
    if not given.oidc_client_id:
        raise _wrong("oidc-client-id", "it is missing", "what the server knows us by")
    secret = os.environ.get(SECRET_VARIABLE, "")
    if file := given.oidc_client_secret_file:
        try:
            secret = Path(file).read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            raise _wrong(
                "oidc-client-secret-file", f"{file} cannot be read: {error}", "a file with a line"
            ) from None
    if not secret:
        raise _wrong(
            "oidc-client-secret-file",
            "there is no secret",
            f"name a file that has it, or set {SECRET_VARIABLE}",
        )
    return OidcSettings(
        issuer=check_issuer(given.oidc_issuer),
        client_id=given.oidc_client_id,
        client_secret=secret,
        claim=given.oidc_claim,
        scopes=read_scopes(given.oidc_scope),
        title=given.oidc_title,
    )


def _span_s(text: str, field: str) -> int:
    seconds = read_span_s(text, field)
    if not 60 <= seconds <= 366 * 86_400:
        raise _wrong(field, f"{text} is too short or too long", "from a minute to a year")
    return int(seconds)


def _wrong(field: str, problem: str, mend: str) -> DefinitionError:
    return DefinitionError(problem, field=field, mend=mend)
