"""One message, sent: a webhook by HTTP POST, or a mail by SMTP.

A webhook is signed as GitHub signs its own, where a `secret` is named: `X-Jober-Signature-256:
sha256=<HMAC-SHA256 of the body>`. Secrets are read where this runs, at each attempt, as those of
runs are by agents: `env:NAME` from the environment, `file:/path` from a file in the folders of
secrets of this host, `credential:name` from what systemd gives the service.
"""

import hashlib
import hmac
import smtplib
import ssl
import urllib.error
import urllib.request
from dataclasses import replace
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from http.client import HTTPException
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from jober.clock import from_ms
from jober.notify import rendered, rendered_body
from jober.secret import CREDENTIAL, ENV, FILE, PREFIX, read_reference
from jober.secret_file import Secrets, SecretUnreadable
from jober.store.notices import Taken

# Where the mail server is named, as smtp://user:password@host:587/?from=jober@example.org
MAIL_VARIABLE = "JOBER_SMTP_URL"
TIMEOUT_S = 10.0
# A receiver that says so has to be asked again; of any other 4xx the next answer is the same.
_AGAIN = frozenset({408, 425, 429})


class Undeliverable(Exception):
    """A message did not arrive; `for_good` where trying again is of no use."""

    def __init__(self, problem: str, *, for_good: bool = False) -> None:
        self.for_good = for_good
        super().__init__(problem)


def send(taken: Taken, secrets: Secrets, now_ms: int) -> None:
    """Send one message. Raises Undeliverable."""
    if taken.policy.webhook is not None:
        _post(taken, resolved(taken.policy.webhook, secrets), secrets)
    else:
        _mail(taken, secrets, now_ms)


def resolved(told: str, secrets: Secrets) -> str:
    """What `env:NAME`, `file:/path` or `credential:name` names, with `secret:` before it or not;
    other text is itself. Raises Undeliverable."""
    named = told.removeprefix(PREFIX)
    if named.partition(":")[0] not in (ENV, FILE, CREDENTIAL):
        return told
    try:
        reference = read_reference(PREFIX + named)
        assert reference is not None, "it begins as one"
        return secrets.value(reference).strip()
    except ValueError as error:
        raise Undeliverable(f"{PREFIX}{named}: {error}") from None
    except SecretUnreadable as error:
        raise Undeliverable(str(error)) from None


def signature(secret: str, body: bytes) -> str:
    """As GitHub writes it: `sha256=` and the HMAC-SHA256 of the body, in hex."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        # It would go on as a GET, without the body and to another host.
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def _post(taken: Taken, address: str, secrets: Secrets) -> None:
    if urlsplit(address).scheme not in ("http", "https"):
        raise Undeliverable("its address is neither http:// nor https://")
    body = rendered_body(taken.policy, taken.facts)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "jober",
        "X-Jober-Event": taken.about,
        "X-Jober-Delivery": taken.id,
    }
    if taken.policy.secret is not None:
        secret = resolved(taken.policy.secret, secrets)
        headers["X-Jober-Signature-256"] = signature(secret, body)
    request = urllib.request.Request(address, data=body, headers=headers, method="POST")
    try:
        with _opener.open(request, timeout=TIMEOUT_S) as reply:
            reply.read(1024)
    except urllib.error.HTTPError as error:
        error.close()
        for_good = 400 <= error.code < 500 and error.code not in _AGAIN
        raise Undeliverable(f"it answered {error.code}", for_good=for_good) from None
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise Undeliverable(str(reason)) from None


def _mail(taken: Taken, secrets: Secrets, now_ms: int) -> None:
    if MAIL_VARIABLE not in secrets.environ:
        raise Undeliverable(f"{MAIL_VARIABLE} is not set where the scheduler runs")
    # Who has set it may read what it names, wherever that is: it comes from no definition.
    anywhere = replace(secrets, folders=("/",))
    server = urlsplit(resolved(secrets.environ[MAIL_VARIABLE], anywhere))
    asked = {name: values[-1] for name, values in parse_qs(server.query).items()}
    if server.scheme not in ("smtp", "smtps") or not server.hostname:
        raise Undeliverable(f"{MAIL_VARIABLE} is no smtp://host:port/?from=jober@example.org")
    sender = asked.get("from", f"jober@{server.hostname}")
    try:
        with _connected(server.scheme, server.hostname, server.port) as smtp:
            is_safe = server.scheme == "smtps"
            if not is_safe and asked.get("tls") != "none" and smtp.has_extn("starttls"):
                smtp.starttls(context=ssl.create_default_context())
                smtp.ehlo()
                is_safe = True
            if server.username:
                if not is_safe and asked.get("tls") != "none":
                    raise Undeliverable(
                        "the mail server offers no TLS, and a password is to be sent"
                    )
                smtp.login(unquote(server.username), unquote(server.password or ""))
            smtp.send_message(message(taken, sender, now_ms))
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        for_good = all(code >= 500 for code in codes)
        raise Undeliverable(f"its receivers are refused: {codes}", for_good=for_good) from None
    except (OSError, smtplib.SMTPException) as error:
        raise Undeliverable(str(error) or type(error).__name__) from None


def _connected(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    if scheme == "smtps":
        context = ssl.create_default_context()
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT_S, context=context)
    else:
        smtp = smtplib.SMTP(host, port or 25, timeout=TIMEOUT_S)
    smtp.ehlo_or_helo_if_needed()
    return smtp


def message(taken: Taken, sender: str, now_ms: int) -> EmailMessage:
    """The mail: the same id at each attempt."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = ", ".join(taken.policy.mail)
    # What a reason holds must not become another header.
    mail["Subject"] = " ".join(rendered(taken.policy.subject, taken.facts).split())[:200]
    mail["Date"] = format_datetime(from_ms(now_ms))
    domain = parseaddr(sender)[1].rpartition("@")[2] or "jober"
    mail["Message-ID"] = f"<{taken.id}.jober@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(rendered(taken.policy.text, taken.facts))
    return mail
