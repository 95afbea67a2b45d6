"""For tests of functions in processes of their own: one is run, and what it wrote is kept."""

import threading
from typing import Any

from jober.output import Stream
from jober.run import Outcome
from jober_worker.call import Function, Options
from jober_worker.function_process import FunctionRun
from jober_worker.functions import Data
from jober_worker.warm import WarmPool
from tests.waiting import wait_until
from tests.worker.programs import GROUPS


class InProcess:
    """A function in a process of its own, or in one of a pool."""

    def __init__(
        self,
        name: str,
        *args: Any,
        file: str | None = None,
        pool: WarmPool | None = None,
        run: str = "a-run",
        **options: Any,
    ) -> None:
        self.out = bytearray()
        self.err = bytearray()
        self.outcome: Outcome | None = None
        self._own = WarmPool(GROUPS, 1) if pool is None else None
        self.process = FunctionRun(
            run,
            Function(name=name, args=args, kwargs={}, file=file),
            Options(**options),
            {"JOBER_RUN_ID": run},
            self._write,
            GROUPS,
            pool or self._own or WarmPool(GROUPS, 1),
        )
        self._thread = threading.Thread(target=self._run)

    def _write(self, stream: Stream, data: Data) -> None:
        (self.out if stream is Stream.STDOUT else self.err).extend(data)

    def run(self) -> Outcome:
        try:
            return self.process.run()
        finally:
            if self._own:
                self._own.close()

    def _run(self) -> None:
        self.outcome = self.run()

    def start(self, until: bytes = b"") -> "InProcess":
        """Run it in a thread; wait until it has written `until`."""
        self._thread.start()
        wait_until(lambda: until in self.out, told=f"{until!r} is written")
        return self

    def ended(self, within: float = 10.0) -> Outcome:
        self._thread.join(within)
        assert self.outcome is not None, f"it goes on after {within} s"
        return self.outcome
