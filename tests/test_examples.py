"""The examples run as they stand, from where a reader stands, and print what they should."""

import os
import subprocess
import sys

import pytest

from tests.fleet import ROOT

PRINTED = {
    "asynchronous.py": [
        *("1", "2", "3"),
        "success 0",
        "told of numbers: success",
        "[0, 1, 4, 9, 16]",
        "it has fired",
    ],
    "batch.py": [
        "fetch success 1 0 True",
        "check success 0 0 True",
        "bad failed 0 3 True",
        "never skipped None None False",
        "log: all is well",
        "['id', 'state', 'retried', 'exit_code', 'start', 'finish', 'elapsed']",
        "[('slow', 'cancelled'), ('bad', 'failed')]",
    ],
    "cleanup.py": ["left: ['report-3']", "runs kept: 1 cleaned up after: 2"],
    "dict_form.py": [
        "jobs: ['job_a', 'often']",
        "often is there already",
        "never has no next fire",
        "often made {3}",
        "dumped: ['job_a', 'often']",
    ],
    "handles.py": [
        "first success 0",
        "['1'] ['8', '9'] ['hello']",
        r"b'1\n2\n' 9",
        "a run has that id already",
        "copied: 2",
        "progress: (2, 2)",
        "logged: [('WARNING', 'copied 2')]",
        "failed: ZeroDivisionError: division by zero",
        "the same: ZeroDivisionError: division by zero",
        "again: 3.0",
        "more: success ['one two']",
        "success by attempt 3",
        "asked enough",
        "[\"['a', '--dry-run']\"]",
        "42",
    ],
    "jobs.py": [
        "[('greet', 'every second'), ('new-year', 'once, at 2030-01-01 00:00 (UTC)'), "
        "('nightly', 'every day at 03:00 (Europe/Warsaw)')]",
        "a job named 'greet' exists already (change it with update_job, or remove it first)",
        "it fires: hello",
        "disabled: True enabled: True",
        "job 'nightly' is protected, so it is neither changed nor removed (set protected = false "
        "first, or use --force, in Python force=True)",
        "job 'long' is not removed, since its run 'RUN' goes on (wait for its end, cancel it, or "
        "use --force, in Python force=True: the run goes on then, without its job)",
        "left: ['greet', 'new-year']",
        "its run is kept: ['success']",
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
    "workflow.py": [
        "the jobs come round to themselves: extract → load → report → extract (each comes after "
        "the one before it: take one out of needs, wait_for, on_success or on_failure)",
        "after extract: ('load',)",
        "load: {'rows': [42]}",
        "extract ran 1 time: it is up to date",
        "extract ran again, and then load, and report",
        "skipped fresh",
        "alarm was run",
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
