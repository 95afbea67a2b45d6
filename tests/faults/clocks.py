"""Clocks that a test sets while programs go by them, with libfaketime (`make clocks`)."""

import os
from pathlib import Path

import pytest

from tests.fleet import ROOT

_LIBRARIES = "*/faketime/libfaketimeMT.so.1"


def library() -> Path:
    """Where libfaketime is. Where it is not, the test is skipped, and in CI it fails."""
    found = sorted(Path("/usr/lib").glob(_LIBRARIES))
    if not found:
        told = "no libfaketime here: make clocks, as root, or apt install libfaketime"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    return found[0]


class SteppedClock:
    """What is started with `environ` goes by this clock. The monotonic one is never set."""

    def __init__(self, folder: Path, name: str) -> None:
        self._file = folder / f"{name}.clock"
        self.set_by(0)
        self.environ = {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": str(ROOT / "tests" / "faults" / "stepped"),
        }

    def set_by(self, seconds: int) -> None:
        """From now on it is ahead of the machine's by so much, or behind."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}")
        new.rename(self._file)
