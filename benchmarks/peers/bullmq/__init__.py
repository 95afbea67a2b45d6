"""BullMQ, on Node: installed by `make bench` where npm is, from the versions in package.json."""

import shutil
from pathlib import Path

FOLDER = Path(__file__).parent.parent.parent.parent / "build" / "bullmq"
PROGRAM = Path(__file__).parent / "bench.js"


def is_there() -> bool:
    """Whether it can be measured."""
    return shutil.which("node") is not None and (FOLDER / "node_modules" / "bullmq").is_dir()
