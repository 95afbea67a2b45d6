"""Users and tokens in Redis, and the log of who changed them."""

from collections.abc import Iterator

import pytest

from jober import Jober
from jober.access import Actor, Scope, Who
from jober.access.audit import AuditFilter, Outcome
from jober.access.errors import NotAllowed, TokenNotFound, UserExists, UserNotFound
from jober.access.password import PasswordHash
from jober.client.log_in import LogIn
from jober.client.people import People
from jober.errors import DefinitionError
from jober.store import Store, keys
from tests.waiting import wait_until

ROOT = Actor(name="root@host", via="cli")
PASSWORD = "correct horse"
BACKUP = frozenset({"backup"})


@pytest.fixture
def jober(store: Store) -> Iterator[Jober]:
    with Jober(store.url) as jober:
        yield jober


@pytest.fixture
def people(jober: Jober) -> People:
    return People(jober)


def done(people: People) -> list[tuple[str, str, str]]:
    """What the audit log has, oldest first."""
    return [(one.action, one.object, one.outcome) for one in people.audit()[0]][::-1]


def test_a_user_is_added_once_and_only_a_hash_of_the_password_is_kept(
    people: People, store: Store
) -> None:
    assert not people.has_users()
    people.add_user("ann", PASSWORD, "admin", ROOT, tags=["backup"])
    assert people.has_users()
    user = people.user("ann")
    assert (user.scope, user.tags, user.roles) == (Scope.ADMIN, BACKUP, None)
    kept = store.connection.command("HGETALL", keys.user("ann"))
    assert PASSWORD.encode() not in b"".join(kept.values() if isinstance(kept, dict) else kept)
    hash = PasswordHash.read(user.password)
    assert hash and hash.is_of(PASSWORD)
    with pytest.raises(UserExists, match="there is a user 'ann' already"):
        people.add_user("ann", "another password", "viewer", ROOT)
    assert people.user("ann") == user
    assert done(people) == [("user.add", "ann", "done")]
    assert people.audit()[0][0].who == "root@host"


def test_a_call_that_is_sent_twice_adds_one_user_and_one_line(store: Store) -> None:
    user = People(Jober(store.url))
    user.add_user("ann", PASSWORD, "admin", ROOT)
    kept = store.users.user("ann")
    assert kept
    assert store.users.add(kept, b"\x90") == "done"
    assert len(user.audit()[0]) == 1


@pytest.mark.parametrize(
    ("name", "password", "scope", "told"),
    [
        ("a b", PASSWORD, "admin", "is not the name of a user"),
        ("oidc:ann", PASSWORD, "admin", "is not the name of a user"),
        ("ann", "short", "admin", "the password has 5 characters"),
        ("ann", PASSWORD, "root", "'root' is no scope"),
    ],
)
def test_a_wrong_user_is_refused_and_changes_nothing(
    people: People, name: str, password: str, scope: str, told: str
) -> None:
    with pytest.raises(DefinitionError, match=told):
        people.add_user(name, password, scope, ROOT)
    assert not people.has_users()
    assert done(people) == []


def test_users_are_listed_by_pages_in_order(people: People, store: Store) -> None:
    for name in ("cid", "ann", "ben"):
        people.add_user(name, PASSWORD, "viewer", ROOT)
    first = people.users(2)
    assert [user.name for user in first] == ["ann", "ben"]
    assert [user.name for user in people.users(2, after="ben")] == ["cid"]


def test_a_user_that_there_is_none_of_is_told_with_the_nearest(people: People) -> None:
    people.add_user("ann", PASSWORD, "viewer", ROOT)
    with pytest.raises(UserNotFound, match="no user is named 'anne', did you mean 'ann'"):
        people.set_rights("anne", "admin", ROOT)
    for call in (
        lambda: people.remove_user("anne", ROOT),
        lambda: people.set_password("anne", PASSWORD, ROOT),
        lambda: people.user("anne"),
    ):
        with pytest.raises(UserNotFound):
            call()


def test_rights_hold_at_once_for_sessions_and_tokens_that_there_are(
    people: People, jober: Jober
) -> None:
    log_in = LogIn(jober)
    people.add_user("ann", PASSWORD, "admin", ROOT)
    session = log_in.with_password("ann", PASSWORD, "192.0.2.1").id
    _, token = people.make_token("ci", "admin", ROOT, user="ann")
    assert people.set_rights("ann", "viewer", ROOT, roles=["db"])
    known, bearer = log_in.known(session), people.bearer(token)
    assert known and bearer
    for who in (known.who, bearer):
        assert (who.scope, who.roles, who.name) == (Scope.VIEWER, frozenset({"db"}), "ann")
    assert not people.set_rights("ann", "viewer", ROOT, roles=["db"]), "it was so"
    assert people.set_rights("ann", "viewer", ROOT), "limits that are not given are lifted"
    assert people.user("ann").roles is None


def test_sessions_and_tokens_go_with_their_user_and_no_namesake_gets_them(
    people: People, jober: Jober
) -> None:
    log_in = LogIn(jober)
    people.add_user("ann", PASSWORD, "admin", ROOT)
    session = log_in.with_password("ann", PASSWORD, "192.0.2.1").id
    _, token = people.make_token("ci", "admin", ROOT, user="ann")
    people.remove_user("ann", ROOT)
    people.add_user("ann", PASSWORD, "admin", ROOT)
    assert log_in.known(session) is None
    assert people.bearer(token) is None
    assert people.tokens() == []


