"""Tries tests on a copy of the tree, with a mutation or without."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.mutants.confined import TIMED_OUT
from tests.mutants.mutation import ROOT, Mutation, copy_tree, import_path

# A test that takes longer says nothing; all are quick where nothing is wrong.
LIMIT_S = 240
# Exit statuses of pytest.
PASSED, FAILED = 0, 1


class Verdict(StrEnum):
    KILLED = "killed"
    LIVED = "lived"
    # The test could not be run, or did not end: that proves nothing.
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of a mutation; `told` is what its test wrote."""

    mutation: Mutation
    verdict: Verdict
    seconds: float
    told: str


def try_mutation(mutation: Mutation, tree: Path = ROOT) -> Trial:
    """Run the test of a mutation on a copy that has it. Raises StaleMutation."""
    with tempfile.TemporaryDirectory(prefix="jober-mutant-") as folder:
        root = Path(folder, "tree")
        copy_tree(root, tree)
        mutation.apply(root)
        began = time.monotonic()
        status, told = run_tests(root, [mutation.test], "-x")
        seconds = time.monotonic() - began
    verdict = {PASSED: Verdict.LIVED, FAILED: Verdict.KILLED}.get(status, Verdict.UNDECIDED)
    return Trial(mutation=mutation, verdict=verdict, seconds=seconds, told=told)


def run_tests(
    root: Path, tests: Sequence[str], *options: str, limit_s: int = LIMIT_S
) -> tuple[int, str]:
    """Run tests on a copy; the exit status of pytest, and what it wrote."""
    pytest = ("-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider")
    return run(root, *pytest, *options, *tests, limit_s=limit_s)


def run(root: Path, *arguments: str, limit_s: int = LIMIT_S) -> tuple[int, str]:
    """Run Python with arguments on a copy, and let nothing of it survive."""
    confined = (sys.executable, "-m", "tests.mutants.confined", str(limit_s))
    with tempfile.TemporaryFile() as told:
        # The keeper is ours, and not the copy's: that may be what is broken.
        process = subprocess.Popen(
            [*confined, *_with(root), sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": import_path(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
        )
        try:
            status = process.wait()
        except BaseException:
            process.send_signal(signal.SIGTERM)
            process.wait()
            raise
        told.seek(0)
        text = told.read().decode("utf-8", "replace")
    return status, text + (f"\nit went on for {limit_s} s" if status == TIMED_OUT else "")


def _with(root: Path) -> tuple[str, ...]:
    """What has a command see the copy: from its folder, by its modules, in every process."""
    return ("env", "-C", str(root), f"PYTHONPATH={import_path(root)}")
