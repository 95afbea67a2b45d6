"""Keys, their files, and what they sign."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jober.signing import DEFINE, FIRE, Judge, Key, Keyring, Presented, Signing, digest, new_key
from jober.signing.key import read_key
from jober.signing.key_file import read_signer, read_trusted, write_key
from jober.signing.keyring import NotBelieved
from jober.signing.texts import SEALED
from jober.signing_errors import SigningError
from jober.store.changes import job_fields

KINDS = ("ed25519", "hmac")
NOW = 1_800_000_000_000


def presented(signing: Signing, **changed: object) -> Presented:
    """A run of a job that was sealed and ordered."""
    fields: dict[str, str | bytes] = {"data": b'["f",null,[],{}]', "options": "{}", "queue": "db"}
    told: dict[str, object] = {
        "run": "job-1",
        "job": "job",
        "data": fields["data"],
        "options": "{}",
        "fire_at": "",
        "term": "7",
        "seal": signing.seal_job("job", fields, NOW),
        "order": signing.order("job-1", "job", now_ms=NOW, until_ms=NOW + 1000, term="7"),
    }
    return Presented(**{**told, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_signed_is_believed_and_nothing_else(kind: str) -> None:
    signing = Signing(new_key(kind))
    judge = Judge(signing.keyring)
    roles = frozenset({"db"})
    granted = judge.judge(presented(signing), "alpha", roles, NOW)
    assert (granted.of, granted.job, granted.sealed_ms) == ("job-1", "job", NOW)
    for changed in (
        {"run": "job-2"},
        {"job": "other"},
        {"data": b'["g",null,[],{}]'},
        {"options": '{"user": "root"}'},
        {"fire_at": "2026-11-21T03:00:00.000000Z"},
        {"term": "8"},
        {"seal": ""},
        {"order": ""},
        {"seal": "job x"},
        {"order": "1 2 3"},
        {"template": b'["f",null,[],{}]'},
    ):
        with pytest.raises(NotBelieved):
            judge.judge(presented(signing, **changed), "alpha", roles, NOW)
    with pytest.raises(NotBelieved, match="is over since"):
        judge.judge(presented(signing), "alpha", roles, NOW + 100_000)
    with pytest.raises(NotBelieved, match="in the future"):
        judge.judge(presented(signing), "alpha", roles, NOW - 100_000)
    with pytest.raises(NotBelieved, match="with the role db"):
        judge.judge(presented(signing), "alpha", frozenset({"web"}), NOW)
    with pytest.raises(NotBelieved, match="is not trusted here"):
        Judge(Keyring([new_key(kind)])).judge(presented(signing), "alpha", roles, NOW)


def test_an_order_is_of_what_it_was_given_for() -> None:
    """What is not told of the host is tried elsewhere: which seal, and where it may be."""
    signing = Signing(new_key("hmac"))
    judge = Judge(signing.keyring)
    roles = frozenset({"db"})
    plain = presented(signing)
    own = signing.seal_run("job-1", "job", "db", plain.data, plain.options, NOW)
    times: dict[str, Any] = {"now_ms": NOW, "until_ms": NOW + 1000}
    of_own = signing.order("job-1", "job", term="7", of=digest(own), **times)
    assert judge.judge(presented(signing, seal=own, order=of_own), "alpha", roles, NOW).job is None
    other = signing.seal_run("job-1", "job", "db", plain.data, plain.options, NOW + 1)
    for changed in ({"seal": own}, {"order": of_own}, {"seal": other, "order": of_own}):
        with pytest.raises(NotBelieved, match="other parameters than these"):
            judge.judge(presented(signing, **changed), "alpha", roles, NOW)


def test_a_host_without_the_roles_is_for_who_may_define_and_names_it() -> None:
    ops, fires = new_key("hmac"), new_key("hmac", [FIRE])
    signing = Signing(ops, [fires])
    judge = Judge(signing.keyring)
    nobody: frozenset[str] = frozenset()

    def order(key: Key, **where: Any) -> str:
        times: dict[str, Any] = {"now_ms": NOW, "until_ms": NOW + 1000}
        return Signing(key).order("job-1", "job", term="7", **times, **where)

    asked = order(ops, host="alpha", asked=True)
    judge.judge(presented(signing, order=asked), "alpha", nobody, NOW)
    for key, where in (
        (ops, {"host": "alpha"}),
        (ops, {"asked": True}),
        (fires, {"host": "alpha", "asked": True}),
    ):
        with pytest.raises(NotBelieved, match="with the role db"):
            judge.judge(presented(signing, order=order(key, **where)), "alpha", nobody, NOW)
    words = asked.split(" ")
    for place, word in ((6, "-"), (7, "-"), (5, "0" * 64)):
        with pytest.raises(NotBelieved):
            changed = " ".join([*words[:place], word, *words[place + 1 :]])
            judge.judge(presented(signing, order=changed), "alpha", nobody, NOW)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_says_no_more_than_it_is_for(kind: str) -> None:
    key = new_key(kind)
    told = {DEFINE: "may not define", FIRE: "may not fire"}
    for purpose, problem in told.items():
        [other] = set(told) - {purpose}
        one = read_key(key.line().replace("define,fire", other))
        with pytest.raises(NotBelieved, match=problem):
            Judge(Keyring([one])).judge(presented(Signing(key)), "alpha", frozenset({"db"}), NOW)


def test_no_key_stands_for_one_of_another_kind_or_for_more_than_it_may() -> None:
    """What is public of one is nobody's secret; and one signature is of one key."""
    key = new_key("ed25519")
    as_secret = key.public().line().replace("ed25519 public", "hmac secret")
    with pytest.raises(SigningError, match="the line was changed"):
        read_key(as_secret)
    signing = Signing(key)
    public = key.public()
    forged = Key(id=key.id, kind="hmac", half="secret", purposes=key.purposes, value=public.value)
    for keys in ([public, forged], [forged, key], [replace(new_key("hmac"), id=key.id), public]):
        with pytest.raises(SigningError, match="two keys have the id"):
            Keyring(keys)
    with pytest.raises(NotBelieved, match="not what key"):
        Judge(Keyring([public])).judge(presented(Signing(forged)), "alpha", frozenset({"db"}), NOW)
    # Both halves, and a line for each purpose: what either says.
    halves = [key.public([FIRE]), replace(key, purposes=frozenset({DEFINE}))]
    judge = Judge(Keyring(halves))
    assert judge.judge(presented(signing), "alpha", frozenset({"db"}), NOW).of == "job-1"
    with pytest.raises(NotBelieved, match="may not define"):
        Judge(Keyring(halves[:1])).judge(presented(signing), "alpha", frozenset({"db"}), NOW)


