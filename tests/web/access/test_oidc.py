"""Log-ins by OpenID Connect, with a real provider."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from jober import Jober
from jober.access import Scope
from jober.client.people import People
from jober.embedded import RedisServer
from jober.errors import DefinitionError
from jober_web import create_app
from jober_web.access.oidc_settings import OidcSettings, check_issuer, read_scopes
from jober_web.access.settings import AccessSettings
from jober_web.settings import Settings
from tests.web.access.provider import CLIENT, SECRET, Provider, providing
from tests.web.conftest import TEST, serving


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A server of ours, and the provider that it asks."""

    url: str
    jober: Jober
    provider: Provider


@pytest.fixture
def site(redis_server: RedisServer) -> Iterator[Site]:
    with providing() as provider, Jober(redis_server.url) as jober:
        oidc = OidcSettings(
            issuer=provider.url,
            client_id=CLIENT,
            client_secret=SECRET,
            claim="groups",
            scopes=read_scopes(["admins=admin", "team=viewer"]),
            title="Our login",
        )
        provider.claims = {"sub": "8423-1a", "preferred_username": "ann", "groups": ["admins"]}
        with serving(create_app(jober, Settings(access=AccessSettings(oidc=oidc)))) as url:
            yield Site(url=url, jober=jober, provider=provider)


@pytest.fixture
def browser(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url, timeout=30) as client:
        yield client


def begin(browser: httpx.Client, next: str = "/jobs") -> httpx.Response:
    """Press the button of the log-in page."""
    page = browser.get("/login", params={"next": next})
    assert "Log in with Our login" in page.text
    token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', page.text)
    assert token
    return browser.post("/login/oidc", data={"csrf_token": token[1], "next": next})


def come_back(led: httpx.Response) -> str:
    """Where the provider sends the browser, which has no cookies of ours for it."""
    answer = httpx.get(led.headers["Location"])
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def is_in(browser: httpx.Client) -> bool:
    return browser.get("/api/v1/me").status_code == 200


def test_who_the_provider_vouches_for_is_let_in_with_the_scope_of_their_group(
    site: Site, browser: httpx.Client
) -> None:
    page = browser.get("/login")
    assert f"form-action 'self' {site.provider.url};" in page.headers["Content-Security-Policy"]
    led = begin(browser, "/jobs?q=x")
    asked = parse_qs(urlsplit(led.headers["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["openid profile email"]
    assert len(asked["state"][0]) >= 43 and len(asked["nonce"][0]) >= 43
    done = browser.get(come_back(led))
    assert (done.status_code, done.headers["Location"]) == (303, "/jobs?q=x")
    me = browser.get("/api/v1/me").json()
    assert (me["name"], me["scope"], me["user"]) == ("oidc:8423-1a", "admin", None)
    [line] = [one for one in People(site.jober).audit()[0] if one.action == "login"]
    assert (line.who, line.via, line.object, line.outcome) == (
        "oidc:8423-1a",
        "oidc",
        "ann",
        "done",
    )
    assert People(site.jober).end_sessions("oidc:8423-1a", TEST) == 1
    assert not is_in(browser)


def test_the_highest_scope_of_ones_groups_counts_and_none_stays_outside(
    site: Site, browser: httpx.Client
) -> None:
    site.provider.claims["groups"] = ["others", "team", "admins"]
    browser.get(come_back(begin(browser)))
    assert browser.get("/api/v1/me").json()["scope"] == "admin"
    for groups in (["others"], [], "others", None, [["admins"]], {"admins": 1}):
        site.provider.claims["groups"] = groups
        with httpx.Client(base_url=site.url) as other:
            refused = other.get(come_back(begin(other)))
            assert (refused.status_code, "may not use jober" in refused.text) == (403, True)
            assert not is_in(other)
    refusals = [one for one in People(site.jober).audit()[0] if one.outcome == "refused"]
    assert {one.who for one in refusals} == {"oidc:8423-1a"}


def test_a_claim_that_is_told_elsewhere_is_asked_for_there(
    site: Site, browser: httpx.Client
) -> None:
    del site.provider.claims["groups"]
    site.provider.more = {"sub": "8423-1a", "groups": "team"}
    browser.get(come_back(begin(browser)))
    assert browser.get("/api/v1/me").json()["scope"] == "viewer"
    site.provider.more = {"sub": "another", "groups": "admins"}
    with httpx.Client(base_url=site.url) as other:
        assert other.get(come_back(begin(other))).status_code >= 400
        assert not is_in(other)


def test_an_answer_is_good_once_and_in_the_browser_that_asked(
    site: Site, browser: httpx.Client
) -> None:
    """Nobody is logged in as the attacker by a link, and nobody's answer is used by another."""
    back = come_back(begin(browser))
    with httpx.Client(base_url=site.url) as victim:
        assert victim.get(back).status_code == 403, "it has not asked at all"
        begin(victim)
        assert victim.get(back).status_code == 403, "it has asked something else"
        assert not is_in(victim)
    assert browser.get(back).status_code == 403, "the state is used up with the first that has it"
    again = come_back(begin(browser))
    assert browser.get(again).status_code == 303
    assert browser.get(again).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"state": ""},
        {"state": "x" * 43},
        {"code": ""},
        {"code": "x"},
        {"iss": "https://evil.example"},
        {"error": "access_denied"},
    ],
    ids=str,
)
def test_an_answer_that_is_changed_on_its_way_lets_nobody_in(
    site: Site, browser: httpx.Client, change: dict[str, str]
) -> None:
    parts = urlsplit(come_back(begin(browser)))
    told = {name: values[0] for name, values in parse_qs(parts.query).items()}
    answer = browser.get(parts.path, params={**told, **change})
    assert answer.status_code >= 400
    assert not is_in(browser)


