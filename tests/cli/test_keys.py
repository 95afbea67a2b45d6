"""`jober key`, and what commands do that have a key."""

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
import redis

from jober import Jober
from jober.embedded import RedisServer
from jober.store import keys
from jober.store.signer import Signer
from tests.cli.conftest import Cli
from tests.fleet import BIN

FLEET = """
[jobs.nightly]
command = "true"
cron = "0 3 * * *"
cleanup = "builtins:print"
[jobs.by-hand]
command = "true"
"""


@pytest.fixture
def key(cli: Cli, tmp_path: Path) -> Path:
    path = tmp_path / "ops.key"
    assert cli("key", "new", str(path)).status == 0
    return path


def unsigned(redis_server: RedisServer, key: Path) -> list[str]:
    """The jobs that are not believed by who has this key."""
    with Jober(redis_server.url, sign_key=key) as jober:
        signer = jober.store.signer
        assert isinstance(signer, Signer)
        return [one.name for one in jober.jobs() if signer.problem(one.name, one.fields)]


def test_a_key_is_made_shown_without_what_is_secret_and_given_to_agents(
    cli: Cli, key: Path, tmp_path: Path
) -> None:
    secret = key.read_text().split()[-1]
    public = cli("key", "public", "--for", "fire", str(key))
    (tmp_path / "ops.pub").write_bytes(public.out)
    [told] = cli("key", "list", str(tmp_path / "ops.pub"), "--json").json
    assert (told["type"], told["half"], told["may"]) == ("ed25519", "public", ["fire"])
    assert secret.encode() not in public.out + cli("key", "list", str(key)).out
    assert cli("key", "new", str(key)).err == f"jober: {key} is there already (name another file)\n"
    key.chmod(0o644)
    assert cli("key", "list", str(key)).status == 1


def test_what_was_not_signed_is_told_by_apply_and_signed(
    cli: Cli, key: Path, redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text(FLEET)
    assert cli("apply", str(file)).status == 0
    assert unsigned(redis_server, key) == ["by-hand", "nightly"]
    assert "no key signs definitions here" in cli("key", "sign", "nightly", "--yes").err
    monkeypatch.setenv("JOBER_SIGN_KEY", str(key))
    assert "= nightly  to be signed" in cli("apply", str(file), "--dry-run").text
    assert unsigned(redis_server, key) == ["by-hand", "nightly"]
    asked = cli("key", "sign", "nightly")
    assert (asked.status, "look at it in a terminal" in asked.err) == (2, True)
    assert cli("key", "sign", "nightly", "--yes").text == "signed nightly\n"
    assert cli("apply", str(file), "--json").json["signed"] == ["by-hand"]
    assert unsigned(redis_server, key) == []
    assert cli("apply", str(file), "--json").json["signed"] == []
    monkeypatch.delenv("JOBER_SIGN_KEY")
    file.write_text(FLEET.replace("0 3", "0 4"))
    assert cli("apply", str(file)).status == 0
    assert unsigned(redis_server, key) == ["nightly"]


def test_a_new_key_takes_the_place_of_another_and_signs_nothing_that_nobody_has_signed(
    cli: Cli, key: Path, redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, new, old = tmp_path / "fleet.toml", tmp_path / "new.key", tmp_path / "old.pub"
    file.write_text(FLEET + '[jobs.third]\ncommand = "true"\n')
    assert cli("key", "new", str(new)).status == 0
    old.write_bytes(cli("key", "public", str(key)).out)
    monkeypatch.setenv("JOBER_SIGN_KEY", str(key))
    assert cli("apply", str(file)).status == 0
    with redis.Redis.from_url(redis_server.url) as client:
        client.hset(keys.job("by-hand"), "spec", '{"command": "touch /tmp/evil"}')
        client.hdel(keys.job("third"), "seal")
    monkeypatch.setenv("JOBER_SIGN_KEY", str(new))
    told = cli("key", "sign", "--all")
    assert (told.status, told.text) == (1, "")
    assert "left as it is: nightly: key " in told.err
    asked = cli("key", "sign", "--all", "--signed-by", str(old))
    assert (asked.status, "look at it in a terminal" in asked.err) == (2, True)
    told = cli("key", "sign", "--all", "--signed-by", str(old), "--yes")
    assert (told.status, told.text) == (1, "signed nightly\n")
    assert "left as it is: by-hand: it is not what key " in told.err
    assert "left as it is: third: it is not signed\n" in told.err
    assert "2 jobs nobody who is trusted here has signed" in told.err
    assert "`jober apply FILE` signs what the file says" in told.err
    assert unsigned(redis_server, new) == ["by-hand", "third"]
    said, _ = in_a_terminal(redis_server.url, key, "n", "--all", "--signed-by", str(new))
    assert re.search(r"nightly  signed 20\d\d-.* by key [0-9a-f]+\r\n", said)
    assert cli("apply", str(file)).status == 0
    told = cli("key", "sign", "--all")
    assert (told.status, told.err) == (0, "jober: all jobs are signed by this key\n")


def test_a_definition_is_shown_as_it_would_run_before_it_is_signed(
    cli: Cli, key: Path, redis_server: RedisServer, tmp_path: Path
) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text(FLEET.replace('"true"\ncron', '"true\\n\\u001b[2Jevil"\nroles = ["db"]\ncron'))
    assert cli("apply", str(file)).status == 0
    for answer, status, left in (("n", 1, ["by-hand", "nightly"]), ("y", 0, ["by-hand"])):
        said, ended = in_a_terminal(redis_server.url, key, answer, "nightly")
        assert ended == status
        assert r'command     "true\n\u001b[2Jevil"' in said
        assert "hosts with role db" in said and "03:00" in said and "builtins:print" in said
        assert unsigned(redis_server, key) == left


def in_a_terminal(url: str, key: Path, answer: str, *arguments: str) -> tuple[str, int]:
    """What `jober key sign …` says there before it asks, and its exit status."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "JOBER_SIGN_KEY": str(key), "COLUMNS": "200", "NO_COLOR": "1"}
    command = [str(BIN / "jober"), "key", "sign", *arguments, "--redis", url]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ
    ) as process:
        os.close(theirs)
        said = b""
        while b"[y/N]" not in said:
            said += os.read(ours, 1024)
        os.write(ours, f"{answer}\n".encode())
        status = process.wait(30)
    os.close(ours)
    return said.decode(), status


def test_a_backup_keeps_who_has_signed_and_a_restore_signs_nothing(
    cli: Cli, key: Path, redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, backup = tmp_path / "fleet.toml", tmp_path / "backup.jsonl"
    file.write_text(FLEET)
    monkeypatch.setenv("JOBER_SIGN_KEY", str(key))
    assert cli("apply", str(file)).status == 0
    monkeypatch.delenv("JOBER_SIGN_KEY")
    assert cli("backup", str(backup)).status == 0
    with Jober(redis_server.url) as jober:
        for name in ("nightly", "by-hand"):
            jober.remove_job(name)
    monkeypatch.setenv("JOBER_SIGN_KEY", str(key))
    assert cli("restore", str(backup)).status == 0
    assert unsigned(redis_server, key) == []
    monkeypatch.delenv("JOBER_SIGN_KEY")
    with Jober(redis_server.url) as jober:
        assert b'"seal"' in jober.job("nightly").fields["cleanup"]
        jober.update_job("by-hand", title="x")
    assert unsigned(redis_server, key) == ["by-hand"]
