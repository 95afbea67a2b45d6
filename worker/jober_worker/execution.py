"""One claimed run, from the claim to its outcome. What it does is read from its record."""

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import replace

from jober.end_policy import EndPolicy
from jober.output import Stream
from jober.run import Claim, Outcome, RunState
from jober_worker.call import CallUnreadable, Function, Options, read_call
from jober_worker.cgroups import Groups
from jober_worker.env_file import EnvFileUnreadable, read_env_file
from jober_worker.function_process import FunctionRun
from jober_worker.functions import Writer, call
from jober_worker.log_folder import LogFolder
from jober_worker.prints import captured
from jober_worker.process import ProgramRun
from jober_worker.processes import RUN_VARIABLE
from jober_worker.recording import Recording
from jober_worker.run_output import RunOutput
from jober_worker.warm import WarmPool

log = logging.getLogger(__name__)


class Execution:
    """`run` is for an executor thread; `stop` may be called by any.

    `begun_s` is a moment before any of its processes (CLOCK_BOOTTIME, as the kernel tells of
    processes).
    """

    def __init__(
        self,
        claim: Claim,
        host: str,
        output: RunOutput,
        logs: LogFolder,
        groups: Groups,
        pool: WarmPool,
    ) -> None:
        self.claim = claim
        self.policy = EndPolicy.read(claim.options)
        self.output = output
        self.begun_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        self._host = host
        self._groups = groups
        self._pool = pool
        self._logs = logs
        self._recording: Recording | None = None
        self._program: ProgramRun | None = None
        self._stop_reason: str | None = None
        self._at_once = False
        self._is_lost = False

    @property
    def pid(self) -> int | None:
        """The first process of it; None where it has none, or it is not known yet."""
        return self._program.pid if self._program else None

    def stop(self, reason: str, *, at_once: bool = False) -> None:
        """Ask it to stop. A function in a thread goes on to its end, and is told as cancelled."""
        if self._stop_reason is None:
            log.info("stopping %s: %s", self.claim.id, reason)
            self._stop_reason = reason
        self._at_once = self._at_once or at_once
        # Either this sees the program, or `run` sees the reason.
        if self._program:
            self._program.stop(reason, at_once=at_once)

    def give_up(self) -> None:
        """Ask it to stop, since it is no longer ours: what is stopped so is lost, not cancelled."""
        self._is_lost = True
        self.stop("its agent was silent for longer than its lease, and stopped it when it was back")

    def run(self) -> Outcome:
        """Do it, and tell how it ended. Raises nothing."""
        try:
            outcome = self._run()
        except CallUnreadable as error:
            outcome = Outcome(state=RunState.FAILED, exit_code=1, reason=str(error))
        except BaseException as error:
            log.exception("the agent failed to carry out %s", self.claim.id)
            reason = f"the agent failed: {type(error).__name__}: {error}"
            outcome = Outcome(state=RunState.FAILED, exit_code=1, reason=reason)
        if self._recording:
            outcome = self._recording.masking.outcome(outcome)
            self._recording.end()
        if outcome.state is RunState.CANCELLED and self._is_lost:
            return replace(outcome, state=RunState.LOST)
        return outcome

    def _run(self) -> Outcome:
        what, options = read_call(self.claim)
        self._recording = Recording(
            self.claim, options, _secret_values(options), self.output, self._logs, self._host
        )
        write = self._recording.write
        if isinstance(what, Function):
            if not options.process:
                return self._call(what, write)
            self._program = FunctionRun(
                self.claim.id,
                what,
                options,
                self._variables(),
                write,
                self._groups,
                self._pool,
            )
        else:
            self._program = ProgramRun(
                self.claim.id,
                what.argv,
                options,
                self._variables(),
                write,
                self._groups,
            )
        if self._stop_reason is not None:
            self._program.stop(self._stop_reason, at_once=self._at_once)
        outcome = self._program.run()
        if self._program.pid is None and outcome.state is RunState.FAILED:
            # What could not be started says so in its output too.
            write(Stream.STDERR, f"{outcome.reason}\n".encode())
            return outcome
        return outcome if isinstance(what, Function) else self.policy.judge(outcome)

    def _call(self, function: Function, write: Writer) -> Outcome:
        if self._stop_reason is not None:
            return Outcome(state=RunState.CANCELLED, reason=self._stop_reason)
        began_s = time.thread_time()
        with captured(write):
            outcome = call(function.name, function.args, function.kwargs, file=function.file)
        outcome = replace(outcome, cpu_s=round(time.thread_time() - began_s, 6))
        if outcome.traceback:
            write(Stream.STDERR, outcome.traceback.encode())
        if self._stop_reason is not None and not self._is_lost:
            return Outcome(state=RunState.CANCELLED, reason=self._stop_reason)
        return outcome

    def _variables(self) -> Mapping[str, str]:
        claim = self.claim
        return {
            RUN_VARIABLE: claim.id,
            "JOBER_JOB": claim.job or "",
            "JOBER_ATTEMPT": str(claim.attempt),
            "JOBER_FIRE_AT": claim.fire_at or "",
            "JOBER_HOST": self._host,
        }


def _secret_values(options: Options) -> dict[str, str]:
    """Where the values of secrets are looked up: as in the environment of the run."""
    file: dict[str, str] = {}
    if options.secret and options.env_file:
        try:
            file = read_env_file(options.env_file, options.cwd)
        except EnvFileUnreadable:
            pass  # the start fails by it, and says so
    return {**os.environ, **file, **options.env}
