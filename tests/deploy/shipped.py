"""What deploy/ has, and the programs that its files start."""

import os
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.fleet import BIN

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LINTERS = ROOT / ".venv" / "linters" / "bin"


def linter(name: str) -> Path:
    """The program, which `make linters` installs; a failure where CI is set and it is missing."""
    found = LINTERS / name
    if not found.exists():
        told = f"{name} is not there: `make linters`"
        pytest.fail(told) if os.environ.get("CI") else pytest.skip(told)
    return found


def lint(name: str, *arguments: str | Path) -> None:
    """It has no complaint."""
    done = subprocess.run([linter(name), *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@cache
def help_of(program: str) -> str:
    return subprocess.run(
        [BIN / program, "--help"], capture_output=True, text=True, check=True
    ).stdout


# Settings that may stand more than once: each line adds to the others.
_LISTS = {"SystemCallFilter", "Environment", "EnvironmentFile", "After", "Wants", "ReadWritePaths"}
_LISTS |= {"LoadCredential", "SetCredential"}
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
    told = help_of(program)
    found = re.search(rf"^ +{option} .*?\(default: (\d+)\)", told, re.DOTALL | re.MULTILINE)
    assert found, f"{program} has no {option} with a default"
    return float(found[1])


def check_command(words: list[str]) -> None:
    """The command is one of ours, and has the options that are given to it."""
    assert words[0] in PROJECT["project"]["scripts"], words
    for word in words[1:]:
        if word.startswith("--"):
            assert re.search(rf"^\s+{re.escape(word)}\b", help_of(words[0]), re.MULTILINE), words
