"""What the page of operations has an operator install is there, and alerts lead to its sections.
What it has one type on a fleet, tests/pages types."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.deploy.shipped import DEPLOY, ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")


def section(title: str) -> str:
    """From its headline to the next one of its level."""
    found = re.search(rf"^(#+) {re.escape(title)}\n", PAGE, re.MULTILINE)
    assert found, f"there is no section {title}"
    next_one = rf"^#{{1,{len(found[1])}}} "
    return re.split(next_one, PAGE[found.end() :], maxsplit=1, flags=re.MULTILINE)[0]


def typed(text: str) -> Iterator[list[str]]:
    """The words of each line of its shell blocks; a line may go on in the next one."""
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            if words := shlex.split(line, comments=True):
                yield words


def test_what_is_installed_by_hand_is_there_and_goes_where_the_units_look(
    secrets: Path, tmp_path: Path
) -> None:
    installed = [words for words in typed(section("By hand: systemd")) if words[0] == "install"]
    for words in installed:
        source = words[-2].replace("deploy/secrets", str(secrets))
        target = tmp_path / words[-1].lstrip("/")
        (target if words[-1].endswith("/") else target.parent).mkdir(parents=True, exist_ok=True)
        subprocess.run([*words[:-2], source, target], cwd=ROOT, check=True)
    unit = (tmp_path / "etc/systemd/system/jober-worker.service").read_text("utf-8")
    for path in re.findall(r"(?:EnvironmentFile=-|LoadCredential=\S+?:)(\S+)", unit):
        assert (tmp_path / path.lstrip("/")).exists(), path
    assert (tmp_path / "etc/jober/worker.password").stat().st_mode & 0o077 == 0


def test_every_file_of_ours_that_is_typed_is_there(secrets: Path) -> None:
    words = {word for line in typed(PAGE) for word in line}
    named = {path for word in words for path in re.findall(r"deploy/[\w./-]+", word)}
    assert len(named) > 10
    for path in named:
        if path.endswith("/"):  # a name follows, of the shell's
            continue
        made = path.replace("deploy/secrets", str(secrets))
        assert (ROOT / made).exists(), path


def test_each_alert_leads_to_what_is_to_be_done() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8"))
    for rule in rules["groups"][0]["rules"]:
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert page == "docs/operations.md"
        title = anchor.replace("-", " ").capitalize()
        assert rule["alert"] in section(title)
