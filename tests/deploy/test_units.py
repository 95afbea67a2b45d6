"""The units of systemd, and what goes with them."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from jober import Jober
from jober.bind import METRICS_EXAMPLE, read_bind
from tests.deploy.shipped import DEPLOY, PROJECT, UNITS, check_command, default_of, settings
from tests.fleet import BIN

# How exposed a service may be at most, of 100, by systemd's own reckoning. The worker has what its
# jobs need: its unit says of each line why.
EXPOSURE = {"jober-scheduler": 15, "jober-web": 15, "jober-worker": 23}


def systemd(name: str) -> str:
    """A program of systemd; a failure where CI is set and it is missing."""
    if found := shutil.which(name):
        return found
    told = f"{name} is not there: apt install systemd"
    if os.environ.get("CI"):
        pytest.fail(told)
    pytest.skip(told)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_reads_a_unit_without_a_complaint_and_finds_it_closed(
    unit: Path, tmp_path: Path
) -> None:
    settings(unit)
    # The program is not installed there on this machine: it is the same one, in this environment.
    here = tmp_path / unit.name
    here.write_text(unit.read_text("utf-8").replace("/opt/jober/bin", str(BIN)))
    analyze = systemd("systemd-analyze")
    done = subprocess.run([analyze, "verify", "--man=no", here], capture_output=True, text=True)
    # Other units of this machine may be complained of too.
    own = [line for line in done.stderr.splitlines() if unit.name in line]
    assert not own, "\n".join(own)
    exposure = ("--offline=true", f"--threshold={EXPOSURE[unit.stem]}")
    done = subprocess.run([analyze, "security", *exposure, here], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_debians_unit_of_redis_takes_the_settings_for_high_availability(tmp_path: Path) -> None:
    unit = tmp_path / "redis-server.service"
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    drop_in = tmp_path / "redis-server.service.d" / "ha.conf"
    drop_in.parent.mkdir()
    text = (DEPLOY / "redis" / "redis-server.ha.conf").read_text("utf-8")
    assert "/etc/redis/ha.conf " in text
    drop_in.write_text(text.replace("/usr/bin/redis-server", "/bin/true"))
    verify = (systemd("systemd-analyze"), "verify", "--man=no", unit)
    done = subprocess.run(verify, capture_output=True, text=True)
    assert "redis-server" not in done.stderr, done.stderr


def test_systemd_makes_the_user_and_the_folders_of_the_units(tmp_path: Path) -> None:
    secret = ("etc/jober/worker.password", "etc/jober/scheduler.key")
    for file in ("etc/passwd", "etc/group", *secret):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch(0o644)
    for program, file in (
        (("systemd-sysusers",), "jober.sysusers"),
        (("systemd-tmpfiles", "--create"), "jober.tmpfiles"),
    ):
        subprocess.run(
            [systemd(program[0]), *program[1:], f"--root={tmp_path}", DEPLOY / "systemd" / file],
            check=True,
        )
    (user,) = re.findall(r"^jober:.*$", (tmp_path / "etc/passwd").read_text(), re.MULTILINE)
    told = settings(DEPLOY / "systemd" / "jober-worker.service")
    assert user.split(":")[-2:] == [told["WorkingDirectory"], "/usr/sbin/nologin"]
    assert (tmp_path / "etc/jober").stat().st_mode & 0o777 == 0o755
    for file in secret:
        assert (tmp_path / file).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_of_ours_and_always_again(unit: Path) -> None:
    told = settings(unit)
    folder, _, command = told["ExecStart"].split()[0].rpartition("/")
    assert folder == "/opt/jober/bin"
    assert command == unit.stem and command in PROJECT["project"]["scripts"]
    assert told["Restart"] == "always" and told["StartLimitIntervalSec"] == "0"
    assert told["KillMode"] == "mixed"
    assert f"/etc/default/{unit.stem}" in told["EnvironmentFile"]
    assert told["EnvironmentFile"].startswith("-")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_leaves_a_service_no_more_rights_than_it_needs(unit: Path) -> None:
    told = settings(unit)
    assert told["NoNewPrivileges"] == "yes"
    assert told["ProtectSystem"] == "strict"
    assert told["ProtectHome"] == "yes"
    assert told["SystemCallFilter"].startswith("@system-service")
    assert {"AF_INET", "AF_INET6", "AF_UNIX"} <= set(told["RestrictAddressFamilies"].split())
    assert told.get("DynamicUser") == "yes" or told["User"] == "jober"


def test_the_worker_has_its_drain_and_twenty_seconds_more_to_stop_in() -> None:
    told = settings(DEPLOY / "systemd" / "jober-worker.service")
    assert float(told["TimeoutStopSec"]) == default_of("jober-worker", "--drain") + 20


def test_the_worker_has_a_folder_for_its_socket_that_runs_of_any_user_may_pass_through() -> None:
    told = settings(DEPLOY / "systemd" / "jober-worker.service")
    # Not the scheduler's: systemd removes it when the unit stops.
    assert told["RuntimeDirectory"] == "jober-worker"
    assert int(told["RuntimeDirectoryMode"], 8) & 0o001
    assert "AF_UNIX" in told["RestrictAddressFamilies"].split()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_environment_of_a_unit_holds_options_that_there_are(unit: Path) -> None:
    text = unit.with_suffix(".env").read_text("utf-8")
    for line in text.splitlines():
        assert not line or re.fullmatch(r"# .+|#|#?[A-Z_]+=.*", line), line
    name = f"{unit.stem.replace('-', '_').upper()}_OPTIONS"
    assert f"${name}" in settings(unit)["ExecStart"]
    given = re.findall(rf"^#?{name}=(.*)$", text, re.MULTILINE)
    assert len(given) > 1
    for options in given:
        check_command([unit.stem, *shlex.split(options)])
    passed_on = {one.split(":")[0] for one in settings(unit)["LoadCredential"].split()}
    for url in re.findall(r"^#?JOBER_REDIS_URL=(.*)$", text, re.MULTILINE):
        Jober(url).close()
        if "password_file=" in url:
            assert f"password_file=/run/credentials/{unit.name}/redis-password" in url
            assert "redis-password" in passed_on
    for path in re.findall(r"^#?JOBER_SIGN_KEY=(.*)$", text, re.MULTILINE):
        assert path == f"/run/credentials/{unit.name}/sign-key" and "sign-key" in passed_on
    check_command([unit.stem, "--trust"])
    (metrics,) = re.findall(r"^#?JOBER_METRICS=(.*)$", text, re.MULTILINE)
    assert read_bind(metrics, METRICS_EXAMPLE).host == "127.0.0.1"
    check_command([unit.stem, "--metrics"])
