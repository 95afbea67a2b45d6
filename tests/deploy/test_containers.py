"""The image, and the fleets of containers."""

import re
import shlex
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from jober import Jober
from jober.daemon import SIGN_KEY_VARIABLE, TRUST_VARIABLE
from tests.deploy.shipped import DEPLOY, PROJECT, ROOT, check_command, lint, settings
from tests.fleet import Fleet
from tests.free_port import free_port
from tests.waiting import wait_until

DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
COMPOSE = {
    path.name: yaml.safe_load(path.read_text("utf-8")) for path in DEPLOY.glob("compose*.yaml")
}
SMALL, LARGE = COMPOSE["compose.yaml"], COMPOSE["compose.sentinel.yaml"]
each_fleet = pytest.mark.parametrize("name", COMPOSE)


def programs(compose: Mapping[str, Any]) -> dict[str, list[str]]:
    """The commands of ours that it starts, by service."""
    return {
        name: service["command"]
        for name, service in compose["services"].items()
        if service.get("image") == "jober" and "command" in service
    }


@each_fleet
def test_a_compose_file_is_of_the_schema(name: str) -> None:
    lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / name)


@each_fleet
def test_a_compose_file_has_keys_once_the_lines_of_them_are_let_in(
    name: str, tmp_path: Path
) -> None:
    text = (DEPLOY / name).read_text("utf-8")
    file = tmp_path / name
    file.write_text(re.sub(r"^( *)#(?=\w|- )", r"\1", text, flags=re.MULTILINE))
    lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", file)
    compose = yaml.safe_load(file.read_text("utf-8"))
    for service in compose["services"].values():
        if service.get("image") != "jober":
            continue
        environ, program = service["environment"], service.get("command", ["jober"])[0]
        signs = {SIGN_KEY_VARIABLE} if program != "jober-worker" else set()
        assert environ.keys() == {"JOBER_REDIS_URL", TRUST_VARIABLE, *signs}
        for variable in (TRUST_VARIABLE, *signs):
            secret = environ[variable].removeprefix("/run/secrets/")
            assert secret in service["secrets"] and secret in compose["secrets"]


@each_fleet
def test_a_compose_file_starts_two_of_each_with_options_that_there_are(name: str) -> None:
    commands = programs(COMPOSE[name])
    daemons = [command[0] for command in commands.values()]
    assert daemons.count("jober-scheduler") == daemons.count("jober-worker") == 2
    for command in commands.values():
        check_command(command)
    services = COMPOSE[name]["services"]
    hosts = [services[service]["hostname"] for service in commands]
    assert len(hosts) == len(set(hosts))
    for service in commands:
        assert "init" not in services[service]
        needs = services[service]["depends_on"].values()
        assert {need["condition"] for need in needs} == {"service_healthy"}


@each_fleet
def test_a_fleet_of_containers_is_reached_on_this_machine_alone_or_not_at_all(name: str) -> None:
    for service in COMPOSE[name]["services"].values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")


@each_fleet
def test_every_file_and_secret_that_a_compose_file_names_is_there(name: str, secrets: Path) -> None:
    compose, named = COMPOSE[name], set()
    for service in compose["services"].values():
        if build := service.get("build"):
            assert (DEPLOY / build["context"]).resolve() == ROOT
            named.add(ROOT / build["dockerfile"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                named.add(DEPLOY / source)
            else:
                assert source in compose["volumes"]
        for secret in service.get("secrets", []):
            source = secret if isinstance(secret, str) else secret["source"]
            named.add(secrets / compose["secrets"][source]["file"].removeprefix("./secrets/"))
    assert named
    for path in named:
        assert path.exists(), path


def test_each_part_with_sentinels_has_its_own_user_and_the_files_that_its_address_names() -> None:
    users = re.findall(r"^user (\w+) on", (DEPLOY / "redis/users.acl").read_text(), re.MULTILINE)
    parts = {"jober-scheduler": "scheduler", "jober-worker": "agent", "jober-web": "web"}
    for service in LARGE["services"].values():
        if service.get("image") != "jober":
            continue
        url = service["environment"]["JOBER_REDIS_URL"]
        Jober(url).close()
        user = parts.get(service.get("command", [""])[0], "ops")
        assert f"//{user}@" in url and user in users
        for path in re.findall(r"=/run/secrets/([^&]+)", url):
            assert path in service["secrets"]
        for path in re.findall(r"/run/secrets/(\S+)", shlex.join(service.get("command", []))):
            assert path in service["secrets"]


def test_what_runs_with_sentinels_has_few_rights_and_an_end_to_what_it_takes() -> None:
    for name, service in LARGE["services"].items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert name == "cli" or "memory" in service["deploy"]["resources"]["limits"], name


@each_fleet
def test_containers_are_given_the_time_that_units_are(name: str) -> None:
    for service, command in programs(COMPOSE[name]).items():
        unit = settings(DEPLOY / "systemd" / f"{command[0]}.service")
        grace = COMPOSE[name]["services"][service]["stop_grace_period"]
        assert grace == unit["TimeoutStopSec"] + "s"


def test_the_health_checks_tell_a_healthy_service_from_another(fleet: Fleet) -> None:
    services = SMALL["services"]
    leads, works = (
        services[name]["healthcheck"]["test"] for name in ("scheduler-1", "worker-alpha")
    )
    (check,) = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    of_the_image = ["CMD", *yaml.safe_load(check)]
    fleet.environ["JOBER_METRICS"] = f"127.0.0.1:{free_port()}"

    def is_healthy(test: list[Any]) -> bool:
        assert test[0] == "CMD"
        return fleet.start(*test[1:]).wait(20) == 0

    assert not any(is_healthy(test) for test in (leads, works, of_the_image))
    fleet.scheduler()
    fleet.leading()
    wait_until(lambda: is_healthy(of_the_image), told="the health of a scheduler")
    fleet.agent(socket.gethostname(), "", "--metrics", f"127.0.0.1:{free_port()}")
    assert is_healthy(leads) and is_healthy(works)


def test_the_linter_has_nothing_to_say_of_the_image_and_the_script() -> None:
    lint("hadolint", DEPLOY / "Dockerfile")
    lint("shellcheck", DEPLOY / "make-secrets.sh")


def test_the_image_gets_every_package_and_nothing_runs_as_root() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {package.split("/")[0] for package in packages} <= sources
    for source in sources:
        assert (ROOT / source).exists() and f"!{source}" in ignored
    (extras,) = re.findall(r"\.\[([a-z,]+)\]", DOCKERFILE)
    assert set(extras.split(",")) <= PROJECT["project"]["optional-dependencies"].keys()
    assert DOCKERFILE.count("\nFROM ") == 2
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == ["10001"]
    assert not re.search(r"^(CMD|ENTRYPOINT) [^\[]", DOCKERFILE, re.MULTILINE)
