"""The settings of a worker: by the command line, the environment, a file, or the defaults."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from jober.errors import DefinitionError
from jober_worker.allow import LISTS
from jober_worker.config_file import read_config
from jober_worker.options import DEFAULT, OPTIONS, Told, effective
from tests.fleet import BIN, ROOT

GOOD = """
roles = ["db", "web"]
slots = 4
log_level = "debug"

[allow]
commands = ["pg_dump", ["/bin/echo", "hello"]]
"""


def worker(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(BIN / "jober-worker"), *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "JOBER_REDIS_URL": "redis://127.0.0.1:1/0", **environment},
        timeout=60,
    )


def test_the_command_line_wins_over_the_environment_that_over_the_file_and_it_over_defaults() -> (
    None
):
    file = {"slots": 4, "redis": "redis://file", "drain": 5}
    environment = {"JOBER_REDIS_URL": "redis://environment"}
    told = effective({"slots": 7}, environment, file, "a.toml")
    assert told["slots"] == Told(value=7, source="the command line")
    assert told["redis"] == Told(value="redis://environment", source="JOBER_REDIS_URL")
    assert told["drain"] == Told(value=5.0, source="a.toml")
    assert told["log_level"] == Told(value="info", source=DEFAULT)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("slots = 0", ":1: slots: 0 is not in 1-1000"),
        ("a = 1\nslots = 2", ":1: a: there is no such setting"),
        ("\nslotz = 2", ":2: slotz: there is no such setting, did you mean 'slots'?"),
        ("slots = true", "slots: True is not in 1-1000"),
        ('log_level = "loud"', "log_level: 'loud' is no level (one of debug"),
        ('roles = ["a b"]', "roles: 'a b' is not a role name"),
        ("slots = ", "it is not TOML"),
        ('[allow]\ncomands = ["a"]', ":2: allow.comands: there is no such list, did you mean"),
        ('roles = ["x"]\n[allow]\nroles = ["web"]', "does not name 'x'"),
    ],
)
def test_a_wrong_file_ends_the_start_with_line_field_and_mend(
    text: str, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "worker.toml"
    file.write_text(text)
    done = worker("--config", str(file))
    assert done.returncode == 78
    assert told in done.stderr and str(file) in done.stderr and done.stderr.count("\n") == 1


def test_a_file_that_is_named_has_to_be_there_and_that_of_the_host_need_not(
    tmp_path: Path,
) -> None:
    with pytest.raises(DefinitionError, match="there is no such file"):
        read_config(str(tmp_path / "none.toml"))
    assert read_config(None, str(tmp_path / "none.toml")).values == {}


def test_a_check_tells_each_setting_and_where_it_is_from(tmp_path: Path) -> None:
    file = tmp_path / "worker.toml"
    file.write_text(GOOD)
    done = worker("--check", "--config", str(file), "--slots", "7", "--host", "db1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert f"roles         db, web  ({file})" in lines
    assert "slots         7  (the command line)" in lines
    assert "drain         60.0  (default)" in lines
    assert f"allow commands: pg_dump, /bin/echo hello  ({file})" in lines
    assert "Redis at redis://127.0.0.1:1/0" in lines[-1]


def test_a_check_as_json_has_no_password(tmp_path: Path) -> None:
    done = worker("--check", "--json", JOBER_REDIS_URL="redis://:hunter2@127.0.0.1:1/0")
    told = json.loads(done.stdout)
    assert told["settings"]["slots"] == {"value": 10, "from": "default"}
    assert told["settings"]["redis"]["from"] == "JOBER_REDIS_URL"
    assert "hunter2" not in done.stdout


def test_a_filter_that_cannot_be_had_ends_the_check_and_the_start() -> None:
    for arguments in (["--check"], []):
        done = worker(*arguments, "--filter", "nowhere.at:all")
        assert done.returncode == 78
        assert "filter: nowhere.at:all cannot be had" in done.stderr


def test_json_is_for_check_alone() -> None:
    assert worker("--json").returncode == 2


def test_the_file_that_is_shipped_is_good_as_it_is_and_with_all_of_it_in_force(
    tmp_path: Path,
) -> None:
    shipped = (ROOT / "deploy" / "worker" / "worker.toml").read_text()
    settings, _, lists = shipped.partition("#[allow]")
    in_force = re.sub(r"^#(?=[a-z_]+ = )", "", settings, flags=re.MULTILINE)
    in_force += re.sub(r"^#(?=[a-z_]+ = )", "", "[allow]" + lists, flags=re.MULTILINE)
    for text in (shipped, in_force):
        file = tmp_path / "worker.toml"
        file.write_text(text)
        effective({}, {}, read_config(str(file)).values, str(file))
    read = read_config(str(file))
    assert set(read.values) == set(OPTIONS)
    assert set(read.allow.lists) == set(LISTS)
