"""The examples run as they stand, from where a reader stands, and print what they should."""

import os
import subprocess
import sys

import pytest

from tests.fleet import ROOT

PRINTED = {
    "cleanup.py": ["left: ['report-3']", "runs kept: 1 cleaned up after: 2"],
    "dict_form.py": [
        "jobs: ['job_a', 'often']",
        "often is there already",
        "never has no next fire",
        "often made {3}",
        "dumped: ['job_a', 'often']",
    ],
    "script.py": [
        "failed 3 ['1', '2', '3']",
        "it counts: True",
        "it has counted to 10",
        "timeout after 2 attempts",
        "a line, as soon as it is written",
    ],
    "shared_folder.py": [
        "the other's run is running",
        "the other is killed; its run is cancelled",
        "what it had detached says success ['done']",
        "we go on: success",
    ],
}


@pytest.mark.parametrize("name", PRINTED)
def test_an_example_prints_what_it_should(name: str) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("JOBER_")}
    done = subprocess.run(
        [sys.executable, f"examples/{name}"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == PRINTED[name]
    assert done.stderr == ""
