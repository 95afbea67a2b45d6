"""Cleaning up after runs: `python examples/cleanup.py` makes three reports, keeps the newest run,
and has the files of the others removed as their runs are deleted.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from jober import Jober


def report(folder: str, number: int) -> str:
    """Leaves a file behind, and says which."""
    path = Path(folder, f"report-{number}")
    path.write_text("all is well\n")
    return str(path)


def clean_up(run: dict[str, Any]) -> None:
    """Called for each run that is deleted; a second time would do no harm."""
    Path(run["result"]).unlink(missing_ok=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Jober() as jober:
        # By the names that an agent imports them by: this file is the module `cleanup`.
        jober.add_job("cleanup:report", name="report", cleanup="cleanup:clean_up", keep_runs=1)
        for number in (1, 2, 3):
            jober.run("report", args=[folder, number]).wait(timeout=60)
        while len(list(Path(folder).iterdir())) > 1:
            time.sleep(0.1)
        print("left:", [path.name for path in Path(folder).iterdir()])
        cleaners = [run for run in jober.runs() if run.trigger == "cleanup"]
        print("runs kept:", len(jober.runs("report")), "cleaned up after:", len(cleaners))


if __name__ == "__main__":
    main()
