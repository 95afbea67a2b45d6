"""One claimed run, from the claim to its outcome. What it does is read from its record."""

import logging
import time
from collections.abc import Callable, Mapping

from jober.output import Stream
from jober.run import Claim, Outcome, RunState
from jober_worker.call import CallUnreadable, Function, Options, read_call
from jober_worker.functions import call, captured
from jober_worker.process import FunctionRun, ProgramRun
from jober_worker.processes import RUN_VARIABLE
from jober_worker.pump import RunOutput

log = logging.getLogger(__name__)


class Execution:
    """`run` is for an executor thread; `stop` may be called by any."""

    def __init__(self, claim: Claim, host: str, output: RunOutput) -> None:
        self.claim = claim
        self.output = output
        self.started_at = time.monotonic()
        self._host = host
        self._program: ProgramRun | None = None
        self._stop_reason: str | None = None

    @property
    def pid(self) -> int | None:
        """The first process of it, where it has one."""
        return self._program.pid if self._program else None

    @property
    def is_starting(self) -> bool:
        """Whether its process may be there before its pid is known."""
        return self._program is not None and self._program.pid is None

    def stop(self, reason: str) -> None:
        """Ask it to stop. A function in a thread goes on to its end, and is told as cancelled."""
        if self._stop_reason is None:
            self._stop_reason = reason
            log.info("stopping %s: %s", self.claim.id, reason)
        if self._program:
            self._program.stop(reason)

    def run(self, on_started: Callable[[int], None], on_ended: Callable[[int], None]) -> Outcome:
        """Do it, and tell how it ended. Raises nothing."""
        try:
            what, options = read_call(self.claim)
            if isinstance(what, Function) and not options.process:
                return self._call(what)
            variables = self._variables()
            if isinstance(what, Function):
                self._program = FunctionRun(
                    self.claim.id, what, options, variables, self.output.write
                )
            else:
                self._program = ProgramRun(
                    self.claim.id, what.argv, options, variables, self.output.write
                )
            if self._stop_reason:
                return Outcome(state=RunState.CANCELLED, reason=self._stop_reason)
            return self._tell(self._program.run(on_started, on_ended), options)
        except CallUnreadable as error:
            return Outcome(state=RunState.FAILED, exit_code=1, reason=str(error))
        except Exception as error:
            log.exception("the agent failed to carry out %s", self.claim.id)
            return Outcome(
                state=RunState.FAILED, exit_code=1, reason=f"the agent failed: {error!r}"
            )

    def _call(self, function: Function) -> Outcome:
        with captured(self.output.write):
            outcome = call(function.target, function.args, function.kwargs)
        if outcome.traceback:
            self.output.write(Stream.STDERR, outcome.traceback.encode())
        if self._stop_reason:
            return Outcome(state=RunState.CANCELLED, reason=self._stop_reason)
        return outcome

    def _tell(self, outcome: Outcome, options: Options) -> Outcome:
        """A program that could not be started says so in its output too."""
        if outcome.exit_code in (126, 127) and self.pid is None:
            self.output.write(Stream.STDERR, f"{outcome.reason}\n".encode())
        return outcome

    def _variables(self) -> Mapping[str, str]:
        claim = self.claim
        return {
            RUN_VARIABLE: claim.id,
            "JOBER_JOB": claim.job or "",
            "JOBER_ATTEMPT": str(claim.attempt),
            "JOBER_FIRE_AT": claim.fire_at or "",
            "JOBER_HOST": self._host,
            "PYTHONUNBUFFERED": "1",
        }
