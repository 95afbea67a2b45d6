"""One claimed run, from the claim to its outcome. What it does is read from its record."""

import json
import logging
import os
from dataclasses import replace

from jober.end_policy import EndPolicy
from jober.failpoint import failpoint
from jober.output import Stream
from jober.run import Claim, Outcome, RunState
from jober.store.report import Finish
from jober_worker.call import CallUnreadable, Function, Options, RqCall, RqTerms, read_call
from jober_worker.cgroups import Groups
from jober_worker.env_file import EnvFileUnreadable, read_env_file
from jober_worker.function_process import FunctionRun
from jober_worker.function_thread import ThreadRun
from jober_worker.functions import Writer
from jober_worker.gate import Gate, Refused
from jober_worker.kernel import now_s
from jober_worker.listener import Listener
from jober_worker.live_attempt import LiveAttempt
from jober_worker.log_folder import LogFolder
from jober_worker.process import ProgramRun
from jober_worker.recording import Recording
from jober_worker.rq_run import RqRun
from jober_worker.run_output import RunOutput
from jober_worker.warm import WarmPool

log = logging.getLogger(__name__)

# Why runs are stopped where nobody has asked for it.
STOPPED = "its agent was stopped"


class Execution:
    """`run` is for an executor thread; `stop` may be called by any.

    `begun_s` is a moment before any of its processes (`kernel.now_s`). `service` is "any" or
    "every" for a run of a service, None for any other.
    """

    def __init__(
        self,
        claim: Claim,
        output: RunOutput,
        attempt: LiveAttempt,
        gate: Gate,
        listener: Listener,
        logs: LogFolder,
        groups: Groups,
        pool: WarmPool,
        rq: RqTerms,
    ) -> None:
        self.claim = claim
        self.policy = EndPolicy.read(claim.options)
        self.service = _service(claim)
        self.output = output
        self.attempt = attempt
        self.begun_s = now_s()
        self._gate = gate
        self._listener = listener
        self._groups = groups
        self._pool = pool
        self._rq = rq
        self._logs = logs
        self._recording: Recording | None = None
        self._program: ProgramRun | ThreadRun | None = None
        self._stop_reason: str | None = None
        self._at_once = False
        self._is_lost = False

    @property
    def pid(self) -> int | None:
        """The first process of it; None where it has none, or it is not known yet."""
        return self._program.pid if self._program else None

    def stop(self, reason: str, *, at_once: bool = False) -> None:
        """Ask it to stop."""
        if self._stop_reason is None:
            log.info("stopping %s: %s", self.claim.id, reason)
            self._stop_reason = reason
        self._at_once = self._at_once or at_once
        self.attempt.cancel()
        # Either this sees the program, or `run` sees the reason.
        if self._program:
            self._program.stop(reason, at_once=at_once)

    def give_up(self) -> None:
        """Ask it to stop, since it is no longer ours: what is stopped so is lost, not cancelled."""
        self._is_lost = True
        self.stop("its agent was silent for longer than its lease, and stopped it when it was back")

    def finish(self, outcome: Outcome) -> Finish:
        """What is to be reported of its end, but for its output."""
        return Finish(
            claim=self.claim,
            host=self.attempt.host,
            outcome=outcome,
            retry_in_s=self._retry_in_s(outcome),
            progress=self.attempt.newest,
        )

    def run(self) -> Outcome:
        """Do it, and tell how it ended. Raises nothing."""
        try:
            outcome = self._run()
        except Refused as error:
            log.warning("%s is refused: %s", self.claim.id, error)
            refused = "here" if error.here else "for good"
            outcome = Outcome(state=RunState.FAILED, reason=str(error), refused=refused)
        except CallUnreadable as error:
            outcome = Outcome(state=RunState.FAILED, exit_code=1, reason=str(error))
        except BaseException as error:
            log.exception("the agent failed to carry out %s", self.claim.id)
            reason = f"the agent failed: {type(error).__name__}: {error}"
            outcome = Outcome(state=RunState.FAILED, exit_code=1, reason=reason)
        self.attempt.end()
        if self._recording:
            outcome = self._recording.masking.outcome(outcome)
            self._recording.end()
        if outcome.state is RunState.CANCELLED and self._is_lost:
            return replace(outcome, state=RunState.LOST)
        return outcome

    def _retry_in_s(self, outcome: Outcome) -> float | None:
        """In how many seconds it is tried again after such an end, or None. Nobody has asked for a
        run to end that ends with its agent: that is judged as one whose host died."""
        if outcome.state is RunState.CANCELLED and (outcome.reason or "").startswith(STOPPED):
            outcome = replace(outcome, state=RunState.LOST)
        return self.policy.retry_in_s(outcome, self.claim.begun)

    def _run(self) -> Outcome:
        failpoint("agent.before_start")
        what, options = read_call(self.claim, self._rq)
        if self._stop_reason is None:
            self._gate.check(self.claim, what, options)
        self._recording = recording = Recording(
            self.claim, options, _secret_values(options), self.output, self._logs, self.attempt.host
        )
        self.attempt.record(recording.write, recording.masking.text)
        write = recording.write
        if isinstance(what, Function) and not options.process:
            thread = ThreadRun(what, options, self.attempt, write)
            return self._cancelled(self._carry_out(thread, write))
        with self._listener.serving(self.attempt) as variables:
            id, groups = self.claim.id, self._groups
            if isinstance(what, RqCall):
                job = RqRun(what, self._rq.worker, variables, write, groups, self._pool)
                return self._rq_ended(job, self._carry_out(job, write))
            if isinstance(what, Function):
                function = FunctionRun(id, what, options, variables, write, groups, self._pool)
                return self._carry_out(function, write)
            program = ProgramRun(id, what.argv, options, variables, write, groups)
            outcome = self._carry_out(program, write)
            return outcome if program.pid is None else self.policy.judge(outcome)

    def _rq_ended(self, job: RqRun, outcome: Outcome) -> Outcome:
        if outcome.state is not RunState.CANCELLED or self._is_lost:
            return outcome
        if outcome.reason == STOPPED:
            # Nobody has stopped the job: RQ would try it again, if it may be.
            return replace(outcome, state=RunState.FAILED)
        return job.stopped(outcome)

    def _carry_out(self, program: ProgramRun | ThreadRun, write: Writer) -> Outcome:
        if isinstance(program, ProgramRun):
            program.on_timeout = self.attempt.cancel
        self._program = program
        if self._stop_reason is not None:
            program.stop(self._stop_reason, at_once=self._at_once)
        outcome = program.run()
        if isinstance(program, ProgramRun) and program.pid is None:
            if outcome.state is RunState.FAILED:
                # What could not be started says so in its output too.
                write(Stream.STDERR, f"{outcome.reason}\n".encode())
        return outcome

    def _cancelled(self, outcome: Outcome) -> Outcome:
        """The outcome of a function in a thread: cancelled, where it was asked to stop, with what
        it returned or raised all the same."""
        reason = self._stop_reason
        if reason is None or self._is_lost or outcome.state is RunState.CANCELLED:
            return outcome
        if outcome.state is RunState.FAILED:
            reason = f"{reason}; it ended with {outcome.reason}"
        return replace(outcome, state=RunState.CANCELLED, exit_code=None, reason=reason)


def _service(claim: Claim) -> str | None:
    """The `on` of the service that it is a run of."""
    if claim.trigger != "service":
        return None
    try:
        return "every" if json.loads(claim.options).get("service") == "every" else "any"
    except (ValueError, AttributeError):
        return "any"  # what is wrong with them fails the run


def _secret_values(options: Options) -> dict[str, str]:
    """Where the values of secrets are looked up: as in the environment of the run."""
    file: dict[str, str] = {}
    if options.secret and options.env_file:
        try:
            file = read_env_file(options.env_file, options.cwd)
        except EnvFileUnreadable:
            pass  # the start fails by it, and says so
    return {**os.environ, **file, **options.env}
