"""`python -m benchmarks [NAME…] [--rounds N] [--json FILE] [--write]`: measure, beside peers.

Each name is a module here with `measure(rounds, part) -> list[Section]`: `part` below 1 makes it
smaller, as in the test that each works. What takes too long for one quiet hour is measured in
pieces, each with --json, and --of FILE… makes the page of them.
"""

import argparse
import sys
import time
from importlib import import_module
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.report import keep, kept, write
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
    parser.add_argument(
        "--of", type=Path, nargs="+", metavar="FILE", help="make it of these of --json"
    )
    given = parser.parse_args()
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; one of {', '.join(NAMES)}")
    if given.write and given.names:
        parser.error("--write makes the whole page: it goes without names")
    if given.of:
        if given.names or given.json or given.write:
            parser.error("--of only makes the page: it goes with nothing else")
        try:
            figures, of = kept(given.of)
        except (OSError, ValueError) as error:
            parser.error(str(error))
        print(write({name: figures[name] for name in NAMES if name in figures}, of))
        return 0
    measured: dict[str, list[Section]] = {}
    for name in given.names or NAMES:
        began = time.monotonic()
        measured[name] = import_module(f"benchmarks.{name}").measure(given.rounds, given.part)
        show(measured[name])
        print(f"{name}: {time.monotonic() - began:.0f} s\n", flush=True)
    told = [*machine(), ("rounds", str(given.rounds))]
    if given.json:
        keep(measured, told, given.json)
    if given.write:
        print(write(measured, told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
