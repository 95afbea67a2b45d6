"""`jober key`, and what commands do that have a key."""

from pathlib import Path

import pytest

from jober import Jober
from jober.embedded import RedisServer
from jober.store.signer import Signer
from tests.cli.conftest import Cli

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
    assert "no key signs definitions here" in cli("key", "sign", "nightly").err
    monkeypatch.setenv("JOBER_SIGN_KEY", str(key))
    assert "= nightly  to be signed" in cli("apply", str(file), "--dry-run").text
    assert unsigned(redis_server, key) == ["by-hand", "nightly"]
    assert cli("key", "sign", "nightly").text == "signed nightly\n"
    assert cli("apply", str(file), "--json").json["signed"] == ["by-hand"]
    assert unsigned(redis_server, key) == []
    assert cli("apply", str(file), "--json").json["signed"] == []
    monkeypatch.delenv("JOBER_SIGN_KEY")
    file.write_text(FLEET.replace("0 3", "0 4"))
    assert cli("apply", str(file)).status == 0
    assert unsigned(redis_server, key) == ["nightly"]


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