def test_a_token_stands_for_whom_it_was_made_and_only_a_hash_of_it_is_kept(
    people: People, store: Store
) -> None:
    token, text = people.make_token("ci", "operator", ROOT, tags=["deploy"], life_s=3600)
    assert people.bearer(text) == Who(
        name="token:ci",
        scope=Scope.OPERATOR,
        tags=frozenset({"deploy"}),
        credential=f"token:{token.id}",
    )
    assert token.expires_at_ms - token.created_at_ms == 3_600_000
    secret = text.rpartition(f"{token.id}_")[2].encode()
    for key in store.connection.command("KEYS", "*"):
        assert secret not in store.connection.command("DUMP", key)
    [listed] = people.tokens()
    assert listed.used_at_ms is not None
    assert (listed.id, listed.name, text.startswith(f"jober_{listed.id}_")) == (
        token.id,
        "ci",
        True,
    )


def test_a_token_that_is_wrong_in_a_letter_stands_for_nobody(people: People) -> None:
    token, text = people.make_token("ci", "operator", ROOT)
    other = "A" if text[-1] != "A" else "B"
    assert people.bearer(text[:-1] + other) is None
    assert people.bearer(text.replace(token.id, "a" * 10)) is None
    assert people.bearer("") is None


def test_a_token_that_is_revoked_or_over_stands_for_nobody(people: People) -> None:
    token, text = people.make_token("ci", "operator", ROOT)
    with pytest.raises(TokenNotFound):
        people.revoke_token(token.id, ROOT, user="ann")
    people.revoke_token(token.id, ROOT)
    assert people.bearer(text) is None
    with pytest.raises(TokenNotFound, match=f"there is no token '{token.id}'"):
        people.revoke_token(token.id, ROOT)
    _, brief = people.make_token("brief", "viewer", ROOT, life_s=1)
    assert people.bearer(brief)
    wait_until(lambda: people.bearer(brief) is None, told="its time is over")
    assert people.tokens() == []
    assert done(people) == [
        ("token.create", token.id, "done"),
        ("token.revoke", token.id, "done"),
        ("token.create", people.audit()[0][0].object, "done"),
    ]


def test_a_token_is_for_no_more_than_its_maker_may(people: People) -> None:
    people.add_user("ann", PASSWORD, "operator", ROOT, tags=["a", "b"])
    ann = people.user("ann").who("session:x")
    for scope, tags in (("admin", None), ("viewer", ["c"]), ("viewer", ["a", "c"])):
        with pytest.raises(NotAllowed):
            people.make_token("more", scope, ROOT, tags=tags, user="ann", maker=ann)
    token, _ = people.make_token("same", "operator", ROOT, user="ann", maker=ann)
    assert token.tags == frozenset({"a", "b"})
    token, _ = people.make_token("less", "viewer", ROOT, tags=["a"], user="ann", maker=ann)
    assert (token.tags, token.scope) == (frozenset({"a"}), Scope.VIEWER)


def test_a_token_for_a_user_that_there_is_none_of_is_not_made(people: People) -> None:
    with pytest.raises(UserNotFound):
        people.make_token("ci", "viewer", ROOT, user="nobody")
    assert people.tokens() == []


def test_what_cannot_be_read_of_a_limit_limits_to_nothing(people: People, store: Store) -> None:
    people.add_user("ann", PASSWORD, "admin", ROOT, tags=["backup"])
    store.connection.command("HSET", keys.user("ann"), "tags", "[", "scope", "root")
    user = people.user("ann")
    assert (user.tags, user.scope) == (frozenset(), Scope.VIEWER)


def test_the_audit_log_is_read_by_pages_and_by_what_is_wanted(people: People) -> None:
    for number in range(25):
        outcome = Outcome.REFUSED if number % 5 == 0 else Outcome.DONE
        who = Actor(name=f"user{number % 2}", via="session:x", address="192.0.2.1")
        people.note(who, f"job.{'pause' if number % 3 else 'run'}", f"job{number}", outcome)
    seen: list[str] = []
    before = None
    while True:
        page, before = people.audit(10, before)
        seen += [entry.object for entry in page]
        if before is None:
            break
    assert seen == [f"job{number}" for number in reversed(range(25))]
    wanted = AuditFilter(who="user0", outcome="refused")
    assert [one.object for one in people.audit(10, None, wanted)[0]] == ["job20", "job10", "job0"]
    runs = people.audit(50, None, AuditFilter(action="job.r*"))[0]
    assert len(runs) == 9
    assert people.audit(1, None, AuditFilter(object="job3"))[0][0].address == "192.0.2.1"
    for wrong in ("0-0", "x", "1", f"{2**64}-0", "٣-1"):
        with pytest.raises(DefinitionError, match="is no place in the log"):
            people.audit(1, wrong)


def test_what_comes_from_outside_cannot_make_the_audit_log_long(people: People) -> None:
    people.note(Actor(name="x" * 10_000, via="v"), "login", "\ud800", detail="y" * 10_000)
    [entry] = people.audit()[0]
    assert (len(entry.who), len(entry.detail), entry.object) == (300, 300, "?")
