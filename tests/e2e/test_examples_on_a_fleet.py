"""Examples that need no functions of their own run on a fleet as they do with no server at hand."""

import os
import subprocess
import sys

import pytest

from tests.fleet import ROOT, Fleet

PRINTED = {
    "events.py": [
        "first a snapshot",
        "on error: broken failed exit code 3",
        "then run.finished",
        "resumed: job.changed",
    ],
    "notify.py": [
        "failure of nightly - genuine: True",
        "recovery of nightly - genuine: True",
    ],
    "history.py": [
        "failed: [3]",
        "pages: 1 2",
        "moved: 3 left: 0",
        "archived: ['success', 'failed', 'success']",
    ],
}


@pytest.mark.parametrize("name", PRINTED)
def test_an_example_prints_what_it_should(fleet: Fleet, name: str) -> None:
    environ = {"HOOK_SECRET": "of the test"}
    fleet.agent("alpha")
    fleet.scheduler(environ=environ)
    done = subprocess.run(
        [sys.executable, f"examples/{name}"],
        cwd=ROOT,
        env={**os.environ, **environ, "JOBER_REDIS_URL": fleet.url},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == PRINTED[name]
