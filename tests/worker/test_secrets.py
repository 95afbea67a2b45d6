"""Secrets by reference: read where a run executes, and seen nowhere else."""

import os
from pathlib import Path

import pytest

from jober.embedded import RedisServer
from jober.errors import DefinitionError
from jober.job import Job
from jober.secret_file import Secrets, SecretUnreadable
from jober_worker.call import Options
from jober_worker.secrets import with_secrets
from tests.fleet import Fleet

VALUE = "correct-horse-9f31"


def test_a_secret_is_known_to_its_run_and_stands_in_no_key_dump_or_log(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "pass").write_text(f"{VALUE}\n")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "token").write_text(VALUE)
    dump = tmp_path / "redis"
    dump.mkdir()
    with RedisServer() as server:
        fleet = Fleet(server.url, tmp_path)
        try:
            credentials = {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials"), "TOKEN": VALUE}
            fleet.agent("alpha", "", "--secrets", str(secrets), environ=credentials)
            env = {
                "FILE": f"secret:file:{secrets}/pass",
                "CREDENTIAL": "secret:credential:token",
                "ENV": "secret:env:TOKEN",
            }
            script = (
                'test "$FILE-$CREDENTIAL-$ENV" = "$(printf %s $EXPECTED | rev)" && '
                "echo it is $FILE; echo $CREDENTIAL >&2; exit 3"
            )
            told = "-".join([VALUE] * 3)
            run = fleet.jober.run(
                script, shell=True, env={**env, "EXPECTED": told[::-1]}, output="file"
            )
            ended = run.wait(30)
            assert ended.exit_code == 3
            assert "it is ***" in run.output.head()
            missing = fleet.jober.run(["true"], env={"A": f"secret:file:{secrets}/none"}).wait(30)
            assert missing.state == "failed"
            assert missing.reason == (
                f"secret:file:{secrets}/none: it cannot be read on this host: "
                "No such file or directory"
            )
            outside = fleet.jober.run(["true"], env={"A": "secret:file:/etc/passwd"}).wait(30)
            assert "none of the folders of secrets" in (outside.reason or "")
            client = fleet.jober.store.connection.client
            kept = b"".join(client.dump(key) or b"" for key in client.scan_iter("*"))
            client.config_set("dir", str(dump))
            client.config_set("rdbcompression", "no")
            client.save()
        finally:
            fleet.stop()
    files = [*dump.iterdir(), *tmp_path.glob("*.log"), *(tmp_path / "logs").rglob("*")]
    assert dump / "dump.rdb" in files
    assert VALUE.encode() not in kept
    assert b"secret:file:" in kept
    for file in files:
        assert file.is_dir() or VALUE.encode() not in file.read_bytes(), file


def test_a_link_out_of_the_folder_of_secrets_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (tmp_path / "outside").write_text("x")
    os.symlink(tmp_path / "outside", folder / "link")
    (folder / "two").write_text("a\n\n")
    (folder / "large").write_bytes(b"x" * 65_537)
    (folder / "binary").write_bytes(b"\xff\xfe")

    def read(name: str) -> str:
        options = Options(env={"A": f"secret:file:{folder}/{name}"})
        places = Secrets(program="jober-worker", folders=[str(folder)], environ={})
        return with_secrets(options, places).env["A"]

    assert read("two") == "a\n"
    for name, problem in (
        ("link", "none of the folders"),
        ("../outside", "none of the folders"),
        ("large", "more than 65536 bytes"),
        ("binary", "not UTF-8"),
    ):
        with pytest.raises(SecretUnreadable, match=problem):
            read(name)


@pytest.mark.parametrize(
    "value", ["secret:file:relative", "secret:vault:x", "secret:env:JOBER_REDIS_URL", "secret:env:"]
)
def test_what_names_no_secret_is_refused_where_it_is_defined(value: str) -> None:
    with pytest.raises(DefinitionError, match="secret") as caught:
        Job(name="job", command="true", env={"A": value})
    assert caught.value.field == "env"
