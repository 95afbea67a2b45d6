"""Log-ins, and the sessions that they open."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from jober import Jober
from jober.access import Actor, Scope, Who
from jober.access.errors import TooManyTries, WrongLogin
from jober.access.password import Cost, PasswordHash
from jober.access.secret import hashed
from jober.access.session import SessionTimes
from jober.client.log_in import LogIn
from jober.client.people import People
from jober.store import Store, keys
from tests.waiting import wait_until

ROOT = Actor(name="root@host", via="cli")
PASSWORD, HERE = "correct horse", "192.0.2.1"


@pytest.fixture
def jober(store: Store) -> Iterator[Jober]:
    with Jober(store.url) as jober:
        yield jober


@pytest.fixture
def log_in(jober: Jober) -> LogIn:
    People(jober).add_user("ann", PASSWORD, "operator", ROOT)
    return LogIn(jober)


def fail(log_in: LogIn, name: str = "ann", address: str = HERE) -> None:
    with pytest.raises(WrongLogin):
        log_in.with_password(name, "wrong", address)


def test_who_has_logged_in_is_known_by_an_id_of_which_redis_has_a_hash(
    log_in: LogIn, store: Store
) -> None:
    opened = log_in.with_password("ann", PASSWORD, HERE)
    known = log_in.known(opened.id)
    assert known is not None
    assert (known.who.name, known.who.scope, known.kind) == ("ann", Scope.OPERATOR, "password")
    for key in store.connection.command("KEYS", "*"):
        assert opened.id.encode() not in key
        assert opened.id.encode() not in store.connection.command("DUMP", key)
    for wrong in ("", "x", opened.id[:-1], known.hash):
        assert log_in.known(wrong) is None


def test_a_log_in_ends_the_session_that_the_browser_had_and_its_id_is_new(log_in: LogIn) -> None:
    planted = log_in.with_password("ann", PASSWORD, HERE).id
    opened = log_in.with_password("ann", PASSWORD, HERE, before=planted)
    assert opened.id != planted
    assert log_in.known(planted) is None
    assert log_in.known(opened.id)


def test_a_wrong_password_and_a_wrong_name_are_told_alike(log_in: LogIn, jober: Jober) -> None:
    told = set()
    for name, password in (("ann", "wrong"), ("nobody", PASSWORD), ("a b\0", ""), ("", "x" * 5000)):
        with pytest.raises(WrongLogin) as refused:
            log_in.with_password(name, password, HERE)
        told.add(str(refused.value))
    assert len(told) == 1
    refusals = [one.who for one in People(jober).audit()[0] if one.outcome == "refused"]
    assert refusals == ["(unknown)"] * 3 + ["ann"], "what may be a password is not kept"


def test_a_user_that_there_is_none_of_costs_as_much_as_one(
    log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[Cost] = []
    compare = PasswordHash.is_of

    def noted(self: PasswordHash, password: str) -> bool:
        compared.append(self.cost)
        return compare(self, password)

    monkeypatch.setattr(PasswordHash, "is_of", noted)
    fail(log_in, "ann")
    fail(log_in, "nobody")
    assert len(compared) == 2
    assert compared[0] == compared[1]


def test_a_hash_of_former_times_is_made_anew_by_the_log_in(log_in: LogIn, store: Store) -> None:
    old = PasswordHash.of(PASSWORD, Cost(log2_n=4, r=8, p=1))
    store.connection.command("HSET", keys.user("ann"), "password", str(old))
    assert log_in.known(log_in.with_password("ann", PASSWORD, HERE).id)
    user = store.users.user("ann")
    new = PasswordHash.read(user.password) if user else None
    assert new and not new.is_outdated and new.is_of(PASSWORD)
    assert log_in.known(log_in.with_password("ann", PASSWORD, HERE).id)


def test_the_eleventh_try_at_a_user_is_not_even_looked_at(log_in: LogIn, jober: Jober) -> None:
    for number in range(10):
        fail(log_in, address=f"192.0.2.{number}")
    with pytest.raises(TooManyTries) as refused:
        log_in.with_password("ann", PASSWORD, "192.0.2.99")
    assert 0 < refused.value.retry_after_s <= 900
    People(jober).add_user("ben", PASSWORD, "viewer", ROOT)
    assert log_in.with_password("ben", PASSWORD, "192.0.2.1"), "others may"


def test_an_address_may_fail_no_more_than_forty_times_whoever_it_says_it_is(
    log_in: LogIn, store: Store
) -> None:
    with Jober(store.url) as jober, ThreadPoolExecutor(2) as pool:
        nodes = [log_in, LogIn(jober)]
        list(pool.map(lambda number: fail(nodes[number % 2], f"user{number}"), range(40)))
        for node in nodes:
            with pytest.raises(TooManyTries):
                node.with_password("ann", PASSWORD, HERE)
            assert node.with_password("ann", PASSWORD, "192.0.2.2")


def test_log_ins_that_succeed_do_not_count(log_in: LogIn) -> None:
    for _ in range(5):
        fail(log_in)
        fail(log_in)
        assert log_in.with_password("ann", PASSWORD, HERE)
    assert log_in.with_password("ann", PASSWORD, HERE)


def test_tries_count_no_more_after_their_time(log_in: LogIn, store: Store) -> None:
    for _ in range(10):
        fail(log_in)
    for key in store.connection.command("KEYS", keys.tries("*")):
        assert 0 < store.connection.command("PTTL", key) <= 900_000
        store.connection.command("PEXPIRE", key, 1)
    wait_until(lambda: not store.connection.command("KEYS", keys.tries("*")))
    assert log_in.with_password("ann", PASSWORD, HERE)


def test_another_password_ends_all_sessions_but_the_one_that_it_was_given_in(
    log_in: LogIn, jober: Jober
) -> None:
    own, other = (log_in.with_password("ann", PASSWORD, HERE).id for _ in range(2))
    People(jober).set_password("ann", "another password", ROOT, but_session=hashed(own))
    assert log_in.known(own)
    assert log_in.known(other) is None
    fail(log_in)
    assert log_in.with_password("ann", "another password", HERE)
    People(jober).set_password("ann", PASSWORD, ROOT)
    assert log_in.known(own) is None


def test_a_password_that_changes_while_it_is_compared_opens_nothing(
    log_in: LogIn, jober: Jober, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = PasswordHash.is_of

    def slow(self: PasswordHash, password: str) -> bool:
        found = compare(self, password)
        People(jober).set_password("ann", "another password", ROOT)
        return found

    monkeypatch.setattr(PasswordHash, "is_of", slow)
    with pytest.raises(WrongLogin):
        log_in.with_password("ann", PASSWORD, HERE)


def test_a_session_ends_by_log_out_and_all_of_them_by_one_everywhere(log_in: LogIn) -> None:
    first, second, third = (log_in.with_password("ann", PASSWORD, HERE) for _ in range(3))
    log_in.log_out(first.session, HERE)
    assert log_in.known(first.id) is None
    assert log_in.known(second.id)
    assert log_in.log_out_everywhere(second.session, HERE) == 2
    assert log_in.known(third.id) is None


def test_a_session_ends_without_requests_and_at_its_time_whatever_is_asked(
    log_in: LogIn, jober: Jober
) -> None:
    idle = LogIn(jober, SessionTimes(idle_s=1, absolute_s=3600))
    opened = idle.with_password("ann", PASSWORD, HERE)
    assert idle.known(opened.id)
    wait_until(
        lambda: not jober.store.connection.command("EXISTS", keys.session(opened.session.hash)),
        told="nobody asked, and it is gone",
    )
    brief = LogIn(jober, SessionTimes(idle_s=3600, absolute_s=1))
    opened = brief.with_password("ann", PASSWORD, HERE)
    wait_until(lambda: brief.known(opened.id) is None, told="it was asked all the time")


def test_a_session_that_is_used_lives_on(log_in: LogIn, jober: Jober) -> None:
    opened = log_in.with_password("ann", PASSWORD, HERE)
    key = keys.session(opened.session.hash)
    jober.store.connection.command("HSET", key, "seen_ms", 0)
    jober.store.connection.command("PEXPIRE", key, 60_000)
    assert log_in.known(opened.id)
    left_ms = jober.store.connection.command("PTTL", key)
    assert left_ms > 11 * 3_600_000


def test_somebody_has_no_more_than_fifty_sessions_and_the_oldest_ends(
    log_in: LogIn, store: Store
) -> None:
    who = Who(name="oidc:1", scope=Scope.VIEWER)
    opened = [log_in.as_told(who, "Ann", HERE).id for _ in range(52)]
    assert len([id for id in opened if log_in.known(id)]) == 50
    assert log_in.known(opened[-1])
    assert store.sessions.count("oidc:1") == 50


def test_a_link_is_good_once_even_for_many_at_the_same_moment(log_in: LogIn) -> None:
    secret = log_in.make_link("dev", Scope.ADMIN, ROOT)

    def use(_: int) -> bool:
        try:
            return log_in.with_link(secret, HERE).session.who.scope is Scope.ADMIN
        except WrongLogin:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(use, range(16))) == [False] * 15 + [True]


def test_a_link_is_over_after_its_time_and_no_other_secret_is_one(log_in: LogIn) -> None:
    secret = log_in.make_link("dev", Scope.ADMIN, ROOT, life_s=1)
    other = log_in.keep("oidc", {"name": "dev", "scope": "admin"}, 60)
    for wrong in ("", "x", other):
        with pytest.raises(WrongLogin):
            log_in.with_link(wrong, HERE)
    wait_until(
        lambda: not log_in._store.connection.command("EXISTS", keys.ticket(hashed(secret))),
        told="its time is over",
    )
    with pytest.raises(WrongLogin):
        log_in.with_link(secret, HERE)


def test_log_ins_and_log_outs_stand_in_the_audit_log(log_in: LogIn, jober: Jober) -> None:
    fail(log_in)
    opened = log_in.with_password("ann", PASSWORD, HERE)
    log_in.log_out(opened.session, HERE)
    told = [
        (one.who, one.via, one.address, one.action, one.outcome)
        for one in People(jober).audit()[0][::-1]
    ][1:]
    assert told == [
        ("ann", "password", HERE, "login", "refused"),
        ("ann", "password", HERE, "login", "done"),
        ("ann", opened.session.who.credential, HERE, "logout", "done"),
    ]
    assert hashed(opened.id).startswith(opened.session.who.credential.removeprefix("session:"))
