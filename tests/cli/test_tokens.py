"""`jober token` and `jober audit`."""

from jober import Jober
from jober.access import Actor
from jober.client.people import People
from jober.store import Store
from tests.cli.conftest import Cli


def test_a_token_is_shown_once_listed_by_its_beginning_and_revoked(cli: Cli, store: Store) -> None:
    assert "no tokens: jober token create" in cli("token", "list").err
    done = cli("token", "create", "deploys", "--scope", "operator", "--tag", "deploy")
    text = done.text.strip()
    with Jober(store.url) as jober:
        who = People(jober).bearer(text)
    assert who and (str(who.scope), who.tags) == ("operator", frozenset({"deploy"}))
    [listed] = cli("token", "list", "--json").json
    assert text.startswith(listed["prefix"])
    assert listed["name"] == "deploys"
    secret = text.removeprefix(listed["prefix"])
    assert secret not in cli("token", "list").text + done.err
    assert "hash" not in listed
    assert cli("token", "revoke", listed["id"]).status == 0
    assert cli("token", "list", "--json").json == []
    done = cli("token", "revoke", listed["id"])
    assert (done.status, f"there is no token '{listed['id']}'" in done.err) == (1, True)
    refused = cli("token", "revoke", text)
    assert (refused.status, secret in refused.err) == (1, False)


def test_a_token_as_json_has_its_facts_and_how_long_it_lives(cli: Cli) -> None:
    made = cli("token", "create", "ci", "--expires", "12h", "--json").json
    assert made["token"].startswith(made["prefix"])
    assert (made["scope"], made["tags"], made["user"]) == ("viewer", None, None)
    for wrong, told in (
        (["--expires", "soon"], "'soon' is no span of time"),
        (["--expires", "20000d"], "ten years at the most"),
        (["--scope", "root"], "'root' is no scope"),
        (["--user", "nobody"], "no user is named 'nobody'"),
    ):
        done = cli("token", "create", "ci", *wrong)
        assert (done.status, told in done.err) == (1, True), done.err
    assert len(cli("token", "list", "--json").json) == 1


def test_the_audit_log_tells_who_made_what(cli: Cli) -> None:
    assert "nobody has done anything" in cli("audit").err
    ids = [cli("token", "create", f"t{n}", "--json").json["id"] for n in range(3)]
    cli("token", "revoke", ids[0])
    told = cli("audit", "--json").json
    assert [one["action"] for one in told["items"]] == ["token.revoke"] + ["token.create"] * 3
    assert (told["items"][0]["object"], told["items"][0]["via"]) == (ids[0], "cli")
    assert "@" in told["items"][0]["who"]
    assert told["next"] is None
    page = cli("audit", "-n", "1", "--json").json
    assert page["items"] == told["items"][:1]
    following = cli("audit", "-n", "2", "--before", page["next"], "--json").json
    assert following["items"] == told["items"][1:3]
    assert len(cli("audit", "--action", "token.cre*", "--json").json["items"]) == 3
    assert "token.revoke" in cli("audit", "--object", ids[0], "-n", "1").text
    assert cli("audit", "--before", "yesterday").status == 1


def test_what_stands_in_the_audit_log_cannot_write_to_the_terminal(cli: Cli, store: Store) -> None:
    with Jober(store.url) as jober:
        People(jober).note(Actor(name="\x1b[2Jx", via="y"), "login", "\x1b]0;x\x07")
    assert "\x1b" not in cli("audit").text
