"""The Ansible role: it makes a host of a fleet of an empty folder, and then has no more to do."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
import yaml
from jinja2 import Template

from jober.signing import FIRE, new_key
from jober.signing.key_file import read_signer, read_trusted
from tests.deploy.shipped import DEPLOY, LINTERS, ROOT, UNITS, linter
from tests.fleet import BIN

FOLDER = DEPLOY / "ansible"
ROLE = FOLDER / "roles" / "jober"


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of Ansible: its programs first, and a home of its own."""
    home = str(tmp_path_factory.mktemp("ansible"))
    path = f"{LINTERS}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "ANSIBLE_HOME": home, "ANSIBLE_NOCOLOR": "1"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    (made,) = folder.iterdir()
    return made


def play(environ: dict[str, str], *arguments: str | Path, fails: bool = False) -> str:
    """What it prints."""
    done = subprocess.run(
        [linter("ansible-playbook"), "site.yml", *arguments],
        cwd=FOLDER,
        env=environ,
        capture_output=True,
        text=True,
    )
    assert (done.returncode != 0) is fails, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_role_and_the_example_are_as_the_linter_has_them(environ: dict[str, str]) -> None:
    play(environ, "--syntax-check")
    done = subprocess.run(
        [linter("ansible-lint"), "--offline", "--profile", "production", "--strict"],
        cwd=FOLDER,
        env=environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_unit_has_a_part_of_the_role_and_the_variables_that_it_reads() -> None:
    parts = {unit.stem.removeprefix("jober-") for unit in UNITS}
    told = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text("utf-8"))
    assert set(told["jober_metrics"]) == set(told["jober_options"]) == parts
    template = Template((ROLE / "templates" / "default.j2").read_text("utf-8"))
    told |= {"jober_sign_keys": {"scheduler": "key", "web": "key"}, "jober_trusted": "key"}
    for part in parts:
        names = set(re.findall(r"^([A-Z_]+)=", template.render(told, item=part), re.MULTILINE))
        shipped = (DEPLOY / "systemd" / f"jober-{part}.env").read_text("utf-8")
        assert names == set(re.findall(r"^#?([A-Z_]+)=", shipped, re.MULTILINE))


def test_the_role_makes_a_host_of_a_folder_and_a_second_time_changes_nothing(
    wheel: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    root = tmp_path / "root"
    for folder in ("etc/default", "etc/systemd/system", "usr/lib/sysusers.d", "usr/lib/tmpfiles.d"):
        (root / folder).mkdir(parents=True)
    # Which has all that jober stands on, so that nothing but jober is installed.
    venv = root / "opt" / "jober"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    (site,) = venv.glob("lib/python*/site-packages")
    (site / "of-the-tests.pth").write_text(sysconfig.get_path("purelib"))
    fires = new_key("ed25519", [FIRE])
    here = {
        "ansible_connection": "local",
        "ansible_python_interpreter": str(LINTERS / "python"),
        "jober_become": False,
        "jober_root": str(root),
        "jober_wheel": str(wheel),
        "jober_passwords": {"worker": "secret"},
        "jober_sign_keys": {"scheduler": fires.line()},
        "jober_trusted": fires.public().line(),
        "jober_ca": __file__,
        "jober_roles": ["db", "primary"],
        "jober_drain": 90,
        "jober_allow": {"commands": ["pg_dump", ["/usr/bin/systemctl", "restart", "nginx"]]},
    }
    group = {"hosts": {"here": None}}
    children = {"jober_scheduler": group, "jober_worker": group}
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"jober": {"hosts": {"here": here}, "children": children}}))

    play(environ, "--inventory", inventory)

    told = subprocess.run([venv / "bin" / "jober", "version"], capture_output=True, text=True)
    ours = subprocess.run([BIN / "jober", "version"], capture_output=True, text=True)
    assert told.stdout == ours.stdout != ""
    assert (site / "jober" / "__init__.py").exists(), "the wheel is there itself"
    for part in ("scheduler", "worker"):
        name = f"jober-{part}.service"
        made = (root / "etc/systemd/system" / name).read_text("utf-8")
        assert made == (DEPLOY / "systemd" / name).read_text("utf-8")
        assert "JOBER_REDIS_URL=redis://127.0.0.1:6379/0\n" in (
            root / "etc/default" / f"jober-{part}"
        ).read_text("utf-8")
    assert not (root / "etc/default/jober-web").exists()
    assert "jober" in (root / "etc/passwd").read_text("utf-8")
    password = root / "etc/jober/worker.password"
    assert (password.read_text(), password.stat().st_mode & 0o777) == ("secret\n", 0o600)
    signs = root / "etc/jober/scheduler.key"
    assert (read_signer(str(signs)).id, signs.stat().st_mode & 0o777) == (fires.id, 0o600)
    assert [key.id for key in read_trusted(str(root / "etc/jober/trusted.pub"))] == [fires.id]
    for part, signs_by in (("scheduler", 1), ("worker", 0)):
        written = (root / "etc/default" / f"jober-{part}").read_text("utf-8")
        assert "JOBER_TRUST=/etc/jober/trusted.pub\n" in written
        assert written.count(f"JOBER_SIGN_KEY=/run/credentials/jober-{part}.service/") == signs_by
    settings = tomllib.loads((root / "etc/jober/worker.toml").read_text("utf-8"))
    assert settings["roles"] == ["db", "primary"] and settings["allow"] == here["jober_allow"]
    drain = root / "etc/systemd/system/jober-worker.service.d/drain.conf"
    assert "TimeoutStopSec=110\n" in drain.read_text("utf-8")

    (recap,) = re.findall(r"^here +: (.*)$", play(environ, "--inventory", inventory), re.MULTILINE)
    assert "changed=0 " in recap and "failed=0 " in recap

    # What the worker would refuse does not get there.
    wrong = ("--extra-vars", '{"jober_worker": {"slotz": 3}}')
    task = ("--start-at-task", "Have the settings of the worker")
    assert "slotz" in play(environ, "--inventory", inventory, *wrong, *task, fails=True)
    assert "slotz" not in (root / "etc/jober/worker.toml").read_text("utf-8")
