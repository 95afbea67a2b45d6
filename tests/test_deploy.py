"""What deploy/ ships is what it says: it parses, it starts, and it names what there is."""

import re
import shlex
import shutil
import socket
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from jober import Jober
from jober.embedded import find_server
from tests.fleet import BIN, Fleet
from tests.waiting import wait_until

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
CONF = DEPLOY / "redis" / "redis.conf"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))

# Redis


@contextmanager
def server_of_the_conf(folder: Path, *more: str) -> Iterator[redis.Redis]:
    """A server started with the file alone, but for where it listens."""
    path = folder / "redis.sock"
    process = subprocess.Popen(
        [find_server(), str(CONF), "--port", "0", "--unixsocket", str(path), *more],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    client: redis.Redis = redis.Redis(unix_socket_path=str(path))
    try:
        wait_until(lambda: path.exists() or process.poll() is not None, told="its socket")
        if process.poll() is not None:
            pytest.fail(f"it does not start: {process.communicate()[0].decode()}")
        yield client
    finally:
        client.close()
        process.terminate()
        process.communicate()


def test_redis_starts_with_the_configuration_and_keeps_what_it_is_told(tmp_path: Path) -> None:
    with server_of_the_conf(tmp_path) as client:
        for setting, value in {
            "appendonly": "yes",
            "appendfsync": "everysec",
            "no-appendfsync-on-rewrite": "no",
            "maxmemory-policy": "noeviction",
            "protected-mode": "yes",
            "bind": "127.0.0.1 -::1",
            "save": "",
            "timeout": "0",
            "min-replicas-to-write": "0",
        }.items():
            assert client.config_get(setting) == {setting: value}
        limits = str(client.config_get("client-output-buffer-limit"))
        assert f"pubsub {32 << 20} {8 << 20} 60" in limits
        client.set("kept", "yes")
    with server_of_the_conf(tmp_path) as client:
        assert client.get("kept") == b"yes"


def test_the_settings_for_replicas_are_taken_and_stop_writes_on_a_single_node(
    tmp_path: Path,
) -> None:
    told = re.findall(r"^#(min-replicas-\S+) (\d+)$", CONF.read_text("utf-8"), re.MULTILINE)
    assert dict(told) == {"min-replicas-to-write": "1", "min-replicas-max-lag": "10"}
    options = [word for name, value in told for word in (f"--{name}", value)]
    with server_of_the_conf(tmp_path, *options) as client:
        with pytest.raises(redis.ResponseError, match="NOREPLICAS"):
            client.set("a", "b")


def test_each_setting_has_its_reason_above_it() -> None:
    above = ""
    for line in CONF.read_text("utf-8").splitlines():
        setting = line and not line.startswith("#")
        assert not setting or above.startswith("# "), f"{line} stands without a word"
        above = line


def test_the_user_of_the_configuration_may_do_all_that_a_fleet_does_and_no_more(
    fleet: Fleet,
) -> None:
    (rules,) = re.findall(r"^#user jober (.+)$", CONF.read_text("utf-8"), re.MULTILINE)
    fleet.jober.store.connection.command("ACL", "SETUSER", "jober", *rules.split())
    fleet.url = fleet.url.replace("unix://", "unix://jober:change-me@")
    fleet.scheduler()
    fleet.agent("alpha", "adder")
    with Jober(fleet.url) as jober:
        jober.add_job("sum", call="operator:add", args=[1, 2], every=1, roles=["adder"])
        assert jober.run("sum").result(timeout=20) == 3
        wait_until(lambda: [run for run in jober.runs("sum") if run.trigger == "schedule"])
        for forbidden in (("FLUSHALL",), ("CONFIG", "GET", "*"), ("GET", "of-others")):
            with pytest.raises(Exception, match=r"NOPERM|permissions"):
                jober.store.connection.command(*forbidden)


# systemd

# Settings that may stand more than once: each line adds to the others.
_LISTS = {"SystemCallFilter", "Environment", "EnvironmentFile", "After", "Wants", "ReadWritePaths"}
_SECTIONS = ["Unit", "Service", "Install"]


def settings(unit: Path) -> dict[str, str]:
    """The settings of a unit, read strictly: nothing twice, nothing outside a section."""
    found: dict[str, str] = {}
    sections = []
    for number, line in enumerate(unit.read_text("utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if header := re.fullmatch(r"\[(\w+)\]", line):
            sections.append(header[1])
            continue
        setting = re.fullmatch(r"([A-Z]\w+)=(.*\S)?", line)
        where = f"{unit.name}:{number}: {line}"
        assert setting and sections and not line.endswith("\\"), where
        assert setting[1] in _LISTS or setting[1] not in found, f"{where} stands twice"
        found[setting[1]] = " ".join(filter(None, (found.get(setting[1]), setting[2] or "")))
    assert sections == _SECTIONS, unit.name
    return found


def default_of(program: str, option: str) -> float:
    told = subprocess.run([BIN / program, "--help"], capture_output=True, text=True, check=True)
    found = re.search(rf"^ +{option} .*?\(default: (\d+)\)", told.stdout, re.DOTALL | re.MULTILINE)
    assert found, f"{program} has no {option} with a default"
    return float(found[1])


def check_command(words: list[str]) -> None:
    """The command is one of ours, and has the options that are given to it."""
    assert words[0] in PROJECT["project"]["scripts"], words
    told = subprocess.run([BIN / words[0], "--help"], capture_output=True, text=True, check=True)
    for word in words[1:]:
        if word.startswith("--"):
            assert re.search(rf"^\s+{re.escape(word)}\b", told.stdout, re.MULTILINE), words


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_read_without_a_complaint(unit: Path, tmp_path: Path) -> None:
    settings(unit)
    verify = shutil.which("systemd-analyze")
    if verify is None:
        return
    # The program is not installed there on this machine: it is the same one, in this environment.
    text = unit.read_text("utf-8").replace("/opt/jober/bin", str(BIN))
    (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        [verify, "verify", "--man=no", str(tmp_path / unit.name)], capture_output=True, text=True
    )
    # Other units of this machine may be complained of too.
    own = [line for line in done.stderr.splitlines() if unit.name in line]
    assert not own, "\n".join(own)


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
    for url in re.findall(r"^#?JOBER_REDIS_URL=(.*)$", text, re.MULTILINE):
        Jober(url).close()


# Containers


def test_the_compose_file_starts_two_schedulers_and_two_workers_on_one_redis() -> None:
    services = COMPOSE["services"]
    programs = [
        service["command"][0]
        for service in services.values()
        if service.get("image") == "jober" and "command" in service
    ]
    assert sorted(programs) == ["jober-scheduler"] * 2 + ["jober-worker"] * 2
    hosts = [service["hostname"] for service in services.values() if "hostname" in service]
    assert len(hosts) == len(set(hosts)) == 4
    for service in services.values():
        assert "ports" not in service, "nothing is to be reachable from outside"
        if service.get("image") == "jober" and "command" in service:
            check_command(service["command"])
            assert service["depends_on"]["redis"]["condition"] == "service_healthy"
            assert "init" not in service


def test_every_file_that_the_compose_file_names_is_there() -> None:
    named = set()
    for service in COMPOSE["services"].values():
        if build := service.get("build"):
            context = (DEPLOY / build["context"]).resolve()
            assert context == ROOT
            named.add(context / build["dockerfile"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                named.add(DEPLOY / source)
            else:
                assert source in COMPOSE["volumes"]
    assert len(named) == 3
    for path in named:
        assert path.exists(), path


def test_containers_are_given_the_time_that_units_are() -> None:
    for service in COMPOSE["services"].values():
        program = service.get("command", [""])[0]
        if program.startswith("jober-"):
            unit = settings(DEPLOY / "systemd" / f"{program}.service")
            assert service["stop_grace_period"] == unit["TimeoutStopSec"] + "s"


def test_the_health_checks_tell_a_healthy_service_from_another(fleet: Fleet) -> None:
    services = COMPOSE["services"]
    leads, works = (
        services[name]["healthcheck"]["test"] for name in ("scheduler-1", "worker-alpha")
    )

    def is_healthy(test: list[Any]) -> bool:
        assert test[0] == "CMD"
        return fleet.start(*test[1:]).wait(20) == 0

    assert not is_healthy(leads) and not is_healthy(works)
    fleet.scheduler()
    fleet.leading()
    fleet.agent(socket.gethostname())
    assert is_healthy(leads) and is_healthy(works)


def test_the_image_gets_every_package_and_nothing_runs_as_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {package.split("/")[0] for package in packages} <= sources
    for source in sources:
        assert (ROOT / source).exists() and f"!{source}" in ignored
    assert text.count("\nFROM ") == 2
    assert re.findall(r"^USER (\S+)$", text, re.MULTILINE) == ["10001"]
    assert not re.search(r"^(CMD|ENTRYPOINT) [^\[]", text, re.MULTILINE)