@pytest.mark.parametrize(
    "twist",
    [
        {"nonce": "another"},
        {"nonce": ""},
        {"aud": ["another client"]},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"iat": 99_999_999_999},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"at_hash": "x"},
    ],
    ids=str,
)
def test_what_is_signed_for_another_log_in_lets_nobody_in(
    site: Site, browser: httpx.Client, twist: dict[str, object]
) -> None:
    site.provider.twist = twist
    assert browser.get(come_back(begin(browser))).status_code >= 400
    assert not is_in(browser)


def test_what_is_signed_by_another_key_lets_nobody_in(site: Site, browser: httpx.Client) -> None:
    site.provider.wrong_key = True
    assert browser.get(come_back(begin(browser))).status_code >= 400
    assert not is_in(browser)


def test_a_code_that_was_stolen_is_of_no_use_without_the_verifier(
    site: Site, browser: httpx.Client
) -> None:
    """PKCE: the attacker puts the code of the victim into a log-in of its own."""
    with httpx.Client(base_url=site.url) as attacker:
        stolen = parse_qs(urlsplit(come_back(begin(browser))).query)["code"][0]
        parts = urlsplit(come_back(begin(attacker)))
        told = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert attacker.get(parts.path, params={**told, "code": stolen}).status_code >= 400
        assert not is_in(attacker)


def test_nobody_is_sent_elsewhere_after_it(site: Site, browser: httpx.Client) -> None:
    done = browser.get(come_back(begin(browser, "//evil.example")))
    assert (done.status_code, done.headers["Location"]) == (303, "/")


def test_it_begins_by_the_button_of_the_page_alone(site: Site, browser: httpx.Client) -> None:
    assert browser.post("/login/oidc", data={"next": "/"}).status_code == 403
    assert browser.get("/login/oidc").status_code == 405
    assert not site.provider.asked


def test_a_provider_that_does_not_answer_is_told_in_words(redis_server: RedisServer) -> None:
    oidc = OidcSettings(
        issuer="http://127.0.0.1:9",
        client_id=CLIENT,
        client_secret=SECRET,
        claim="groups",
        scopes=(("admins", Scope.ADMIN),),
        title="Our login",
    )
    with (
        Jober(redis_server.url) as jober,
        serving(create_app(jober, Settings(access=AccessSettings(oidc=oidc)))) as url,
        httpx.Client(base_url=url) as client,
    ):
        answer = begin(client)
        assert answer.status_code == 502
        assert "does not say how to log in" in answer.text
        assert SECRET not in answer.text


def test_where_there_is_no_provider_there_is_no_way_by_it(redis_server: RedisServer) -> None:
    with (
        Jober(redis_server.url) as jober,
        serving(create_app(jober)) as url,
        httpx.Client(base_url=url) as client,
    ):
        assert "/login/oidc" not in client.get("/login").text
        assert client.get("/login/oidc/callback?code=x&state=y").status_code == 404
        assert client.post("/login/oidc").status_code == 404


def test_settings_that_are_wrong_are_told() -> None:
    for url in ("http://login.example.org", "ftp://x", "", "https://x/?q", "login.example.org"):
        with pytest.raises(DefinitionError, match="is not the address of an issuer"):
            check_issuer(url)
    assert check_issuer("https://login.example.org/realms/ours")
    for told in (["admin"], ["=admin"], ["admins=root"], []):
        with pytest.raises(DefinitionError):
            read_scopes(told)
    assert read_scopes(["a=b=viewer"]) == (("a=b", Scope.VIEWER),)
