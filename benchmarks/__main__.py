"""`python -m benchmarks [NAME…] [--rounds N] [--json FILE] [--write]`: measure, beside peers.

Each name is a module here with `measure(rounds, part) -> list[Section]`: `part` below 1 makes it
smaller, as in the test that each works.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.report import write
from benchmarks.section import Section, show

NAMES = (
    *("throughput", "commands", "latency", "bursts", "stages", "firing", "output"),
    *("schedule", "processes", "table", "starts", "scale", "web"),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="(default: 3)")
    parser.add_argument(
        "--part", type=float, default=1.0, metavar="P", help="so much of each (default: 1)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--write", action="store_true", help="make docs/performance.md of them")
    given = parser.parse_args()
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; one of {', '.join(NAMES)}")
    if given.write and given.names:
        parser.error("--write makes the whole page: it goes without names")
    measured: dict[str, list[Section]] = {}
    for name in given.names or NAMES:
        began = time.monotonic()
        measured[name] = import_module(f"benchmarks.{name}").measure(given.rounds, given.part)
        show(measured[name])
        print(f"{name}: {time.monotonic() - began:.0f} s\n", flush=True)
    if given.json:
        figures = {
            "machine": dict(machine()),
            "measured": {
                name: [asdict(section) for section in sections]
                for name, sections in measured.items()
            },
        }
        given.json.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n")
    if given.write:
        print(write(measured, machine()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
