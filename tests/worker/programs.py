"""For tests of programs: one is run as a run, and what it wrote is kept apart by stream."""

import threading
from collections import defaultdict
from typing import Any

from jober.output import Stream
from jober.run import Outcome
from jober_worker.call import Options
from jober_worker.cgroups import Groups
from jober_worker.functions import Data
from jober_worker.leftovers import mark
from jober_worker.process import ProgramRun
from tests.waiting import wait_until

GROUPS = Groups(mark())


class Program:
    """`Program("sh", "-c", ...)`; `run()` tells how it ended, `out` and `err` what it wrote."""

    def __init__(self, *argv: str, run: str = "a-run", **options: Any) -> None:
        self.written: dict[Stream, bytearray] = defaultdict(bytearray)
        self.options = Options(**options)
        self.program = ProgramRun(
            run, argv, self.options, {"JOBER_RUN_ID": run}, self._write, GROUPS
        )
        self.outcome: Outcome | None = None
        self._thread = threading.Thread(target=self._run)

    def _write(self, stream: Stream, data: Data) -> None:
        self.written[stream] += data

    @property
    def out(self) -> bytes:
        return bytes(self.written[Stream.STDOUT])

    @property
    def err(self) -> bytes:
        return bytes(self.written[Stream.STDERR])

    def run(self) -> Outcome:
        return self.program.run()

    def _run(self) -> None:
        self.outcome = self.program.run()

    def start(self, until: bytes = b"") -> "Program":
        """Run it in a thread; wait until it has written `until`."""
        self._thread.start()
        wait_until(lambda: until in self.out, told=f"{until!r} is written")
        return self

    def ended(self, within: float = 10.0) -> Outcome:
        self._thread.join(within)
        assert self.outcome is not None, f"it goes on after {within} s"
        return self.outcome


def sh(text: str, **options: Any) -> Program:
    return Program("/bin/sh", "-c", text, **options)
