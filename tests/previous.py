"""The version before this one, installed beside this one into an environment of its own: `make
previous`. Tests start its programs together with ours.

It is the last release; where there is none yet, the last commit before records had a schema.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOME = ROOT / ".venv" / "previous"
BIN = HOME / "bin"
BEFORE_SCHEMAS = "4a217093e76cfc359dffef6b51f533de4422fa60"


def programs() -> Path:
    """Where its programs are; a test that has none fails."""
    if not (BIN / "jober").exists():
        pytest.fail("the version before this one is not installed: make previous", pytrace=False)
    return BIN


def main() -> int:
    """Install it, where it is not; 1 and what is to be done about it where it cannot be."""
    commit = _commit()
    if commit is None:
        print(  # noqa: T201
            "this clone has no history to take the version before this one from: "
            "git fetch --unshallow --tags",
            file=sys.stderr,
        )
        return 1
    stamp = HOME / "commit"
    if not stamp.exists() or stamp.read_text() != commit:
        print(f"installing the version before this one, {commit[:10]}")  # noqa: T201
        _install(commit)
        stamp.write_text(commit)
    return 0


def _commit() -> str | None:
    """The last release before this commit, else what stood before schemas; None where neither is in
    this clone."""
    released = _git("describe", "--tags", "--abbrev=0", "HEAD^")
    return _git("rev-parse", "--verify", f"{released or BEFORE_SCHEMAS}^{{commit}}")


def _git(*arguments: str) -> str | None:
    told = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return told.stdout.strip() if told.returncode == 0 else None


def _install(commit: str) -> None:
    source = ROOT / "build" / "previous"
    for folder in (source, HOME):
        shutil.rmtree(folder, ignore_errors=True)
    source.mkdir(parents=True)
    archive = subprocess.run(
        ["git", "archive", commit], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    subprocess.run(["tar", "-x", "-C", str(source)], input=archive.stdout, check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(HOME)], check=True)
    quiet = ("--disable-pip-version-check", "--quiet")
    pip = [sys.executable, "-m", "pip", *quiet, "--python", str(BIN / "python")]
    subprocess.run([*pip, "install", str(source)], check=True)


if __name__ == "__main__":
    sys.exit(main())