def test_a_line_of_a_key_that_was_changed_is_no_key() -> None:
    line = new_key("ed25519").line()
    assert read_key(line).line() == line
    words = line.split()
    for number, other in enumerate(
        ("jober-key-2", "rsa", "secret", "000000000000", "read", words[5][:-4] + "AAA=")
    ):
        with pytest.raises(SigningError):
            read_key(" ".join([*words[:number], other, *words[number + 1 :]]))


def test_a_file_of_a_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "ops.key"
    key = new_key("ed25519")
    write_key(path, key)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_signer(str(path)).id == key.id
    with pytest.raises(SigningError, match="is there already"):
        write_key(path, key)
    path.chmod(0o604)
    with pytest.raises(SigningError, match="read by everybody"):
        read_signer(str(path))
    path.chmod(0o620)
    with pytest.raises(SigningError, match="written by others"):
        read_signer(str(path))
    path.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(path, 12345, 12345)
        with pytest.raises(SigningError, match="another user"):
            read_signer(str(path))


def test_agents_read_all_keys_of_a_folder_that_nobody_else_can_change(tmp_path: Path) -> None:
    ops, fleet = new_key("ed25519", [DEFINE]), new_key("hmac")
    write_key(tmp_path / "ops.pub", ops.public())
    write_key(tmp_path / "fleet.key", fleet)
    (tmp_path / "README").write_text("no key")
    assert [key.id for key in read_trusted(str(tmp_path))] == [fleet.id, ops.id]
    with pytest.raises(SigningError, match="signs nothing"):
        read_signer(str(tmp_path / "ops.pub"))
    with pytest.raises(SigningError, match="no public half"):
        fleet.public()
    tmp_path.chmod(0o777)
    with pytest.raises(SigningError, match="written by others"):
        read_trusted(str(tmp_path))


def test_all_that_redis_keeps_of_a_definition_is_sealed() -> None:
    from jober.job import Job

    job = Job(name="job", command="true", cleanup="builtins:print")
    fields = {name: value for name, value in job_fields(job).items() if name != "seal"}
    fields["anchor"] = str(NOW)  # as it is written with the rest, where that is signed
    assert set(SEALED) == fields.keys() - {"data", "options", "queue"}
    signing = Signing(new_key("hmac"))
    sealed = {**fields, "seal": signing.seal_job("job", fields, NOW)}
    assert signing.check_job("job", sealed).at_ms == NOW
    for name in fields:
        with pytest.raises(NotBelieved):
            signing.check_job("job", {**sealed, name: "other"})
    with pytest.raises(NotBelieved):
        signing.check_job("other", sealed)
