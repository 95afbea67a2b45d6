"""`jober-web` as a process: where it listens, what it says to browsers, whom it believes."""

import ssl
import subprocess
from pathlib import Path

import httpx
import pytest

from jober.bind import Bind
from jober.client.people import People
from jober_web.access.hosts import allowed_hosts, is_allowed
from tests.fleet import BIN, Fleet
from tests.waiting import wait_until
from tests.web.conftest import TEST, Web

PUBLIC = ("--public-url", "https://jober.example.org")


def started(fleet: Fleet, *arguments: str) -> str:
    """The address that the daemon tells."""
    fleet.start("jober-web", "--bind", "127.0.0.1:0", *arguments)
    log = sorted(fleet.folder.glob("jober-web-*.log"))[-1]

    def address() -> str | None:
        words = log.read_text().split()
        return next((word for word in words if word.startswith(("http://", "https://"))), None)

    return wait_until(address, 60).rstrip("/")


def cookie_flags(answer: httpx.Response, name: str) -> set[str]:
    [found] = [one for one in answer.headers.get_list("Set-Cookie") if one.startswith(f"{name}=")]
    return {part.strip().lower() for part in found.split(";")[1:]}


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for this host, and its key, in one file."""
    file = tmp_path / "web.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    made += ["-nodes", "-days", "1", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    key = tmp_path / "key.pem"
    subprocess.run([*made, "-keyout", key, "-out", file], check=True, capture_output=True)
    file.write_text(file.read_text() + key.read_text())
    return file


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--bind", "0.0.0.0:0"], "passwords would cross the network in the clear"),
        (["--bind", "[::]:0"], "give --tls-cert and --tls-key, or --behind-proxy"),
        (["--bind", "192.0.2.1:80", *PUBLIC], "bind: 192.0.2.1:80 can be reached"),
        (["--behind-proxy", "10.0.0.1"], "give --public-url too"),
        (["--behind-proxy", "the-proxy", *PUBLIC], "'the-proxy' is no address and no network"),
        (["--tls-cert", "/nowhere.pem"], "tls-cert: /nowhere.pem is not a certificate"),
        (["--tls-key", "/nowhere.pem"], "there is a key, and no certificate"),
        (["--public-url", "jober.example.org"], "is not the address of a site"),
        (["--session-idle", "1s"], "session-idle: 1s is too short"),
        (["--oidc-issuer", "https://login.example.org"], "oidc-client-id: it is missing"),
        (
            ["--oidc-issuer", "https://login.example.org", "--oidc-client-id", "jober"],
            "or set JOBER_OIDC_CLIENT_SECRET",
        ),
    ],
)
def test_what_would_let_passwords_be_read_is_refused(arguments: list[str], told: str) -> None:
    done = subprocess.run([str(BIN / "jober-web"), *arguments], capture_output=True, text=True)
    assert (done.returncode, told in done.stderr) == (78, True), done.stderr
    assert done.stderr.count("\n") == 1


def test_with_a_certificate_all_is_encrypted_and_cookies_say_so(
    fleet: Fleet, certificate: Path
) -> None:
    url = started(fleet, "--tls-cert", str(certificate))
    assert url.startswith("https://")
    trusted = ssl.create_default_context(cafile=str(certificate))
    with httpx.Client(base_url=url, verify=trusted) as client:
        page = client.get("/login")
        assert "max-age=" in page.headers["Strict-Transport-Security"]
        flags = cookie_flags(page, "__Host-jober-login")
        assert {"secure", "httponly", "samesite=strict", "path=/"} <= flags
    plain = url.replace("https://", "http://")
    with pytest.raises(httpx.HTTPError):
        httpx.get(plain)


def test_a_proxy_is_believed_and_nobody_else(fleet: Fleet) -> None:
    People(fleet.jober).add_user("ann", "correct horse", "admin", TEST)
    for proxy, seen in (("127.0.0.1", "198.51.100.7"), ("10.0.0.0/8", "127.0.0.1")):
        url = started(fleet, "--behind-proxy", proxy, *PUBLIC)
        headers = {
            "Host": "jober.example.org",
            "X-Forwarded-For": "198.51.100.7",
            "X-Forwarded-Proto": "https",
            "Origin": "https://jober.example.org",
        }
        with httpx.Client(base_url=url, headers=headers) as client:
            page = client.get("/login")
            assert "secure" in cookie_flags(page, "__Host-jober-login")
            token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
            secret = page.cookies["__Host-jober-login"]
            form = {"csrf_token": token, "user": "ann", "password": "correct horse"}
            done = client.post(
                "/login", data=form, headers={"Cookie": f"__Host-jober-login={secret}"}
            )
            assert done.status_code == 303, done.text
            assert "secure" in cookie_flags(done, "__Host-jober")
        assert People(fleet.jober).audit(1)[0][0].address == seen


def test_nothing_secret_is_in_the_log(fleet: Fleet) -> None:
    People(fleet.jober).add_user("ann", "correct horse", "admin", TEST)
    _, token = People(fleet.jober).make_token("t", "admin", TEST)
    url = started(fleet, "--log-level", "debug")
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        assert client.get("/api/v1/me").status_code == 200
        client.get("/api/v1/me", params={"token": token})
        client.get("/link/a-secret-of-a-link")
        client.post("/login", data={"user": "ann", "password": "correct horse"})
    assert token not in fleet.logs()
    assert "a-secret-of-a-link" not in fleet.logs()
    assert "correct horse" not in fleet.logs()


def test_a_name_that_it_is_not_known_by_is_refused(fleet: Fleet) -> None:
    """So that a page of another site, whose name now leads here, cannot read a thing."""
    url = started(fleet)
    port = url.rpartition(":")[2]
    for host in (f"evil.example:{port}", "evil.example", "127.0.0.1.evil.example", "", "a b"):
        answer = httpx.get(f"{url}/login", headers={"Host": host})
        assert answer.status_code in (400, 421), host
        assert "Set-Cookie" not in answer.headers
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", "LOCALHOST"):
        assert httpx.get(f"{url}/login", headers={"Host": host}).status_code == 200


def test_where_one_is_led_is_never_made_of_the_name_that_was_asked_for(web: Web) -> None:
    with web.browser() as client:
        led = client.get("/account", headers={"Host": "evil.example"})
    assert led.headers["Location"] == "/login?next=/account"


@pytest.mark.parametrize("path", ["/login", "/nowhere", "/api/v1/nowhere", "/api/v1/me", "/jobs"])
def test_every_answer_tells_browsers_what_they_may_not(web: Web, path: str) -> None:
    with web.browser() as client:
        headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers
    assert "Access-Control-Allow-Origin" not in headers
    assert "Server" not in headers or "uvicorn" in headers["Server"]


def test_what_is_too_large_is_not_read(web: Web) -> None:
    with web.browser() as client:
        assert client.post("/login", content=b"x" * 20_000).status_code == 413
        chunks = (b"user=" + b"x" * 4096 for _ in range(10))
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/login", content=chunks, headers=form).status_code == 413
    large = web.client.post("/api/v1/tokens", content=b" " * (9 * 1024 * 1024))
    assert large.status_code == 413


def test_names_that_a_request_may_be_for() -> None:
    names = allowed_hosts(Bind("0.0.0.0", 8900), "https://jober.example.org/sub")
    for host in ("jober.example.org", "JOBER.example.org:443", "192.0.2.7:8900", "[::1]:8900"):
        assert is_allowed(host, names), host
    for host in (
        "evil.example",
        "jober.example.org.evil.example",
        "",
        "a b",
        "x@jober.example.org",
    ):
        assert not is_allowed(host, names), host
