"""`make fuzz`: every target as often as it says, each in a process of its own, and a table of what
came of it. Ends 1 where there is a defect, whose smallest case is kept in `.fuzz/`."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.guided import PARSERS, RUNS
from tests.fuzz.target import Row, strain
from tests.fuzz.targets import TARGETS

KEPT = Path(".fuzz")
AT_LEAST = 100_000


def main(names: list[str], share: float) -> int:
    """Fuzz these targets, or all, a `share` of their cases each."""
    wanted = [target for target in TARGETS if not names or target.name in names]
    if unknown := sorted(set(names) - {target.name for target in TARGETS}):
        known = ", ".join(target.name for target in TARGETS)
        sys.stderr.write(f"fuzz: no target is named '{unknown[0]}' (there are: {known})\n")
        return 2
    KEPT.mkdir(exist_ok=True)
    began = time.monotonic()
    sys.stdout.write(f"{'what':<24}{'cases':>9}{'seconds':>9}{'defects':>9}\n")
    # The slow ones first, so that none is left over alone.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        told = pool.map(lambda target: _apart(target.name, share), reversed(wanted))
        rows = list(_shown(told))
        if not names and find_spec("atheris"):
            guided = pool.map(lambda name: _guided(name, share), PARSERS)
            rows += list(_shown(guided))
        elif not names:
            sys.stdout.write("atheris is not installed here: nothing is guided by coverage\n")
    cases, defects = sum(row.cases for row in rows), sum(row.defect is not None for row in rows)
    _say("all", cases, time.monotonic() - began, defects)
    for row in rows:
        if row.defect:
            told_in = KEPT / f"{row.name.replace(' ', '-')}.txt"
            sys.stdout.write(f"\n{row.name} ({told_in}):\n{_both_ends(row.defect)}\n")
    if not names and share >= 1 and cases < AT_LEAST:
        sys.stderr.write(f"fuzz: {cases} cases are fewer than {AT_LEAST}\n")
        return 1
    return 1 if defects else 0


def _shown(rows: Iterable[Row]) -> Iterable[Row]:
    for row in rows:
        _say(row.name, row.cases, row.seconds, int(row.defect is not None))
        yield row


def _say(name: str, cases: int, seconds: float, defects: int) -> None:
    sys.stdout.write(f"{name:<24}{cases:>9,}{seconds:>9.1f}{defects:>9}\n")
    sys.stdout.flush()


def _both_ends(defect: str) -> str:
    return defect if len(defect) < 5000 else f"{defect[:500]}\n[...]\n{defect[-4500:]}"


def _apart(name: str, share: float) -> Row:
    """Fuzz a target in a process of its own, which a crash of the interpreter ends alone."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", "tests.fuzz", "--one", name, str(share)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    try:
        return Row(**json.loads(done.stdout.splitlines()[-1]))
    except (IndexError, ValueError, TypeError):
        defect = f"its process ended with status {done.returncode}:\n{done.stderr}"
        return Row(name=name, cases=0, seconds=time.monotonic() - began, defect=defect)


def _guided(parser: str, share: float) -> Row:
    """Fuzz a parser with what coverage leads to. A defect ends its process."""
    began = time.monotonic()
    runs = max(1, round(RUNS * share))
    with tempfile.TemporaryDirectory(prefix="jober-fuzz-") as folder:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.fuzz.guided",
                parser,
                str(runs),
                str(KEPT.absolute()),
                folder,
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
    counted = re.findall(r"^(?:#|Done )(\d+)", done.stderr, re.MULTILINE)
    cases = int(counted[-1]) if counted else 0
    defect = done.stderr if done.returncode or not cases else None
    name = f"guided: {parser}"
    return Row(name=name, cases=cases, seconds=time.monotonic() - began, defect=defect)


def one(name: str, share: float) -> None:
    """Fuzz a target here; the last line of stdout tells what came of it."""
    [target] = [target for target in TARGETS if target.name == name]
    with tempfile.TemporaryDirectory(prefix="jober-fuzz-") as folder:
        row = strain(target, max(1, round(target.cases * share)), Path(folder), KEPT.absolute())
    sys.stdout.write(f"\n{json.dumps(asdict(row))}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], float(sys.argv[3]))
    else:
        sys.exit(main(sys.argv[1:], float(os.environ.get("SHARE", "1"))))
