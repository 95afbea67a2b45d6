"""The README says what is so: its examples are good, run, and name commands that there are."""

import ast
import importlib
import os
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from jober import __version__
from jober.cli.commands import COMMANDS
from jober.jobs_file import parse_jobs
from tests.fleet import BIN, Fleet

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]


def blocks(language: str, text: str = README) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert found, f"there is no {language} in it"
    return found


def commands() -> list[list[str]]:
    """The words of each command in the README, without comments."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


@cache
def help_of(*command: str) -> str:
    told = subprocess.run(
        [str(BIN / command[0]), *command[1:], "--help"], capture_output=True, text=True
    )
    assert told.returncode == 0, f"{' '.join(command)} --help: {told.stderr}"
    return told.stdout


@pytest.mark.parametrize("number", range(len(blocks("toml"))))
def test_a_jobs_file_of_the_readme_is_good(number: int) -> None:
    assert parse_jobs(blocks("toml")[number], "toml", "README.md").jobs


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_a_program_of_the_readme_runs_on_a_real_fleet(
    number: int, fleet: Fleet, tmp_path: Path
) -> None:
    """It prints what the comments at its prints tell."""
    program = blocks("python")[number]
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                assert hasattr(importlib.import_module(node.module), name.name)
    (tmp_path / "fleet.toml").write_text(blocks("toml")[0])
    fleet.jober.apply(tmp_path / "fleet.toml")
    fleet.agent("alpha", "adder")
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "JOBER_REDIS_URL": fleet.url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    promised = re.findall(r"^ *print\(.*\)  # (.+)$", program, re.MULTILINE)
    assert promised and done.stdout.splitlines() == promised


def command_of(words: list[str]) -> list[str]:
    """The words that name a command of ours: `jober import crontab` has three."""
    if words[0] != "jober":
        return words[:1]
    return words[:3] if " ".join(words[1:3]) in COMMANDS else words[:2]


def test_the_readme_names_commands_and_options_that_there_are() -> None:
    ours = [words for words in commands() if words[0] in SCRIPTS]
    assert {words[0] for words in ours} == set(SCRIPTS)
    for words in ours:
        command = command_of(words)
        told = help_of(*command)
        for word in words[len(command) :]:
            if word.startswith("-"):
                option = rf"(^|[\s,]){re.escape(word)}([\s,=]|$)"
                assert re.search(option, told, re.MULTILINE), f"{shlex.join(words)}: no {word}"


def test_the_readme_shows_most_of_the_commands_and_the_changelog_all_of_them() -> None:
    listed = set(re.findall(r"^  ([a-z]+(?: [a-z]+)?) +[A-Z]", help_of("jober"), re.MULTILINE))
    assert len(listed) > 15
    # Those that start something have a name of their own in the README, and so has the demo.
    started = {"scheduler", "worker", "web", "dev", "version"}
    told = {" ".join(command_of(words)[1:]) for words in commands() if words[0] == "jober"}
    assert told <= listed
    assert listed - told - started == {"remove", "import systemd", "limits remove", "agents cordon"}
    for command in listed - started:
        assert f"`{command}`" in CHANGELOG or f"`jober {command}" in CHANGELOG, command


def test_the_readme_names_targets_of_make_that_there_are() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)$", README, re.MULTILINE))
    named |= set(re.findall(r"`make ([a-z]+)`", README))
    assert {"demo", "test", "check"} <= named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor and file.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}
            assert anchor in anchors, f"{page.name}: {target}"


def test_the_changelog_has_the_version_that_is_being_made() -> None:
    newest = re.search(r"^## \[(.+)\] - (\S+)$", CHANGELOG, re.MULTILINE)
    assert newest and newest[1] == __version__
