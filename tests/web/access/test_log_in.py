"""Log-ins by a browser, and what attackers try at them; on a real server."""

import re
from collections.abc import Iterator

import httpx
import pytest

from jober.client.people import People
from jober_web.access.csrf import csrf_token
from jober_web.access.places import own_path
from tests.web.conftest import TEST, Web

PASSWORD = "correct horse"


@pytest.fixture
def browser(web: Web) -> Iterator[httpx.Client]:
    """One of nobody; there is a user ann, an operator."""
    People(web.jober).add_user("ann", PASSWORD, "operator", TEST)
    with web.browser() as client:
        yield client


def token_in(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', page.text)
    assert found, page.text
    return found[1]


def log_in(
    client: httpx.Client, user: str = "ann", password: str = PASSWORD, **more: str
) -> httpx.Response:
    """As a browser does it: the form, then what it sends."""
    form = {"csrf_token": token_in(client.get("/login")), "user": user, "password": password}
    return client.post("/login", data={**form, **more})


def audited(web: Web) -> list[tuple[str, str, str]]:
    return [(one.who, one.action, one.outcome) for one in People(web.jober).audit()[0]]


def test_one_is_led_to_the_log_in_and_back(browser: httpx.Client) -> None:
    led = browser.get("/account?x=1")
    assert (led.status_code, led.headers["Location"]) == (303, "/login?next=/account%3Fx%3D1")
    page = browser.get(led.headers["Location"])
    assert 'name="next" value="/account?x=1"' in page.text
    done = log_in(browser, next="/account?x=1")
    assert (done.status_code, done.headers["Location"]) == (303, "/account?x=1")
    assert "ann" in browser.get("/account").text
    assert browser.get("/login").headers["Location"] == "/"


def test_a_wrong_password_is_told_on_the_form_and_what_was_typed_is_not_there(
    browser: httpx.Client, web: Web
) -> None:
    done = log_in(browser, password="wrong <b>")
    assert (done.status_code, "the name or the password is wrong" in done.text) == (401, True)
    assert 'value="ann"' in done.text
    assert "wrong &lt;b" not in done.text and "wrong <b" not in done.text
    assert browser.get("/account").status_code == 303
    unknown = log_in(browser, user="nobody")
    assert unknown.text.replace("nobody", "ann") == re.sub(
        r'value="[0-9a-f]{64}"', lambda _: f'value="{token_in(unknown)}"', done.text
    ), "who there is cannot be told from the answer"


def test_the_cookie_is_for_no_script_and_no_other_site(browser: httpx.Client) -> None:
    done = log_in(browser)
    [cookie] = [one for one in done.headers.get_list("Set-Cookie") if one.startswith("jober=")]
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= flags
    assert "secure" not in flags  # this is http, on this host
    assert not any(flag.startswith("domain") for flag in flags)


def test_a_session_that_was_planted_is_not_the_one_that_is_begun(
    browser: httpx.Client, web: Web
) -> None:
    """Neither one that there is none of, nor one that the attacker has logged in to."""
    log_in(browser)
    for planted in ("planted" * 5, browser.cookies["jober"]):
        with web.browser() as victim, web.browser() as attacker:
            for client in (victim, attacker):
                client.cookies.set("jober", planted, domain="127.0.0.1", path="/")
            secret = "a secret of the browser"
            victim.cookies.set("jober-login", secret, domain="127.0.0.1", path="/")
            form = {"user": "ann", "password": PASSWORD, "csrf_token": csrf_token(secret)}
            assert victim.post("/login", data=form).status_code == 303
            assert victim.cookies["jober"] != planted
            assert victim.get("/account").status_code == 200
            assert attacker.get("/account").status_code == 303


@pytest.mark.parametrize(
    "next",
    [
        "//evil.example/",
        "/\\evil.example/",
        "https://evil.example/",
        "javascript:alert(1)",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "evil.example",
        "///evil.example",
        "/x\r\nSet-Cookie: a=b",
        "http:evil.example",
        "/" + "x" * 5000,
        "",
    ],
)
def test_nobody_is_sent_to_another_site_by_the_log_in(browser: httpx.Client, next: str) -> None:
    done = log_in(browser, next=next)
    assert (done.status_code, done.headers["Location"]) == (303, "/")
    assert "a" not in browser.cookies
    assert browser.get("/login", params={"next": next}).headers["Location"] == "/"


def test_paths_of_this_site_are_kept_whole() -> None:
    for path in ("/", "/runs", "/runs?state=failed&x=%2F", "/a//b", "/jobs/x#y"):
        assert own_path(path, "/else") == path


def test_a_log_in_that_another_site_makes_is_refused(browser: httpx.Client, web: Web) -> None:
    """So that nobody works in a session of the attacker's without knowing."""
    form = {"user": "ann", "password": PASSWORD}
    assert browser.post("/login", data=form).status_code == 403, "no token"
    with web.browser() as attacker:
        token = token_in(attacker.get("/login"))
    assert browser.post("/login", data={**form, "csrf_token": token}).status_code == 403
    own = token_in(browser.get("/login"))
    assert browser.post("/login", data={**form, "csrf_token": token}).status_code == 403
    for header in (
        {"Origin": "https://evil.example"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        done = browser.post("/login", data={**form, "csrf_token": own}, headers=header)
        assert done.status_code == 403
        assert "jober" not in browser.cookies
    done = browser.post("/login", data={**form, "csrf_token": own}, headers={"Origin": web.url})
    assert done.status_code == 303


def test_what_another_site_makes_a_browser_send_changes_nothing(
    browser: httpx.Client, web: Web
) -> None:
    log_in(browser)
    page = browser.get("/account")
    data = {"name": "mine", "scope": "viewer", "expires": "1d"}
    with web.browser() as attacker:
        log_in(attacker)
        foreign = token_in(attacker.get("/account"))
    for wrong in ("", "0" * 64, foreign):
        done = browser.post("/account/tokens", data={**data, "csrf_token": wrong})
        assert done.status_code == 403
    own = {**data, "csrf_token": token_in(page)}
    evil = {"Origin": "https://evil.example"}
    assert browser.post("/account/tokens", data=own, headers=evil).status_code == 403
    assert browser.post("/logout").status_code == 403
    assert People(web.jober).tokens(user="ann") == []
    assert browser.post("/account/tokens", data=own).status_code == 200
    del own["csrf_token"]
    by_header = {"X-CSRF-Token": token_in(page)}
    assert browser.post("/account/tokens", data=own, headers=by_header).status_code == 200
    assert len(People(web.jober).tokens(user="ann")) == 2


def test_the_eleventh_failure_is_told_when_to_come_again(browser: httpx.Client) -> None:
    for _ in range(10):
        assert log_in(browser, password="wrong").status_code == 401
    done = log_in(browser)
    assert done.status_code == 429
    assert 0 < int(done.headers["Retry-After"]) <= 900
    assert "too many log-ins have failed" in done.text


def test_who_says_to_come_from_elsewhere_is_not_believed(browser: httpx.Client) -> None:
    for number in range(40):
        elsewhere = f"198.51.100.{number}"
        header = {"X-Forwarded-For": elsewhere, "Forwarded": f"for={elsewhere}"}
        form = {"csrf_token": token_in(browser.get("/login")), "user": f"u{number}"}
        assert browser.post("/login", data=form, headers=header).status_code == 401
    assert log_in(browser).status_code == 429


def test_one_logs_out_here_or_everywhere(browser: httpx.Client, web: Web) -> None:
    log_in(browser)
    id = browser.cookies["jober"]
    token = token_in(browser.get("/account"))
    done = browser.post("/logout", data={"csrf_token": token})
    assert (done.status_code, done.headers["Location"]) == (303, "/login")
    assert "jober" not in browser.cookies
    browser.cookies.set("jober", id)
    assert browser.get("/account").status_code == 303
    browser.cookies.delete("jober")
    with web.browser() as other:
        log_in(other)
        log_in(browser)
        token = token_in(browser.get("/account"))
        browser.post("/logout", data={"csrf_token": token, "everywhere": "1"})
        assert other.get("/account").status_code == 303


def test_another_password_is_taken_from_who_knows_the_current_one(
    browser: httpx.Client, web: Web
) -> None:
    log_in(browser)
    with web.browser() as other:
        log_in(other)
        form = {"csrf_token": token_in(browser.get("/account")), "again": "another horse"}
        for current, new, told in (
            ("wrong", "another horse", "the current password is wrong"),
            (PASSWORD, "another hors", "the two new passwords differ"),
        ):
            data = {**form, "current": current, "new": new}
            done = browser.post("/account/password", data=data)
            assert (done.status_code >= 400, told in done.text) == (True, True)
        poor = {**form, "current": PASSWORD, "new": "short", "again": "short"}
        assert "has 5 characters" in browser.post("/account/password", data=poor).text
        assert other.get("/account").status_code == 200
        good = {**form, "current": PASSWORD, "new": "another horse"}
        assert "another now" in browser.post("/account/password", data=good).text
        assert browser.get("/account").status_code == 200, "this session goes on"
        assert other.get("/account").status_code == 303, "the others have ended"
    with web.browser() as fresh:
        assert log_in(fresh).status_code == 401
        assert log_in(fresh, password="another horse").status_code == 303


def test_tokens_of_ones_own_are_made_shown_once_and_revoked(
    browser: httpx.Client, web: Web
) -> None:
    log_in(browser)
    csrf = token_in(browser.get("/account"))
    form = {"csrf_token": csrf, "name": "mine <b>", "scope": "operator", "expires": "30d"}
    page = browser.post("/account/tokens", data=form)
    found = re.search(r"<code>(jober_[a-z2-7]{10}_[A-Za-z0-9_-]{43})</code>", page.text)
    assert found
    with web.browser(found[1]) as program:
        assert program.get("/api/v1/me").json()["user"] == "ann"
    again = browser.get("/account").text
    assert found[1] not in again and "mine &lt;b&gt;" in again
    more = browser.post("/account/tokens", data={**form, "scope": "admin"})
    assert (more.status_code, "makes no token for admin" in more.text) == (422, True)
    [token] = People(web.jober).tokens(user="ann")
    other, _ = People(web.jober).make_token("of nobody", "viewer", TEST)
    refused = browser.post(f"/account/tokens/{other.id}/revoke", data={"csrf_token": csrf})
    assert refused.status_code == 404
    browser.post(f"/account/tokens/{token.id}/revoke", data={"csrf_token": csrf})
    with web.browser(found[1]) as program:
        assert program.get("/api/v1/me").status_code == 401


def test_a_token_makes_no_tokens_and_no_passwords_of_its_user(
    browser: httpx.Client, web: Web
) -> None:
    _, text = People(web.jober).make_token("t", "operator", TEST, user="ann")
    with web.browser(text) as program:
        data = {"name": "more", "scope": "operator", "expires": "1d"}
        assert program.post("/account/tokens", data=data).status_code == 403
        data = {"current": PASSWORD, "new": "another horse", "again": "another horse"}
        assert program.post("/account/password", data=data).status_code == 403


def test_a_token_that_is_wrong_is_not_made_good_by_a_cookie(
    browser: httpx.Client, web: Web
) -> None:
    log_in(browser)
    assert browser.get("/api/v1/me").json()["name"] == "ann"
    for header in ("Bearer x", "Bearer", "Basic YW5uOmNvcnJlY3QgaG9yc2U=", ""):
        answer = browser.get("/api/v1/me", headers={"Authorization": header})
        assert answer.status_code == 401, header


def test_a_secret_in_an_address_is_nobody(web: Web) -> None:
    token = web.token()
    with web.browser() as client:
        for name in ("token", "access_token", "api_key"):
            assert client.get("/api/v1/me", params={name: token}).status_code == 401


def test_a_link_logs_in_once_by_its_button_and_not_by_a_look(web: Web) -> None:
    url = web.link()
    with web.browser() as mail_scanner:
        for _ in range(2):
            assert mail_scanner.get(url).status_code == 200
        assert mail_scanner.get("/account").status_code == 303
    with web.browser() as client, web.browser() as second:
        page = client.get(url)
        secret = url.rpartition("/")[2]
        form = {"csrf_token": token_in(page), "secret": secret}
        assert client.post("/link", data={"secret": secret}).status_code == 403
        assert client.post("/link", data=form).status_code == 303
        assert client.get("/api/v1/me").json() == {
            "name": "tester",
            "scope": "admin",
            "tags": None,
            "roles": None,
            "user": None,
        }
        form = {"csrf_token": token_in(second.get(url)), "secret": secret}
        late = second.post("/link", data=form)
        assert (late.status_code, "good no more" in late.text) == (401, True)
        assert second.get("/account").status_code == 303


def test_who_did_what_is_in_the_audit_log_for_admins(browser: httpx.Client, web: Web) -> None:
    log_in(browser, password="wrong")
    log_in(browser)
    csrf = token_in(browser.get("/account"))
    browser.post("/account/tokens", data={"csrf_token": "x", "name": "n", "expires": "1d"})
    browser.post("/logout", data={"csrf_token": csrf})
    told = audited(web)
    assert told[:3] == [
        ("ann", "logout", "done"),
        ("ann", "account.tokens.create", "refused"),
        ("ann", "login", "done"),
    ] or told[:2] == [("ann", "logout", "done"), ("ann", "login", "done")]
    answer = web.client.get("/api/v1/audit", params={"action": "login", "outcome": "refused"})
    [line] = answer.json()["items"]
    assert (line["who"], line["from"], line["outcome"]) == ("ann", "127.0.0.1", "refused")
    first = web.client.get("/api/v1/audit", params={"limit": 1}).json()
    second = web.client.get("/api/v1/audit", params={"limit": 1, "cursor": first["next"]}).json()
    assert first["items"] != second["items"]
    with web.browser() as admin:
        url = web.link()
        form = {"csrf_token": token_in(admin.get(url)), "secret": url.rpartition("/")[2]}
        admin.post("/link", data=form)
        page = admin.get("/audit", params={"who": "ann"})
        assert page.status_code == 200
        assert "<td>logout</td>" in page.text


def test_tokens_are_made_and_revoked_by_programs_of_admins(web: Web) -> None:
    made = web.client.post("/api/v1/tokens", json={"name": "ci", "tags": ["deploy"]})
    assert made.status_code == 201
    with web.browser(made.json()["token"]) as program:
        assert program.get("/api/v1/me").json()["tags"] == ["deploy"]
        assert program.post("/api/v1/tokens", json={"name": "more"}).status_code == 403
    listed = web.client.get("/api/v1/tokens").json()["items"]
    assert made.json()["id"] in {one["id"] for one in listed}
    assert made.json()["token"] not in str(listed)
    assert web.client.delete(f"/api/v1/tokens/{made.json()['id']}").status_code == 204
    assert web.client.delete(f"/api/v1/tokens/{made.json()['id']}").status_code == 404
    wrong = web.client.post("/api/v1/tokens", json={"name": "ci", "scope": "root"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "scope")
