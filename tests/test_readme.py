"""The README shows what there is. That its blocks do what they say: tests/pages."""

import re
import shlex
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

from jober import __version__
from tests.fleet import BIN
from tests.pages.blocks import blocks_of, statements
from tests.pages.parsing import command_of

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]


def commands() -> list[list[str]]:
    """The words of each command in the README, without comments."""
    typed = [
        one
        for block in blocks_of(ROOT / "README.md")
        if block.language == "sh"
        for one in statements(block)
    ]
    return [shlex.split(one.text, comments=True) for one in typed]


@cache
def help_of(*command: str) -> str:
    told = subprocess.run(
        [str(BIN / command[0]), *command[1:], "--help"], capture_output=True, text=True
    )
    assert told.returncode == 0, f"{' '.join(command)} --help: {told.stderr}"
    return told.stdout


def test_the_readme_names_every_program() -> None:
    assert SCRIPTS.keys() <= {words[0] for words in commands()}


def test_the_readme_shows_most_of_the_commands_and_the_changelog_all_of_them() -> None:
    listed = set(re.findall(r"^  ([a-z]+(?: [a-z]+)?) +[A-Z]", help_of("jober"), re.MULTILINE))
    assert len(listed) > 15
    # Those that start something have a name of their own in the README, and so has the demo.
    started = {"scheduler", "worker", "web", "dev", "version"}
    told = {command_of(words) for words in commands() if words[0] == "jober"}
    assert told <= listed
    left_out = {"remove", "import systemd", "limits remove", "agents cordon", "key sign"}
    assert listed - told - started == left_out
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
